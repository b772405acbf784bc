"""Writes one record to a topic with confluent-kafka. usage: producer.py BOOTSTRAP TOPIC KEY < value"""
import sys

from confluent_kafka import Producer

bootstrap, topic, key = sys.argv[1:]
failures = []
producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 1})
producer.produce(
    topic, key=key.encode(), value=sys.stdin.buffer.read(),
    on_delivery=lambda error, message: failures.append(error) if error else None)
left = producer.flush(30)
sys.exit(1 if failures or left else 0)
