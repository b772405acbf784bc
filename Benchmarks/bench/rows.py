"""The rows of the table. Each function measures one of them: ours, the peer's and the limit's, side by side in turns."""

import sqlite3
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import openloop, processes, wrk
from .processes import Failed, say

NOBODY = "127.0.0.1:1"


@dataclass
class Row:
    name: str
    unit: str
    ours: float
    peer: float | None = None
    limit: float | None = None
    target: str = ""
    details: dict = field(default_factory=dict)


def median_of(rounds: int, measure) -> list:
    """Each variant once per round, so that a slow moment of the machine meets all of them."""
    results = [measure() for _ in range(rounds)]
    return [statistics.median(values) for values in zip(*results)]


# a. Intake


def intake(connections: int, seconds: int, rounds: int) -> Row:
    say(f"intake, {connections} connections")

    def ours() -> float:
        with processes.folder() as data:
            port = processes.free_port_base()
            with processes.service("OrderService", data, NOBODY, port):
                return accepted(wrk.post_orders(f"http://127.0.0.1:{port}", connections, seconds))

    def limit() -> float:
        port = processes.free_port_base()
        with processes.process([processes.BINARIES / "orderflow-limits", "server", "--port", port]):
            time.sleep(0.5)
            return accepted(wrk.post_orders(f"http://127.0.0.1:{port}", connections, seconds))

    def peer() -> float:
        with processes.folder() as data:
            port = processes.free_port_base()
            code = (
                "import uvicorn, pathlib; from peer import orders; "
                f"d = pathlib.Path('{data}'); uvicorn.run(orders.application(d / 'o.sqlite', d / 'bell'), "
                f"host='127.0.0.1', port={port}, log_level='warning', access_log=False)"
            )
            with processes.process([processes.PEER_PYTHON, "-c", code], cwd=processes.BENCHMARKS / "peer"):
                url = f"http://127.0.0.1:{port}"
                processes.wait_until("the peer's intake", 20, lambda: processes.request("GET", f"{url}/orders"))
                return accepted(wrk.post_orders(url, connections, seconds))

    values = median_of(rounds, lambda: (ours(), peer(), limit()))
    return Row(
        f"intake, {connections} connections", "orders/s", *values,
        target="0.70 of the limit" if connections == 64 else "",
    )


def accepted(result: dict) -> float:
    if result["refused"]:
        raise Failed(f"{result['refused']} orders were refused")
    return result["requests_per_second"]


def intake_latency(rate: float, seconds: int) -> Row:
    """p99 of the durable answer at half of the highest rate, open loop."""
    say("intake at half of its rate")
    rate = int(rate / 2)
    with processes.folder() as data:
        port = processes.free_port_base()
        with processes.service("OrderService", data, NOBODY, port):
            report = openloop.post_orders(f"http://127.0.0.1:{port}", rate, seconds)
    return Row(f"intake, p99 at {rate:,}/s", "ms", report.percentile(0.99), target="under 20 ms")


# b. Relay


def relay(orders: int) -> Row:
    """From a full outbox to the last mark, by the marks' own times; beside the producer alone."""
    say("relay")
    with processes.folder() as data, processes.embedded_broker() as (servers, _):
        port = processes.free_port_base()
        with processes.service("OrderService", data, NOBODY, port):
            wrk.post_orders(f"http://127.0.0.1:{port}", 64, 120, requests=orders)
        store = data / "OrderService.sqlite"
        with processes.service("OrderService", data, servers, port):
            processes.wait_until(
                "the outbox's end", 120,
                lambda: value(store, "SELECT NOT EXISTS (SELECT 1 FROM outbox WHERE published_at IS NULL)") == 1,
            )
        rows, milliseconds = record(store, "SELECT COUNT(*), MAX(published_at) - MIN(published_at) FROM outbox")
    with processes.embedded_broker() as (servers, _):
        limit = processes.limits("producer", "--bootstrap-servers", servers, "--records", rows)
    return Row(
        "relay", "rows/s", rows / max(milliseconds, 1) * 1000, None, limit["records_per_second"],
        target="0.5 of the limit", details={"rows": rows},
    )


# c. Consumers


def consumer(name: str, events: int) -> Row:
    """From the first handled event of a full topic to the last, by the rows' own times; beside the statements alone."""
    say(f"{name}'s consumer")
    executable, group = f"{name.capitalize()}Service", f"{name}-service"
    with processes.folder() as data, processes.embedded_broker() as (servers, _):
        processes.limits("fill", "--bootstrap-servers", servers, "--orders", events)
        port = processes.free_port_base()
        store = data / f"{executable}.sqlite"
        if name == "inventory":
            # Stock first, while there is no broker to read from.
            with processes.service(executable, data, NOBODY, port):
                stack = processes.Stack("", f"http://127.0.0.1:{port}", "", {}, data, {})
                stack.put_stock()
        with processes.service(executable, data, servers, port):
            count = "SELECT COUNT(*) FROM processed_events"
            processes.wait_until("the topic's end", 180, lambda: value(store, count) == events)
        milliseconds = value(store, "SELECT MAX(processed_at) - MIN(processed_at) FROM processed_events")
    with processes.folder() as data:
        limit = processes.limits(
            "statements", "--service", name, "--events", events, "--path", data / "limit.sqlite"
        )
    return Row(
        f"consumer of {group}", "events/s", events / max(milliseconds, 1) * 1000, None, limit["events_per_second"],
        target="0.5 of the limit", details={"events": events},
    )


# d. End to end


def end_to_end(orders: int, rounds: int) -> Row:
    """From the first order to the last final mail, all processes and the load generator on this machine."""
    say(f"end to end, {orders:,} orders")
    details: dict = {}

    def measure():
        result = []
        for name, system in (("ours", processes.orderflow), ("peer", processes.peer)):
            with processes.folder() as data, system(data) as stack:
                warm_up(stack)
                before = stack.cpu_seconds()
                wrk.post_orders(stack.orders, 64, 300, requests=orders)
                count, rate = settled_rate(stack)
                spent = {part: stack.cpu_seconds()[part] - before[part] for part in before}
                details[name] = {
                    "orders": count, "cpu_us_per_order": {k: v / count * 1e6 for k, v in spent.items()},
                    "peak_megabytes": stack.peak_megabytes(),
                }
                result.append(rate)
        return result

    ours, peer = median_of(rounds, measure)
    return Row("end to end", "orders/s", ours, peer, None, "8,000/s and 2.5 times the peer", details)


def warm_up(stack: processes.Stack) -> None:
    """The first order waits for clients to meet their broker; it is not what this row is about."""
    stack.put_stock()
    item = {"product_id": "p-1", "quantity": 1, "unit_price": 1}
    processes.request("POST", f"{stack.orders}/orders", {"customer_id": "warm-up", "items": [item]})
    mails = f"{stack.notifications}/emails?limit=2"
    processes.wait_until("the first order's mails", 60, lambda: len(processes.request("GET", mails)["emails"]) == 2)


def settled_rate(stack: processes.Stack) -> tuple[int, float]:
    """Waits until every order has both of its mails; the warm-up's is not counted."""
    orders, mails = stack.databases["order-service"], stack.databases["notification-service"]
    count, first = record(orders, "SELECT COUNT(*), MIN(created_at) FROM orders WHERE customer_id <> 'warm-up'")
    processes.wait_until(
        "the end of all orders", 300,
        lambda: value(mails, "SELECT COUNT(*) FROM emails WHERE customer_id <> 'warm-up'") == 2 * count,
    )
    if value(orders, "SELECT COUNT(*) FROM orders WHERE status = 'PENDING'"):
        raise Failed("an order is pending though it has its mails")
    last = value(mails, "SELECT MAX(created_at) FROM emails")
    return count, count / (last - first) * 1000


def latency(rate: int, seconds: int) -> list[Row]:
    """From the moment an order is due to its final mail, open loop."""
    rows = []
    measured = {}
    for name, system in (("ours", processes.orderflow), ("peer", processes.peer)):
        say(f"latency at {rate}/s, {name}")
        with processes.folder() as data, system(data) as stack:
            warm_up(stack)
            sent = openloop.post_orders(stack.orders, rate, seconds)
            settled_rate(stack)
            mailed = dict(
                rows_of(
                    stack.databases["notification-service"],
                    "SELECT order_id, MAX(created_at) FROM emails WHERE kind <> 'ORDER_CREATED' GROUP BY order_id",
                )
            )
            measured[name] = openloop.Latencies(
                [mailed[order] - due for order, due in sent.due_milliseconds.items() if order in mailed]
            )
    target = {1000: "under 60 ms", 200: "under 25 ms"}.get(rate, "")
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)):
        rows.append(
            Row(
                f"POST to final mail at {rate:,}/s, {name}", "ms", measured["ours"].percentile(share),
                measured["peer"].percentile(share), None, target if name == "p99" else "",
            )
        )
    return rows


# f. Start


def start() -> list[Row]:
    say("start and idle")
    with processes.folder() as data:
        begun = time.monotonic()
        with processes.orderflow(data) as stack:
            ready = time.monotonic() - begun
            stack.put_stock()
            before, seconds = stack.cpu_seconds(), 10
            time.sleep(seconds)
            spent = {name: (stack.cpu_seconds()[name] - before[name]) / seconds * 100 for name in before}
            resident = {
                name: sum(processes.megabytes(i, "VmRSS") for i in ids) for name, ids in stack.process_ids.items()
            }
    services = [name for name in spent if name != "broker"]
    return [
        Row("`orderflow up` to ready", "s", ready),
        Row("idle, the busiest service", "% of a core", max(spent[s] for s in services), target="under 1 %", details=spent),
        Row("idle, the largest service", "MB", max(resident[s] for s in services), target="under 40 MB", details=resident),
    ]


# The stores, read from outside


def rows_of(path: Path, sql: str) -> list:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError as problem:
        raise OSError(str(problem)) from problem
    finally:
        connection.close()


def record(path: Path, sql: str):
    return rows_of(path, sql)[0]


def value(path: Path, sql: str):
    return record(path, sql)[0]
