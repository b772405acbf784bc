"""Starts every process of the system, says where it listens, and stops it at SIGTERM."""

import argparse
import json
import multiprocessing
import signal
import socket
import time
from pathlib import Path

import uvicorn

from . import consume, inventory, notifications, orders, relay, store


def serve(make, arguments, port: int) -> None:
    uvicorn.run(make(*arguments), host="127.0.0.1", port=port, log_level="warning", access_log=False)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    multiprocessing.set_start_method("spawn")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--data-dir", required=True, type=Path)
    parser.add_argument("--port-base", required=True, type=int)
    options = parser.parse_args()
    folder, brokers, base = options.data_dir, options.bootstrap_servers, options.port_base
    folder.mkdir(parents=True, exist_ok=True)
    schemas = {"orders": store.ORDERS, "inventory": store.INVENTORY, "notifications": store.NOTIFICATIONS}
    databases = {name: folder / f"{name}.sqlite" for name in schemas}
    bells = {name: folder / f"{name}.bell" for name in schemas}
    for name, schema in schemas.items():
        store.connect(databases[name], schema).close()

    def publishing(name: str) -> tuple:
        return relay.run, (databases[name], bells[name], schemas[name], brokers)

    def consuming(name: str, group: str, topic: str, handle) -> tuple:
        bell = bells[name] if name != "notifications" else None
        return consume.run, (databases[name], bell, schemas[name], group, topic, brokers, handle)

    plans = [
        (serve, (orders.application, (databases["orders"], bells["orders"]), base + 1)),
        (serve, (inventory.application, (databases["inventory"],), base + 2)),
        (serve, (notifications.application, (databases["notifications"],), base + 3)),
        publishing("orders"),
        publishing("inventory"),
        consuming("orders", "order-service", "inventory", orders.handle),
        consuming("inventory", "inventory-service", "orders", inventory.handle),
        consuming("notifications", "notification-service", "orders", notifications.handle),
    ]
    processes = [multiprocessing.Process(target=target, args=arguments) for target, arguments in plans]
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    for process in processes:
        process.start()
    while not all(is_open(base + number) for number in (1, 2, 3)):
        time.sleep(0.05)
    print(
        json.dumps(
            {
                "order_service": f"http://127.0.0.1:{base + 1}", "inventory_service": f"http://127.0.0.1:{base + 2}",
                "notification_service": f"http://127.0.0.1:{base + 3}", "pids": [p.pid for p in processes],
            }
        ),
        flush=True,
    )
    while not stopped:
        time.sleep(0.1)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(10)
