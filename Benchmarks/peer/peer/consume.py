"""A consumer: what is there is one batch, one synced transaction; offsets are stored after it."""

import signal
import sqlite3
from pathlib import Path

import orjson
from confluent_kafka import Consumer, Message

from . import store, wake

BATCH = 1000


def run(
    database: Path, bell: Path | None, schema: str, group: str, topic: str, bootstrap_servers: str, handle
) -> None:
    """`handle(connection, batch, now)` writes the effects of new events, and returns outbox rows."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    connection = store.connect(database, schema)
    relay = wake.Bell(bell) if bell else None
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers, "group.id": group, "auto.offset.reset": "earliest",
            "enable.auto.offset.store": False, "session.timeout.ms": 6000, "fetch.wait.max.ms": 10,
        }
    )
    consumer.subscribe([topic])
    while not stopped:
        # Waits for the first record and then takes what is there: `consume` alone waits until the batch is full.
        messages = consumer.consume(1, timeout=1.0)
        if not messages:
            continue
        messages += consumer.consume(BATCH, timeout=0)
        messages = [message for message in messages if message.error() is None]
        if not messages:
            continue
        if handle_together(connection, group, messages, handle) and relay:
            relay.ring()
        highest = {message.partition(): message for message in messages}
        for message in highest.values():
            consumer.store_offsets(message)
    consumer.close()


def handle_together(connection: sqlite3.Connection, group: str, messages: list[Message], handle) -> bool:
    """All in one transaction; if that fails, each in a savepoint, and what fails alone becomes a dead letter.

    Whether there is something to publish.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("SAVEPOINT batch")
        published = write(connection, group, messages, handle)
    except Exception:
        connection.execute("ROLLBACK TO batch")
        published = handle_singly(connection, group, messages, handle)
    connection.executemany(
        "INSERT INTO next_offsets VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
        {m.partition(): (group, m.topic(), m.partition(), m.offset() + 1) for m in messages}.values(),
    )
    connection.execute("COMMIT")
    return published


def handle_singly(connection: sqlite3.Connection, group: str, messages: list[Message], handle) -> bool:
    published = False
    for message in messages:
        connection.execute("SAVEPOINT event")
        try:
            published |= write(connection, group, [message], handle)
        except Exception as problem:
            connection.execute("ROLLBACK TO event")
            connection.execute(
                "INSERT INTO dead_letters (consumer_group, failed_at, error, topic, partition, record_offset,"
                " message_key, message_value) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    group, store.now_ms(), repr(problem), message.topic(), message.partition(), message.offset(),
                    message.key(), message.value(),
                ),
            )
        connection.execute("RELEASE event")
    return published


def write(connection: sqlite3.Connection, group: str, messages: list[Message], handle) -> bool:
    """Dedup rows, cursors, effects and outbox rows of what is new."""
    now = store.now_ms()
    events = [orjson.loads(message.value()) for message in messages]
    known = present(connection, "processed_events", "event_id", group, [event["event_id"] for event in events])
    ordered = messages[0].topic() == "orders"
    keys = [event["order_id"] for event in events]
    versions = present(connection, "key_cursors", "event_key", group, keys, "version") if ordered else {}
    batch, rows, moved = [], [], {}
    for event, message in zip(events, messages, strict=True):
        event_id, key, version = event["event_id"], event["order_id"], event["order_version"]
        if event_id in known or (ordered and version <= versions.get(key, 0)):
            continue
        known[event_id] = True
        versions[key] = moved[key] = version
        batch.append((event, dict(message.headers() or ()).get("traceparent", b"").decode()))
        rows.append(
            (
                group, event_id, "processed", event["event_type"], key, version, message.topic(), message.partition(),
                message.offset(), now,
            )
        )
    connection.executemany("INSERT INTO processed_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    if ordered:
        connection.executemany(
            "INSERT INTO key_cursors VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version",
            [(group, key, version) for key, version in moved.items()],
        )
    outbox = handle(connection, batch, now)
    connection.executemany(store.INSERT_OUTBOX, outbox)
    return bool(outbox)


def present(connection, table: str, column: str, group: str, values: list[str], result: str = "1") -> dict:
    """Those of `values` that have a row, each with its `result`."""
    return dict(
        connection.execute(
            f"SELECT {column}, {result} FROM {table}"
            f" WHERE consumer_group = ? AND {column} IN (SELECT value FROM json_each(?))",
            (group, orjson.dumps(values).decode()),
        )
    )
