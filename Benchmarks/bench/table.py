"""The table: on the terminal, as JSON, in docs/performance.md and the README."""

import json
import os
import platform
import statistics
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .processes import ROOT

DOCUMENT, SHORT_DOCUMENT = ROOT / "docs" / "performance.md", ROOT / "README.md"
SHORT = (
    "intake, 64", "relay", "end to end (", "CPU an order, everything", "POST to final mail at 1,000/s, p99",
    "`orderflow up`",
)
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


@dataclass
class Row:
    """One line of the table. Ratios are ours divided by theirs, for what is better when it is large."""

    name: str
    unit: str
    ours: float | None
    peer: float | None = None
    limit: float | None = None
    target: str = ""
    details: dict = field(default_factory=dict)


def medians(rounds: int, *variants) -> list[float]:
    """Each variant once per round, so that a slow moment of the machine meets all of them; the median of each."""
    results = [[measure() for measure in variants] for _ in range(rounds)]
    return [statistics.median(values) for values in zip(*results, strict=True)]


def result(table: list[Row]) -> dict:
    """All that there is to know about a run."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(git, check=False, capture_output=True, text=True).stdout.strip()
    return {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {
            "processor": first_value("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
            "memory": first_value("/proc/meminfo", "MemTotal"), "kernel": platform.release(),
        },
        "commit": commit,
        "rows": [asdict(row) for row in table],
    }


def first_value(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith(name)), "")


def write_json(measured: dict, path: Path) -> None:
    path.write_text(json.dumps(measured, indent=1) + "\n")


def render(table: list[Row]) -> str:
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


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def ratio(ours: float | None, other: float | None) -> str:
    return f"{ours / other:.2f}" if ours is not None and other else ""


def write_documents(measured: dict, table: list[Row]) -> None:
    """The whole table where it is explained, and a few of its rows in the README."""
    machine = measured["machine"]
    source = (
        f"Commit {measured['commit']}, {measured['measured_at'][:10]}, {machine['cores']} cores of "
        f"{machine['processor']}, Linux {machine['kernel']}:"
    )
    for document, rows in (
        (DOCUMENT, table),
        (SHORT_DOCUMENT, [row for row in table if row.name.startswith(SHORT)]),
    ):
        text = document.read_text()
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
        document.write_text(f"{before}{BEGIN}\n{source}\n\n{render(rows)}\n{END}{after}")
