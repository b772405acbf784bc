"""d. From the first order to the last final mail: all processes, the broker and the load generator on this machine.

Ours and the peer in turns, held to the same checks: every accepted order is settled, and has its two mails.
"""

from statistics import median

from .. import openloop, processes, stores, wrk
from ..processes import Failed, say
from ..table import Row

SYSTEMS = {"ours": processes.orderflow, "peer": processes.peer}
CONNECTIONS = (64, 256, 512)
LATENCY_TARGETS = {1000: "under 60 ms", 200: "under 25 ms"}


def measure(options) -> list[Row]:
    """The first round finds the number of connections at which each is best; the others are measured there."""
    runs = {name: [] for name in SYSTEMS}
    best = dict.fromkeys(SYSTEMS, CONNECTIONS)
    for number in range(options.rounds):
        for connections in CONNECTIONS:
            for name in SYSTEMS:
                if connections in best[name]:
                    runs[name].append(run(name, options.orders, connections))
        if number == 0:
            best = {name: [max(runs[name], key=lambda run: run["orders_per_second"])["connections"]] for name in runs}
    counted = {name: [run for run in runs[name] if run["connections"] in best[name]] for name in runs}
    ours, peer = (median(run["orders_per_second"] for run in counted[name]) for name in SYSTEMS)
    at = {name: f"-c{best[name][0]}" for name in SYSTEMS}
    return [
        Row(
            f"end to end (ours at {at['ours']}, peer at {at['peer']})", "orders/s", ours, peer, None,
            "8,000/s and 2.5 times the peer", runs,
        ),
        *cpu_rows(counted),
    ]


def cpu_rows(runs: dict[str, list[dict]]) -> list[Row]:
    """What an order costs, by process; the peer's services are eight processes, and have one line."""
    costs = {
        name: {
            part: median(run["cpu_us_per_order"][part] for run in runs[name])
            for part in runs[name][0]["cpu_us_per_order"]
        }
        for name in SYSTEMS
    }
    return [
        Row(
            f"CPU an order, {part}", "µs", cost, costs["peer"].get(part),
            target="250" if part == "everything" else "215" if part == "services" else "",
        )
        for part, cost in costs["ours"].items()
    ]


def run(name: str, orders: int, connections: int) -> dict:
    say(f"end to end, {name}, {orders:,} orders over {connections} connections")
    with processes.folder() as data, SYSTEMS[name](data) as stack:
        warm_up(stack)
        before = stack.cpu_seconds()
        load = wrk.post_orders(stack.orders, connections, 300, requests=orders)
        count, rate = settled_rate(stack)
        spent = {part: value - before[part] for part, value in stack.cpu_seconds().items()}
        services = sum(value for part, value in spent.items() if part != "broker")
        everything = services + spent["broker"] + load.cpu_seconds
        spent |= {"wrk": load.cpu_seconds, "services": services, "everything": everything}
        return {
            "connections": connections, "orders": count, "orders_per_second": rate,
            "accepted_per_second": load.requests_per_second,
            "cpu_us_per_order": {part: value / count * 1e6 for part, value in spent.items()},
            "peak_megabytes": stack.peak_megabytes(),
        }


def warm_up(stack: processes.Stack) -> None:
    """The first order waits until clients have met their broker; it is not what this row is about."""
    stack.put_stock()
    item = {"product_id": "p-1", "quantity": 1, "unit_price": 1}
    order = processes.request("POST", f"{stack.orders}/orders", {"customer_id": "warm-up", "items": [item]})

    def has_mails() -> bool:
        mails = processes.request("GET", f"{stack.notifications}/emails?limit=2")["emails"]
        return [mail["order_id"] for mail in mails] == 2 * [order["order_id"]]

    processes.wait_until("the end of the first order", 60, has_mails)


def settled_rate(stack: processes.Stack, seconds: int = 300) -> tuple[int, float]:
    """Waits for the end of all orders; how many there were after the warm-up's, and how many a second."""
    orders, mails = stack.databases["order-service"], stack.databases["notification-service"]
    new = "FROM {} WHERE customer_id <> 'warm-up'"
    wait_for_mails(orders, mails, seconds)
    check(orders, mails)
    count, first = stores.record(orders, f"SELECT COUNT(*), MIN(created_at) {new.format('orders')}")
    last = stores.value(mails, "SELECT MAX(created_at) FROM emails")
    return count, count / (last - first) * 1000


def wait_for_mails(orders, mails, seconds: int) -> None:
    """Asks for the newest rows only: it shares the machine with what is measured. The load ends in the middle of some
    requests, whose orders may still come."""
    count, newest = stores.record(orders, "SELECT COUNT(*), MAX(sequence) FROM orders")

    def are_there() -> bool:
        later = stores.value(orders, "SELECT MAX(sequence) FROM orders") - newest
        return (stores.value(mails, "SELECT MAX(sequence) FROM emails") or 0) >= 2 * (count + later)

    processes.wait_until("the end of all orders", seconds, are_there, pause=0.1)


def check(orders, mails) -> None:
    """Every order is settled and has two mails: that it was created, and what became of it."""
    settled = dict(stores.rows_of(orders, "SELECT order_id, status FROM orders"))
    told = {}
    for order, kind in stores.rows_of(mails, "SELECT order_id, kind FROM emails"):
        told.setdefault(order, set()).add(kind)
    for order, status in settled.items():
        if told.get(order) != {"ORDER_CREATED", f"ORDER_{status}"} or status == "PENDING":
            raise Failed(f"order {order} is {status} and has the mails {told.get(order)}")


def measure_latency(options) -> list[Row]:
    """From the moment an order is due to the moment its final mail is written, open loop."""
    rows = []
    for rate in LATENCY_TARGETS:
        measured = {name: latency(name, rate, options.latency_seconds) for name in SYSTEMS}
        for quantile in ("p50", "p95", "p99", "max"):
            rows.append(
                Row(
                    f"POST to final mail at {rate:,}/s, {quantile}", "ms", measured["ours"]["mail_ms"][quantile],
                    measured["peer"]["mail_ms"][quantile], None,
                    LATENCY_TARGETS[rate] if quantile == "p99" else "", measured if quantile == "p99" else {},
                )
            )
    return rows


def latency(name: str, rate: int, seconds: int) -> dict:
    say(f"latency, {name} at {rate:,} orders/s")
    with processes.folder() as data, SYSTEMS[name](data) as stack:
        warm_up(stack)
        openloop.post_orders(stack.orders, rate, 2)
        sent = openloop.post_orders(stack.orders, rate, seconds)
        settled_rate(stack)
        mailed = dict(
            stores.rows_of(
                stack.databases["notification-service"],
                "SELECT order_id, created_at FROM emails WHERE kind <> 'ORDER_CREATED'",
            )
        )
    latencies = openloop.Latencies()
    for order, due in sent.due_milliseconds.items():
        latencies.record(mailed[order] - due)
    return {
        "orders": len(sent.due_milliseconds), "mail_ms": latencies.summary(), "answer_ms": sent.answers.summary(),
        "generator_late_ms": sent.lateness.summary(), "generator_us_per_order": round(sent.cpu_us_per_order, 1),
    }
