"""A consumer: what is there is one batch, one synced transaction; offsets are stored after it."""

import signal
from pathlib import Path

import orjson
from confluent_kafka import Consumer

from . import store, wake

BATCH = 1000


def run(
    database: Path, bell: Path | None, schema: str, group: str, topic: str, bootstrap_servers: str, handle
) -> None:
    """`handle(connection, events)` writes the effects of the events that are new, and returns outbox rows."""
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
        now = store.now_ms()
        connection.execute("BEGIN IMMEDIATE")
        new = []
        for message in messages:
            event = orjson.loads(message.value())
            marked = connection.execute(
                "INSERT INTO processed_events VALUES (?, ?) ON CONFLICT DO NOTHING", (event["event_id"], now)
            )
            if marked.rowcount == 1:
                new.append(event)
        rows = handle(connection, new, now)
        if rows:
            connection.executemany(
                "INSERT INTO outbox (created_at, event_id, event_type, topic, message_key, message_value)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
        connection.execute("COMMIT")
        if rows and relay:
            relay.ring()
        highest = {}
        for message in messages:
            highest[message.partition()] = message
        for message in highest.values():
            consumer.store_offsets(message)
    consumer.close()
