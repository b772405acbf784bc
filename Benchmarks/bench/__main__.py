"""`python3 -m bench`: measures, prints one table, and writes it as JSON."""

import argparse
import signal
import sys
from pathlib import Path

from . import table
from .processes import BENCHMARKS, Failed, say
from .rows import consumers, end_to_end, growth, intake, relay, soak, start

SETS = {
    "intake": intake.measure,
    "relay": relay.measure,
    "consumers": consumers.measure,
    "end-to-end": end_to_end.measure,
    "latency": end_to_end.measure_latency,
    # Before the growth: the disk is busy for minutes after its stores are gone.
    "start": start.measure,
    "growth": growth.measure,
    "soak": soak.measure,
}
DEFAULT = [name for name in SETS if name != "soak"]


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SETS, default=DEFAULT, help="default: all but soak")
    parser.add_argument("--orders", type=int, default=50_000, help="of the relay, consumer and end to end rows")
    parser.add_argument("--rounds", type=int, default=3, help="of what is measured in turns; the median counts")
    parser.add_argument("--seconds", type=int, default=5, help="of each intake run")
    parser.add_argument("--latency-seconds", type=int, default=15, help="of each latency run")
    parser.add_argument(
        "--growth", nargs="+", type=int, default=[0, 1_000_000], metavar="ORDERS", help="orders in the stores"
    )
    parser.add_argument("--minutes", type=float, default=10, help="of the soak")
    parser.add_argument("--json", type=Path, default=BENCHMARKS / "results.json", help="where to write it")
    parser.add_argument("--write-docs", action="store_true", help="put it into docs/performance.md and the README")
    options = parser.parse_args(arguments)
    if options.write_docs and not set(DEFAULT) <= set(options.only):
        parser.error("--write-docs is for the whole table")
    return options


def main() -> int:
    options = options_of(sys.argv[1:])
    # As Ctrl-C: everything that was started is stopped, and no folder is left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows: list[table.Row] = []
    failed = False
    for name in SETS:
        if name not in options.only:
            continue
        try:
            rows += SETS[name](options)
        except Failed as problem:
            say(f"{name}: {problem}")
            failed = True
    measured = table.result(rows)
    table.write_json(measured, options.json)
    if options.write_docs and not failed:
        table.write_documents(measured, rows)
    print(table.render(rows))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
