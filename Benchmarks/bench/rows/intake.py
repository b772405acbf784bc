"""a. `POST /orders` to a durable answer; beside the same server without a store, and the peer's intake."""

from .. import openloop, processes, wrk
from ..processes import NOBODY, say
from ..table import Row, medians


def measure(options) -> list[Row]:
    rows = [row(connections, options) for connections in (64, 256)]
    highest = max(row.ours for row in rows)
    return rows + [p99_at(int(highest / 2), options)]


def row(connections: int, options) -> Row:
    say(f"intake, {connections} connections")
    values = medians(
        options.rounds, lambda: ours(connections, options.seconds), lambda: peer(connections, options.seconds),
        lambda: limit(connections, options.seconds),
    )
    target = "0.70 of the limit" if connections == 64 else ""
    return Row(f"intake, {connections} connections", "orders/s", *values, target)


def ours(connections: int, seconds: int) -> float:
    """OrderService alone: its events wait for a broker that is not there."""
    with processes.folder() as data, processes.service("OrderService", data / "orders.sqlite", NOBODY) as (url, _):
        return wrk.post_orders(url, connections, seconds).requests_per_second


def limit(connections: int, seconds: int) -> float:
    """The same server decodes, checks and answers."""
    port = processes.free_port_base()
    with processes.process([processes.BINARIES / "orderflow-limits", "server", "--port", port]):
        url = f"http://127.0.0.1:{port}"
        processes.wait_until("the bare server", 20, lambda: processes.answers(url))
        return wrk.post_orders(url, connections, seconds).requests_per_second


def peer(connections: int, seconds: int) -> float:
    """The peer's intake alone."""
    port = processes.free_port_base()
    with processes.folder() as data:
        arguments = [processes.PEER_PYTHON, "-m", "peer.intake", "--data-dir", data, "--port", port]
        with processes.process(arguments, cwd=processes.BENCHMARKS / "peer", log=data / "peer.log"):
            url = f"http://127.0.0.1:{port}"
            processes.wait_until("the peer's intake", 20, lambda: processes.answers(f"{url}/orders"))
            return wrk.post_orders(url, connections, seconds).requests_per_second


def p99_at(rate: int, options) -> Row:
    """The durable answer at half of the highest rate, open loop: the median of the rounds."""
    say(f"intake at {rate:,} orders/s")
    runs = sorted(
        (open_loop(rate, options.seconds) for _ in range(options.rounds)), key=lambda sent: sent.answers.percentile(0.99)
    )
    details = [{"answers_ms": run.answers.summary(), "generator_late_ms": run.lateness.summary()} for run in runs]
    return Row(
        "intake, p99 at half of its rate", "ms", runs[len(runs) // 2].answers.percentile(0.99), target="under 20 ms",
        details={"rate": rate, "runs": details},
    )


def open_loop(rate: int, seconds: int) -> openloop.Sent:
    with processes.folder() as data, processes.service("OrderService", data / "orders.sqlite", NOBODY) as (url, _):
        return openloop.post_orders(url, rate, seconds)
