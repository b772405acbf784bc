"""Orders at fixed moments, whether or not earlier ones have been answered: latencies count from the moment an order is
due, so that a service that stalls is not flattered by orders that could not be sent meanwhile."""

import asyncio
import json
import math
import time
from dataclasses import dataclass, field

BODY = (
    b'{"customer_id":"customer-%d","items":[{"product_id":"p-%d","quantity":1,"unit_price":49.90},'
    b'{"product_id":"p-%d","quantity":1,"unit_price":5.00}]}'
)


@dataclass
class Latencies:
    milliseconds: list[float]
    due_milliseconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        self.milliseconds.sort()

    def percentile(self, share: float) -> float:
        """The smallest value that at least this share of all do not exceed."""
        return self.milliseconds[math.ceil(share * len(self.milliseconds)) - 1]


def post_orders(url: str, rate: int, seconds: int, connections: int = 64) -> Latencies:
    return asyncio.run(_post_orders(url, rate, seconds, connections))


async def _post_orders(url: str, rate: int, seconds: int, connections: int) -> Latencies:
    host, port = url.removeprefix("http://").split(":")
    waiting: asyncio.Queue = asyncio.Queue()
    latencies, due_wall = [], {}

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while (order := await waiting.get()) is not None:
            number, due, wall = order
            body = BODY % (number % 1000, number % 20, (number + 7) % 20)
            head = b"POST /orders HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % (host.encode(), len(body)) + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:")
            )
            content = await reader.readexactly(length)
            latencies.append((time.monotonic() - due) * 1000)
            if not answer.startswith(b"HTTP/1.1 201"):
                raise RuntimeError(answer.decode())
            due_wall[json.loads(content)["order_id"]] = wall * 1000
        writer.close()

    tasks = [asyncio.create_task(connection()) for _ in range(connections)]
    start, wall = time.monotonic() + 0.2, time.time() + 0.2
    for number in range(rate * seconds):
        offset = number / rate
        if (pause := start + offset - time.monotonic()) > 0:
            await asyncio.sleep(pause)
        waiting.put_nowait((number, start + offset, wall + offset))
    for _ in tasks:
        waiting.put_nowait(None)
    await asyncio.gather(*tasks)
    return Latencies(latencies, due_wall)
