"""wrk, which costs 24 microseconds a request: the load generator of the throughput rows."""

import re
import subprocess
import tempfile

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local limit, sent = %d, 0
function request()
  sent = sent + 1
  if limit > 0 and sent > limit then wrk.thread:stop() end
  return wrk.format(nil, "/orders", nil, '{"customer_id":"customer-' .. (sent %% 1000)
    .. '","items":[{"product_id":"p-' .. (sent %% 20) .. '","quantity":1,"unit_price":49.90},{"product_id":"p-'
    .. ((sent + 7) %% 20) .. '","quantity":1,"unit_price":5.00}]}')
end
"""
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def post_orders(url: str, connections: int, seconds: int, requests: int = 0) -> dict:
    """Orders of two items, from one thread. With `requests` it stops about there."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % requests)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
        text = subprocess.run(
            [*command, "-s", script.name, f"{url}/orders"], check=True, capture_output=True, text=True
        ).stdout
    latencies = {
        f"p{percent}": float(value) * UNITS[unit]
        for percent, value, unit in re.findall(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s)$", text, re.MULTILINE)
    }
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {
        "requests_per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
        "latency_ms": latencies, "refused": int(refused[1]) if refused else 0,
    }
