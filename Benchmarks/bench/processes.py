"""Starts what is measured, in a folder of its own, and stops it again. Everything listens on 127.0.0.1."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent
BINARIES = ROOT / ".build-release" / "release"
PEER_PYTHON = BENCHMARKS / ".venv" / "bin" / "python"
PRODUCTS = 20
NOBODY = "127.0.0.1:1"
# What `orderflow up` sets on the embedded broker: its fetch sleeps, and it drops what is beyond 5 MiB a partition.
EMBEDDED = {
    "KAFKA_CONSUMER_FETCH_WAIT_MAX_MS": "5",
    "KAFKA_PRODUCER_LINGER_MS": "1",
    "RELAY_MAX_UNCONSUMED_BYTES": "3145728",
}


class Failed(Exception):
    """What was measured did not do its work: there is no figure then."""


def free_port_base() -> int:
    """Four free ports in a row, below those that the kernel gives to clients."""
    for base in range(21_000, 32_000, 10):
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


def answers(url: str) -> bool:
    """Whether somebody serves there, whatever the answer is."""
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(url, timeout=30).close()
    return True


def wait_until(what: str, seconds: float, condition, pause: float = 0.02):
    """What `condition` returns once it is true; an answer that cannot be had counts as not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if (value := condition()) not in (None, False):
                return value
        time.sleep(pause)
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
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@dataclass
class Stack:
    """A whole system that runs: ours or the peer."""

    orders: str
    inventory: str
    notifications: str
    process_ids: dict[str, list[int]]
    databases: dict[str, Path]

    def put_stock(self) -> None:
        for number in range(PRODUCTS):
            request("PUT", f"{self.inventory}/products/p-{number}", {"name": "P", "on_hand": 100_000_000})

    def cpu_seconds(self) -> dict[str, float]:
        return {name: sum(map(cpu_seconds, ids)) for name, ids in self.process_ids.items()}

    def wait_until_quiet(self) -> None:
        """Until what a start brings with it is over, such as the first look for rows past their retention."""

        def is_quiet() -> bool:
            before = sum(self.cpu_seconds().values())
            time.sleep(0.5)
            return sum(self.cpu_seconds().values()) - before < 0.05

        wait_until("idleness after the start", 120, is_quiet)

    def megabytes(self, field: str) -> dict[str, float]:
        """`Rss` or `Pss` of each."""
        return {name: sum(megabytes(i, field) for i in ids) for name, ids in self.process_ids.items()}

    def peak_megabytes(self) -> dict[str, float]:
        return {name: sum(map(peak_megabytes, ids)) for name, ids in self.process_ids.items()}


def cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(process_id: int, field: str) -> float:
    return kilobytes(f"/proc/{process_id}/smaps_rollup", field) / 1024


def peak_megabytes(process_id: int) -> float:
    return kilobytes(f"/proc/{process_id}/status", "VmHWM") / 1024


def kilobytes(path: str, field: str) -> int:
    for line in Path(path).read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise Failed(f"{path} has no {field}")


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
            {**told["pids"], "broker": [up.pid]},
            {name: data / f"{name}.sqlite" for name in ("order-service", "inventory-service", "notification-service")},
        )


@contextlib.contextmanager
def embedded_broker():
    """The broker of `orderflow up` in a process of its own, which may outlive its clients."""
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
            yield Stack(
                told["order_service"], told["inventory_service"], told["notification_service"],
                {"peer": told["pids"], "broker": [broker]},
                {
                    "order-service": data / "orders.sqlite", "inventory-service": data / "inventory.sqlite",
                    "notification-service": data / "notifications.sqlite",
                },
            )


@contextlib.contextmanager
def service(name: str, store: Path, servers: str, environment: dict | None = None):
    """One of our services alone, with its defaults; its URL and process."""
    port = free_port_base()
    values = {
        "DATABASE_PATH": str(store), "HTTP_PORT": str(port), "KAFKA_BOOTSTRAP_SERVERS": servers,
        **EMBEDDED, **(environment or {}),
    }
    with process([BINARIES / name], values, log=store.with_suffix(".log")) as child:
        url = f"http://127.0.0.1:{port}"
        wait_until(name, 30, lambda: answers(f"{url}/health"))
        yield url, child.pid


@contextlib.contextmanager
def services(data: Path, servers: str):
    """Our three services on a broker that is there already."""
    names = {"OrderService": "order-service", "InventoryService": "inventory-service",
             "NotificationService": "notification-service"}
    with contextlib.ExitStack() as stack:
        databases = {store: data / f"{store}.sqlite" for store in names.values()}
        started = {
            name: stack.enter_context(service(name, databases[store], servers)) for name, store in names.items()
        }
        urls = [url for url, _ in started.values()]
        yield Stack(*urls, {name: [process_id] for name, (_, process_id) in started.items()}, databases)


def limits(*arguments) -> dict:
    """What a limit of `orderflow-limits` came to."""
    answer = subprocess.run(
        [str(BINARIES / "orderflow-limits"), *map(str, arguments)], check=False, capture_output=True, text=True
    )
    if answer.returncode != 0:
        raise Failed(f"orderflow-limits {arguments[0]}: {answer.stderr}")
    return json.loads(answer.stdout)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
