"""Publishes a service's outbox: rows in order, marked from their delivery reports, a batch in one transaction."""

import signal
from pathlib import Path

from confluent_kafka import Producer

from . import events, store, wake

BATCH = 2000


def run(database: Path, bell: Path, schema: str, source: str, bootstrap_servers: str) -> None:
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    connection = store.connect(database, schema)
    ear = wake.Ear(bell)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers, "enable.idempotence": True, "acks": "all", "linger.ms": 1,
            "compression.type": "lz4", "partitioner": "murmur2_random", "queue.buffering.max.messages": 100_000,
        }
    )
    delivered: list[int] = []

    def reported(sequence: int):
        def report(error, _message):
            if error is None:
                delivered.append(sequence)

        return report

    while not stopped:
        rows = connection.execute(
            "SELECT sequence, created_at, event_id, event_type, topic, message_key, message_value FROM outbox"
            " INDEXED BY outbox_unpublished WHERE published_at IS NULL ORDER BY sequence LIMIT ?",
            (BATCH,),
        ).fetchall()
        if not rows:
            ear.wait(1.0)
            continue
        delivered.clear()
        for sequence, created_at, event_id, event_type, topic, key, value in rows:
            producer.produce(
                topic, value, key, headers=events.headers(event_id, event_type, source, created_at),
                on_delivery=reported(sequence),
            )
        producer.flush(30)
        published_at = store.now_ms()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "UPDATE outbox SET published_at = ? WHERE sequence = ?", [(published_at, s) for s in delivered]
        )
        connection.execute("COMMIT")
