"""wrk, the load generator of the throughput rows: one thread, a closed loop, requests made up beforehand."""

import re
import resource
import subprocess
import tempfile
from dataclasses import dataclass

from .processes import Failed

SCRIPT = """
local limit, sent, orders = %d, 0, {}
function init(arguments)
  wrk.headers["Content-Type"] = "application/json"
  for n = 0, 999 do
    orders[n] = wrk.format("POST", "/orders", nil, string.format(
      '{"customer_id":"customer-%%d","items":[{"product_id":"p-%%d","quantity":1,"unit_price":49.90},'
      .. '{"product_id":"p-%%d","quantity":1,"unit_price":5.00}]}', n %% 200, n %% 20, (n + 7) %% 20))
  end
end
function request()
  sent = sent + 1
  if sent == limit then
    -- wrk sleeps for its whole duration whatever a script does; SIGINT wakes it, and it reports.
    os.execute("(sleep 0.01; kill -INT $PPID) &")
  end
  if limit > 0 and sent > limit then wrk.thread:stop() end
  return orders[sent %% 1000]
end
"""


@dataclass
class Report:
    requests_per_second: float
    cpu_seconds: float


def post_orders(url: str, connections: int, seconds: int, requests: int = 0) -> Report:
    """Orders of two items. With `requests` it stops about there. An order that is refused is a failure."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % requests)
        script.flush()
        return _run(connections, seconds, url, "-s", script.name)


def get(url: str, connections: int, seconds: int) -> Report:
    return _run(connections, seconds, url)


def _run(connections: int, seconds: int, url: str, *options: str) -> Report:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", *options, url]
    before = _children_cpu_seconds()
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for failure in ("Non-2xx or 3xx responses", "Socket errors"):
        if failure in text:
            raise Failed(f"{url}: {text}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return Report(float(rate[1]), _children_cpu_seconds() - before)


def _children_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
