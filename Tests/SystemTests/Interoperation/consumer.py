"""Reads `orders` as a Kafka tutorial would, without any library of ours.

usage: consumer.py BOOTSTRAP GROUP ORDER_ID [EVENT_TYPE ...]   ends when every named event of the order was seen
"""
import json
import sys
import time

from confluent_kafka import Consumer

bootstrap, group, order_id, *wanted = sys.argv[1:]
consumer = Consumer({
    "bootstrap.servers": bootstrap,
    "group.id": group,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
})
consumer.subscribe(["orders"])
missing = set(wanted)
give_up = time.monotonic() + 60
while missing and time.monotonic() < give_up:
    message = consumer.poll(1.0)
    if message is None:
        continue
    if message.error():
        print("waiting:", message.error(), file=sys.stderr)
        continue
    event = json.loads(message.value().decode("utf-8"))
    if event["order_id"] != order_id:
        continue
    assert message.key().decode("utf-8") == order_id
    headers = dict(message.headers())
    assert headers["ce_id"].decode() == event["event_id"], headers
    assert headers["content-type"] == b"application/json", headers
    print(event["event_type"], event["total"], [item["product_id"] for item in event["items"]])
    missing.discard(event["event_type"])
    consumer.commit(message)
consumer.close()
sys.exit(1 if missing else 0)
