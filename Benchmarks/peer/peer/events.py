"""The events of the contract, as bytes."""

import os
import time
from datetime import datetime, timezone

import orjson


def uuid7(ms: int) -> str:
    """RFC 9562, version 7."""
    value = bytearray(ms.to_bytes(6, "big") + os.urandom(10))
    value[6] = (value[6] & 0x0F) | 0x70
    value[8] = (value[8] & 0x3F) | 0x80
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def timestamp(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def encode(event_type: str, order_id: str, version: int, ms: int, **fields) -> tuple[str, bytes]:
    """The event's id and its value."""
    event_id = uuid7(ms)
    value = orjson.dumps(
        {
            "event_id": event_id, "event_type": event_type, "schema_version": 1, "order_id": order_id,
            "order_version": version, **fields, "timestamp": timestamp(ms),
        }
    )
    return event_id, value


def headers(event_id: str, event_type: str, source: str, created_at: int) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"), ("ce_id", event_id.encode()), ("ce_type", event_type.encode()),
        ("ce_source", source.encode()), ("ce_time", timestamp(created_at).encode()),
        ("content-type", b"application/json"),
    ]


def monotonic_ms() -> float:
    return time.monotonic() * 1000
