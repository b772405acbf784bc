"""The intake alone, for its row of the table: `python -m peer.intake --data-dir D --port P`."""

import argparse
from pathlib import Path

import uvicorn

from . import orders


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", required=True, type=Path)
    parser.add_argument("--port", required=True, type=int)
    options = parser.parse_args()
    application = orders.application(options.data_dir / "orders.sqlite", options.data_dir / "orders.bell")
    uvicorn.run(application, host="127.0.0.1", port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
