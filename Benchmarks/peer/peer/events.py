"""The events of the contract, as bytes."""

import functools
import os
from datetime import datetime, timezone

import orjson


def uuid7(ms: int) -> str:
    """RFC 9562, version 7."""
    value = bytearray(ms.to_bytes(6, "big") + os.urandom(10))
    value[6] = (value[6] & 0x0F) | 0x70
    value[8] = (value[8] & 0x3F) | 0x80
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@functools.lru_cache(maxsize=1024)
def timestamp(ms: int) -> str:
    """A batch has one moment: it is written once."""
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def trace(parent: str | None = None) -> str:
    """W3C `traceparent`: a step of the trace of `parent`, or the first of a new one."""
    trace_id = parent[3:35] if parent else os.urandom(16).hex()
    return f"00-{trace_id}-{os.urandom(8).hex()}-01"


def outbox_row(
    event_type: str, topic: str, order_id: str, version: int, ms: int, parent: str | None, **fields
) -> tuple:
    """The columns of `store.INSERT_OUTBOX`: the event's value, and its headers as the CloudEvents binding has them."""
    event_id, moment = uuid7(ms), timestamp(ms)
    value = orjson.dumps(
        {
            "event_id": event_id, "event_type": event_type, "schema_version": 1, "order_id": order_id,
            "order_version": version, **fields, "timestamp": moment,
        }
    )
    headers = orjson.dumps(
        {
            "ce_specversion": "1.0", "ce_id": event_id, "ce_type": event_type,
            "ce_source": "/order-service" if topic == "orders" else "/inventory-service", "ce_time": moment,
            "content-type": "application/json", "traceparent": trace(parent),
        }
    )
    return ms, event_id, event_type, topic, order_id.encode(), headers, value
