"""Publishes a service's outbox: rows in order, marked from their delivery reports, a batch in one transaction."""

import signal
from pathlib import Path

import orjson
from confluent_kafka import Producer

from . import store, wake

BATCH = 2000


def run(database: Path, bell: Path, schema: str, bootstrap_servers: str) -> None:
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
    delivered: list[tuple] = []

    def reported(sequence: int):
        def report(error, message):
            if error is None:
                delivered.append((store.now_ms(), message.partition(), message.offset(), sequence))

        return report

    while not stopped:
        rows = connection.execute(
            "SELECT sequence, topic, message_key, headers, message_value FROM outbox"
            " INDEXED BY outbox_unpublished WHERE published_at IS NULL ORDER BY sequence LIMIT ?",
            (BATCH,),
        ).fetchall()
        if not rows:
            ear.wait(1.0)
            continue
        delivered.clear()
        for sequence, topic, key, headers, value in rows:
            producer.produce(topic, value, key, headers=orjson.loads(headers), on_delivery=reported(sequence))
        producer.flush(30)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "UPDATE outbox SET published_at = ?, published_partition = ?, published_offset = ? WHERE sequence = ?",
            delivered,
        )
        connection.execute("COMMIT")
