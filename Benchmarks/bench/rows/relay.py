"""b. From a full outbox to the last row that is acknowledged and marked; beside the producer alone."""

import shutil
from pathlib import Path

from .. import processes, stores, wrk
from ..processes import NOBODY, say
from ..table import Row, medians

UNPUBLISHED = "SELECT EXISTS (SELECT 1 FROM outbox_pending)"


def measure(options) -> list[Row]:
    rows = 4 * options.orders
    say(f"relay, {rows:,} rows")
    with processes.folder() as data:
        full = data / "full.sqlite"
        with processes.service("OrderService", full, NOBODY) as (url, _):
            wrk.post_orders(url, 64, 300, requests=rows)
        values = medians(options.rounds, lambda: ours(full), lambda: limit(rows))
    return [Row("relay", "rows/s", values[0], None, values[1], "0.5 of the limit")]


def ours(full: Path) -> float:
    """By the marks' own times."""
    with processes.folder() as data, processes.embedded_broker() as (servers, _):
        store = data / "orders.sqlite"
        shutil.copy(full, store)
        # Nobody consumes here, so nothing may wait for a consumer.
        environment = {"RELAY_MAX_UNCONSUMED_BYTES": str(1 << 40)}
        with processes.service("OrderService", store, servers, environment):
            processes.wait_until("the outbox's end", 120, lambda: stores.value(store, UNPUBLISHED) == 0, pause=0.2)
        return stores.rate_by(store, "outbox_publications", "published_at")


def limit(records: int) -> float:
    with processes.embedded_broker() as (servers, _):
        return processes.limits("producer", "--bootstrap-servers", servers, "--records", records)["records_per_second"]
