"""Where the CPU goes: records perf for each process during an end to end run, and prints each report as text."""

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from . import processes, stores, wrk
from .rows import end_to_end

SYMBOLS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    with processes.folder() as data, processes.orderflow(data) as stack:
        end_to_end.warm_up(stack)
        before = {name: split_cpu(ids[0]) for name, ids in stack.process_ids.items()}
        with recorded(stack, data) as files:
            wrk.post_orders(stack.orders, options.connections, options.seconds)
            end_to_end.settled_rate(stack)
        orders = stores.value(stack.databases["order-service"], "SELECT COUNT(*) FROM orders")
        for name, file in files.items():
            after = split_cpu(stack.process_ids[name][0])
            user, system = ((now - then) / orders * 1e6 for now, then in zip(after, before[name], strict=True))
            print(f"\n{name}: {user + system:.0f} µs an order (user {user:.0f}, kernel {system:.0f})\n")
            print(report(file, "dso"))
            print(report(file, "symbol"))


@contextlib.contextmanager
def recorded(stack: processes.Stack, data: Path):
    """A file of samples for each process, complete after the block."""
    files = {name: data / f"{name}.perf" for name in stack.process_ids}
    recorders = [
        subprocess.Popen(
            ["perf", "record", "-o", str(files[name]), "-F", "999", "-p", str(ids[0])],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for name, ids in stack.process_ids.items()
    ]
    try:
        yield files
    finally:
        for recorder in recorders:
            recorder.send_signal(signal.SIGINT)
        for recorder in recorders:
            recorder.wait()


def split_cpu(process_id: int) -> tuple[float, float]:
    """Seconds in user space and in the kernel."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return tuple(int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13])


def report(file: Path, sort: str) -> str:
    """The largest shares, a line each."""
    command = ["perf", "report", "-i", str(file), "--stdio", "--no-children", "--sort", sort, "-g", "none"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # What follows the name is the padding of columns that are not asked for.
    lines = [re.sub(r"\s{3,}.*", "", line.strip()) for line in text.splitlines() if re.match(r"\s*\d", line)][:SYMBOLS]
    return shorter(demangled("\n".join(lines))) + "\n"


def demangled(text: str) -> str:
    if not shutil.which("swift"):
        return text
    command = ["swift", "demangle", "--simplified"]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout.rstrip()


def shorter(text: str) -> str:
    return "\n".join(line if len(line) <= 110 else line[:107] + "..." for line in text.splitlines())


if __name__ == "__main__":
    main()
