"""c. A full topic through each service's consumer: dedup row, effect, outbox row, synced; beside the same SQL alone."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

from .. import processes, stores, wrk
from ..processes import NOBODY, Failed, say
from ..table import Row, medians

SERVICES = {"inventory": "InventoryService", "notification": "NotificationService", "order": "OrderService"}


def measure(options) -> list[Row]:
    return [row(name, executable, options) for name, executable in SERVICES.items()]


def row(name: str, executable: str, options) -> Row:
    say(f"consumer of {executable}, {options.orders:,} events")
    with processes.folder() as data:
        begun, fill = prepare(name, data, options.orders)
        values = medians(options.rounds, lambda: ours(executable, begun, fill), lambda: limit(name, options.orders))
    return Row(f"consumer of {executable}", "events/s", values[0], None, values[1], "0.5 of the limit")


def prepare(name: str, data: Path, events: int) -> tuple[Path, list]:
    """The store as it is before the first event, and how to fill the topic."""
    store = data / "begun.sqlite"
    with processes.service(SERVICES[name], store, NOBODY) as (url, _):
        if name == "inventory":
            processes.Stack("", url, "", {}, {}).put_stock()
        if name == "order":
            wrk.post_orders(url, 64, 300, requests=events)
    if name != "order":
        return store, ["--orders", events]
    # Orders that wait for their answer, and were published long ago: the relay has nothing to do with them.
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("DELETE FROM outbox_pending")
        connection.execute("DELETE FROM outbox_messages")
    ids = data / "orders.txt"
    ids.write_text("\n".join(row[0] for row in stores.rows_of(store, "SELECT order_id FROM orders")))
    return store, ["--answer-orders-in", ids]


def ours(executable: str, begun: Path, fill: list) -> float:
    """From the first handled event to the last, by the rows' own times."""
    with processes.folder() as data, processes.embedded_broker() as (servers, _):
        store = data / "store.sqlite"
        shutil.copy(begun, store)
        events = processes.limits("fill", "--bootstrap-servers", servers, *fill)["events"]
        count = "SELECT COUNT(*) FROM processed_events"
        with processes.service(executable, store, servers):
            processes.wait_until("the topic's end", 60, lambda: stores.value(store, count) >= events, pause=0.25)
        if stores.value(store, f"{count} WHERE outcome = 'processed'") != events:
            raise Failed(f"{executable} has not handled every event")
        return stores.rate_by(store, "processed_events", "processed_at")


def limit(name: str, events: int) -> float:
    with processes.folder() as data:
        arguments = ("--service", name, "--events", events, "--path", data / "limit.sqlite")
        return processes.limits("statements", *arguments)["events_per_second"]
