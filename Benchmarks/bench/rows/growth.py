"""e. The same with millions of orders in the stores: intake, end to end, lists; and intake while retention cleans.

The broker outlives the services here: on a new one they would publish again all that is in their retention.
"""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .. import fill, openloop, processes, stores, wrk
from ..processes import NOBODY, Failed, say
from ..table import Row
from . import end_to_end

ORIGINALS = 2_000
BYTES_PER_ORDER = 7_000
LIST_SECONDS = 2
# What outlives an hour goes. The copies are older than that, but for the last few.
CLEANING = dict.fromkeys(("KAFKA_TOPIC_RETENTION_HOURS", "OUTBOX_RETENTION_HOURS", "INBOX_RETENTION_HOURS"), "1")
CLEANING_RATE = 2_000
# So many that most of them are older than that hour.
LEAST_TO_CLEAN = 200_000


@dataclass
class Grown:
    """Stores with so many orders, and the broker that their services know."""

    orders: int
    data: Path
    servers: str

    @property
    def store(self) -> Path:
        return self.data / "order-service.sqlite"


def measure(options) -> list[Row]:
    with contextlib.ExitStack() as stack:
        systems = [stack.enter_context(grown(orders)) for orders in options.growth]
        figures = [{} for _ in systems]
        for _ in range(options.rounds):
            for system, figure in zip(systems, figures, strict=True):
                for name, value in measured(system, options).items():
                    figure.setdefault(name, []).append(value)
        rows = [row for index in range(1, len(systems)) for row in compared(systems, figures, index)]
        large = [system for system in systems if system.orders >= LEAST_TO_CLEAN]
        return rows + [row for system in large for row in cleaned(system, options.seconds)]


def compared(systems: list[Grown], figures: list[dict], index: int) -> list[Row]:
    """The first of the sizes is what the others are held against."""
    return [
        Row(
            f"{name}, {systems[index].orders:,} orders in the stores (limit: {systems[0].orders:,})", unit,
            median(values), None, median(figures[0][name, unit]), "0.9 of the limit",
            {"runs": values, "runs_of_the_limit": figures[0][name, unit]},
        )
        for (name, unit), values in figures[index].items()
    ]


@contextlib.contextmanager
def grown(orders: int):
    """Some thousand real orders, copied until there are as many."""
    say(f"stores with {orders:,} orders")
    if shutil.disk_usage(tempfile.gettempdir()).free < orders * BYTES_PER_ORDER:
        raise Failed(f"{orders:,} orders do not fit onto the disk")
    with processes.folder() as data, processes.embedded_broker() as (servers, _):
        with processes.services(data, servers) as stack:
            stack.put_stock()
            if orders:
                within_one_unit(15)
                wrk.post_orders(stack.orders, 64, 60, requests=ORIGINALS)
                end_to_end.settled_rate(stack, 30)
        if orders:
            begun = time.monotonic()
            copies = round(orders / stores.value(data / "order-service.sqlite", "SELECT COUNT(*) FROM orders"))
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda store: fill.multiply(store, copies), stack.databases.values()))
            size = sum(file.stat().st_size for file in data.glob("*.sqlite")) / 1e9
            # What is still on its way to the disk would hold up the syncs that are measured.
            os.sync()
            say(f"filled in {time.monotonic() - begun:.0f} s, {size:.1f} GB")
        yield Grown(orders, data, servers)


def within_one_unit(seconds: int) -> None:
    """Waits until ids of the next so many seconds begin alike: see `fill`."""
    rest = fill.UNIT / 1000 - time.time() % (fill.UNIT / 1000)
    if rest < seconds:
        time.sleep(rest + 0.1)


def measured(system: Grown, options) -> dict[tuple[str, str], float]:
    say(f"end to end, lists and intake at {system.orders:,} orders")
    with processes.services(system.data, system.servers) as stack:
        end_to_end.warm_up(stack)
        stack.wait_until_quiet()
        before = stores.value(system.store, "SELECT MAX(sequence) FROM orders")
        wrk.post_orders(stack.orders, 64, 300, requests=options.orders // 2)
        figures = {("end to end", "orders/s"): rate_after(stack, before)}
        for name, query in lists(stack.orders).items():
            report = wrk.get(f"{stack.orders}/orders?{query}", 16, LIST_SECONDS)
            figures[name, "requests/s"] = report.requests_per_second
    with left_as_it_was(system.store), processes.service("OrderService", system.store, NOBODY) as (url, _):
        figures["intake", "orders/s"] = wrk.post_orders(url, 64, options.seconds).requests_per_second
    return figures


@contextlib.contextmanager
def left_as_it_was(store: Path):
    """Orders that were placed without a broker would be a backlog for whatever is measured next."""
    tables = ("orders", "outbox_messages", "outbox_pending")
    last = {table: stores.value(store, f"SELECT COALESCE(MAX(sequence), 0) FROM {table}") for table in tables}
    yield
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        for table, sequence in last.items():
            connection.execute(f"DELETE FROM {table} WHERE sequence > ?", (sequence,))


def rate_after(stack: processes.Stack, sequence: int) -> float:
    """Orders a second until the last final mail, of those placed after `sequence`."""
    orders, mails = stack.databases["order-service"], stack.databases["notification-service"]
    end_to_end.wait_for_mails(orders, mails, 120)
    count, first = stores.record(orders, "SELECT COUNT(*), MIN(created_at) FROM orders WHERE sequence > ?", sequence)
    newest = "SELECT MAX(created_at) FROM (SELECT created_at FROM emails ORDER BY sequence DESC LIMIT 10000)"
    return count / (stores.value(mails, newest) - first) * 1000


def lists(url: str) -> dict[str, str]:
    """The queries, the last of them a page far behind the newest order."""
    cursor = following = ""
    for _ in range(100):
        page = processes.request("GET", f"{url}/orders?limit=1000{following}")
        if page["next_cursor"] is None:
            break
        cursor, following = following, f"&cursor={page['next_cursor']}"
    return {
        "list, newest 50": "limit=50",
        "list, 50 of a customer": "limit=50&customer_id=customer-7",
        "list, 50 of a status": "limit=50&status=CONFIRMED",
        "list, 50 from a deep cursor": f"limit=50{cursor}",
    }


def cleaned(system: Grown, seconds: int) -> list[Row]:
    """The answer's p99 while old rows are deleted, and while none are."""
    say(f"intake at {CLEANING_RATE:,}/s while retention cleans {system.orders:,} orders")
    figures = {}
    for name, environment in (("idle", {}), ("at work", CLEANING)):
        with processes.service("OrderService", system.store, NOBODY, environment) as (url, process_id):
            if not environment:
                processes.Stack(url, "", "", {"OrderService": [process_id]}, {}).wait_until_quiet()
            before = oldest(system.store)
            sent = openloop.post_orders(url, CLEANING_RATE, 2 * seconds)
            deleted = oldest(system.store) - before
        if (deleted > 0) != (name == "at work"):
            raise Failed(f"{deleted} outbox rows were deleted while the cleaner was to be {name}")
        figures[name] = {"deleted": deleted, **sent.answers.summary(), "generator_late": sent.lateness.summary()}
    return [
        Row(
            f"intake, p99 at {CLEANING_RATE:,}/s, cleaning {system.orders:,} orders (limit: no cleaning)", "ms",
            figures["at work"]["p99"], None, figures["idle"]["p99"], "no dip", figures,
        )
    ]


def oldest(store: Path) -> int:
    return stores.value(store, "SELECT MIN(sequence) FROM outbox_messages")
