"""`python3 -m bench`: prints one table, and writes it as JSON."""

import argparse
import json
import os
import platform
import subprocess
import time
from dataclasses import asdict

from . import rows
from .processes import ROOT, Failed, say

SETS = ("intake", "relay", "consumers", "end-to-end", "latency", "start")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--orders", type=int, default=50_000, help="of the end to end row")
    parser.add_argument("--rounds", type=int, default=3, help="of what is measured in turns; the median counts")
    parser.add_argument("--seconds", type=int, default=8, help="of each intake and latency run")
    parser.add_argument("--json", default=ROOT / "Benchmarks" / "results.json", help="where to write the table")
    options = parser.parse_args()

    table: list[rows.Row] = []
    try:
        if "intake" in options.only:
            table.append(rows.intake(64, options.seconds, options.rounds))
            table.append(rows.intake(256, options.seconds, options.rounds))
            table.append(rows.intake_latency(table[0].ours, options.seconds))
        if "relay" in options.only:
            table.append(rows.relay(options.orders))
        if "consumers" in options.only:
            table += [rows.consumer(name, options.orders) for name in ("inventory", "notification")]
        if "end-to-end" in options.only:
            table.append(rows.end_to_end(options.orders, options.rounds))
        if "latency" in options.only:
            table += rows.latency(200, options.seconds) + rows.latency(1000, options.seconds)
        if "start" in options.only:
            table += rows.start()
    except Failed as problem:
        say(f"bench: {problem}")
        return 1
    finally:
        write(table, options.json)
        print(render(table))
    return 0


def write(table: list[rows.Row], path) -> None:
    result = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "processor": processor()},
        "commit": subprocess.run(
            ["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        ).stdout.strip(),
        "rows": [asdict(row) for row in table],
    }
    with open(path, "w") as file:
        json.dump(result, file, indent=1)


def processor() -> str:
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "")


def render(table: list[rows.Row]) -> str:
    def number(value: float | None) -> str:
        if value is None:
            return ""
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"

    def ratio(ours: float, other: float | None) -> str:
        return f"{ours / other:.2f}" if other else ""

    lines = [
        "| row | unit | ours | peer | ours / peer | limit | ours / limit | target |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in table:
        cells = [
            row.name, row.unit, number(row.ours), number(row.peer), ratio(row.ours, row.peer), number(row.limit),
            ratio(row.ours, row.limit), row.target,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
