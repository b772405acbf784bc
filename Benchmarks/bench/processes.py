"""Starts what is measured, in a folder of its own, and stops it again. Everything listens on 127.0.0.1."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent
BINARIES = ROOT / ".build-release" / "release"
PEER_PYTHON = BENCHMARKS / ".venv" / "bin" / "python"
PRODUCTS = 20


class Failed(Exception):
    pass


def free_port_base() -> int:
    """Four free ports in a row."""
    for base in range(21_000, 60_000, 10):
        with contextlib.ExitStack() as stack:
            try:
                for offset in range(4):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", base + offset))
                return base
            except OSError:
                continue
    raise Failed("no four free ports in a row")


def request(method: str, url: str, body: dict | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(call, timeout=30) as answer:
        return json.loads(answer.read())


def wait_until(what: str, seconds: float, condition):
    """What `condition` returns once it is true; an answer that cannot be had counts as not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if (value := condition()) not in (None, False):
                return value
        except OSError:
            pass
        time.sleep(0.02)
    raise Failed(f"{what} did not happen within {seconds:.0f} s")


@contextlib.contextmanager
def folder():
    path = Path(tempfile.mkdtemp(prefix="orderflow-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def process(arguments, environment=None, cwd=None, log: Path | None = None, **options):
    """Runs while the block runs; ended by SIGTERM, after 20 s by SIGKILL."""
    with open(log or os.devnull, "ab") as output:
        child = subprocess.Popen(
            [str(argument) for argument in arguments], env={**os.environ, **(environment or {})}, cwd=cwd,
            stderr=output, **({"stdout": output} | options),
        )
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@dataclass
class Stack:
    orders: str
    inventory: str
    notifications: str
    process_ids: dict[str, list[int]]
    data: Path
    databases: dict[str, Path]

    def put_stock(self) -> None:
        for number in range(PRODUCTS):
            request("PUT", f"{self.inventory}/products/p-{number}", {"name": "P", "on_hand": 100_000_000})

    def cpu_seconds(self) -> dict[str, float]:
        return {name: sum(map(cpu_seconds, ids)) for name, ids in self.process_ids.items()}

    def peak_megabytes(self) -> dict[str, float]:
        return {name: sum(map(peak_megabytes, ids)) for name, ids in self.process_ids.items()}


def cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(process_id: int, field: str) -> float:
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def peak_megabytes(process_id: int) -> float:
    return megabytes(process_id, "VmHWM")


@contextlib.contextmanager
def orderflow(data: Path):
    """`orderflow up`, ready."""
    ready, base = data / "ready-for-bench.json", free_port_base()
    arguments = [BINARIES / "orderflow", "up", "--data-dir", data, "--ready-file", ready, "--port-base", base]
    with process(arguments, log=data / "up.log") as up:
        wait_until("`orderflow up`", 60, lambda: ready.exists() or up.poll() is not None)
        if up.poll() is not None:
            raise Failed((data / "up.log").read_text())
        told = json.loads(ready.read_text())
        yield Stack(
            told["order_service"], told["inventory_service"], told["notification_service"],
            {**told["pids"], "broker": [up.pid]}, data,
            {name: data / f"{name}.sqlite" for name in ("order-service", "inventory-service", "notification-service")},
        )


@contextlib.contextmanager
def embedded_broker():
    with process(
        [BINARIES / "orderflow-limits", "broker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as broker:
        yield json.loads(broker.stdout.readline())["bootstrap_servers"], broker.pid


@contextlib.contextmanager
def peer(data: Path):
    """The same system in Python, ready, on an embedded broker of its own."""
    with embedded_broker() as (servers, broker):
        arguments = [PEER_PYTHON, "-m", "peer", "--bootstrap-servers", servers, "--data-dir", data]
        arguments += ["--port-base", free_port_base()]
        with process(
            arguments, cwd=BENCHMARKS / "peer", log=data / "peer.log", stdout=subprocess.PIPE
        ) as system:
            line = system.stdout.readline()
            if not line:
                raise Failed((data / "peer.log").read_text())
            told = json.loads(line)
            # Its consumers say nothing of themselves; the broker lets the first members of a group wait for 3 s.
            time.sleep(6)
            yield Stack(
                told["order_service"], told["inventory_service"], told["notification_service"],
                {"peer": told["pids"], "broker": [broker]}, data,
                {
                    "order-service": data / "orders.sqlite", "inventory-service": data / "inventory.sqlite",
                    "notification-service": data / "notifications.sqlite",
                },
            )


@contextlib.contextmanager
def service(name: str, data: Path, servers: str, port: int, environment: dict | None = None):
    """One of our services alone."""
    values = {
        "DATABASE_PATH": str(data / f"{name}.sqlite"), "HTTP_PORT": str(port), "KAFKA_BOOTSTRAP_SERVERS": servers,
        "KAFKA_CONSUMER_FETCH_WAIT_MAX_MS": "10", "KAFKA_PRODUCER_LINGER_MS": "1", "LOG_LEVEL": "warning",
        **(environment or {}),
    }
    with process([BINARIES / name], values, log=data / f"{name}.log") as child:
        wait_until(name, 30, lambda: request("GET", f"http://127.0.0.1:{port}/health"))
        yield child


def limits(*arguments) -> dict:
    answer = subprocess.run(
        [str(BINARIES / "orderflow-limits"), *map(str, arguments)], check=True, stdout=subprocess.PIPE
    )
    return json.loads(answer.stdout)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
