"""f. From `orderflow up` to ready, and what the system takes while nothing happens."""

import time

from .. import processes
from ..processes import say
from ..table import Row
from .end_to_end import warm_up

SECONDS = 20


def measure(_options) -> list[Row]:
    say("start and idle")
    with processes.folder() as data:
        begun = time.monotonic()
        with processes.orderflow(data) as stack:
            ready = time.monotonic() - begun
            warm_up(stack)
            time.sleep(2)
            before = stack.cpu_seconds()
            time.sleep(SECONDS)
            spent = {name: (value - before[name]) / SECONDS * 100 for name, value in stack.cpu_seconds().items()}
            resident, proportional = stack.megabytes("Rss"), stack.megabytes("Pss")
    rows = [Row("`orderflow up` to ready", "s", ready, details={"broker and console": {
        "cpu_percent": spent["broker"], "rss_mb": resident["broker"], "pss_mb": proportional["broker"]}})]
    for name in spent:
        if name != "broker":
            rows += [
                Row(f"idle, {name}", "% of a core", spent[name], target="under 1 %"),
                Row(f"idle, {name}, resident", "MB", resident[name], target="under 40 MB",
                    details={"pss_mb": proportional[name]}),
            ]
    return rows
