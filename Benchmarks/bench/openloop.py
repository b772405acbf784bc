"""Orders at fixed moments, whether or not earlier ones have been answered: latencies count from the moment an order is
due, so that a service that stalls is not flattered by orders that could not be sent meanwhile.

One thread over sockets that stay open: some 40 microseconds of CPU an order, a tenth of what asyncio takes, so that on
two cores the generator is not what is measured. How late it was itself is part of its report.
"""

import gc
import re
import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field

from hdrh.histogram import HdrHistogram

from .processes import Failed

BODY = (
    b'{"customer_id":"customer-%d","items":[{"product_id":"p-%d","quantity":1,"unit_price":49.90},'
    b'{"product_id":"p-%d","quantity":1,"unit_price":5.00}]}'
)
REQUEST = b"POST /orders HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
ORDER_ID = re.compile(rb'"order_id": ?"([^"]+)"')


class Latencies:
    """Milliseconds, in buckets that are never wider than a thousandth of what they hold."""

    def __init__(self):
        self._histogram = HdrHistogram(1, 3_600_000_000, 3)

    def record(self, milliseconds: float) -> None:
        self._histogram.record_value(max(1, round(milliseconds * 1000)))

    def percentile(self, share: float) -> float:
        return self._histogram.get_value_at_percentile(share * 100) / 1000

    def summary(self) -> dict[str, float]:
        named = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
        return {name: round(self.percentile(share), 2) for name, share in named.items()}


@dataclass
class Sent:
    """What came of the orders."""

    answers: Latencies = field(default_factory=Latencies)
    # How much later than due an order was written to its socket: the generator's own share.
    lateness: Latencies = field(default_factory=Latencies)
    due_milliseconds: dict[str, float] = field(default_factory=dict)
    cpu_us_per_order: float = 0


class Connection:
    """One request at a time."""

    def __init__(self, host: str, port: int):
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.due = 0.0

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, request: bytes, due: float) -> None:
        self.received, self.due = b"", due
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The answer, when it is complete."""
        part = self.socket.recv(65536)
        if not part:
            raise Failed("a connection was closed before its answer")
        self.received += part
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator or len(body) < int(LENGTH.search(head)[1]):
            return None
        return self.received


def post_orders(url: str, rate: int, seconds: float, connections: int = 128) -> Sent:
    host, port = url.removeprefix("http://").split(":")
    idle = deque(Connection(host, int(port)) for _ in range(connections))
    everyone = list(idle)
    gc.disable()
    try:
        return _post_orders(idle, host.encode(), rate, round(rate * seconds))
    finally:
        gc.enable()
        for connection in everyone:
            connection.socket.close()


def _post_orders(idle: deque, host: bytes, rate: int, orders: int) -> Sent:
    sent, busy, placed = Sent(), set(), 0
    spent = time.process_time()
    start = time.monotonic() + 0.1
    wall = time.time() - time.monotonic()
    while placed < orders or busy:
        now = time.monotonic()
        while placed < orders and idle and (due := start + placed / rate) <= now:
            body = BODY % (placed % 200, placed % 20, (placed + 7) % 20)
            connection = idle.popleft()
            connection.send(REQUEST % (host, len(body), body), due)
            busy.add(connection)
            now = time.monotonic()
            sent.lateness.record((now - due) * 1000)
            placed += 1
        pause = max(0.0, start + placed / rate - now) if placed < orders and idle else 10.0
        readable, _, _ = select.select(busy, (), (), pause)
        if not readable and pause == 10.0:
            raise Failed("no answer for ten seconds")
        for connection in readable:
            if (answer := connection.receive()) is None:
                continue
            sent.answers.record((time.monotonic() - connection.due) * 1000)
            if not answer.startswith(b"HTTP/1.1 201"):
                raise Failed(answer.decode(errors="replace"))
            sent.due_milliseconds[ORDER_ID.search(answer)[1].decode()] = (connection.due + wall) * 1000
            busy.remove(connection)
            idle.append(connection)
    sent.cpu_us_per_order = (time.process_time() - spent) / orders * 1e6
    return sent
