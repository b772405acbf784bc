"""e. Memory of each process over ten minutes of load."""

import threading

from .. import openloop, processes
from ..processes import say
from ..table import Row
from .end_to_end import settled_rate, warm_up

RATE = 500
PAUSE = 10.0


def measure(options) -> list[Row]:
    say(f"soak, {RATE} orders/s for {options.minutes:g} minutes")
    with processes.folder() as data, processes.orderflow(data) as stack:
        warm_up(stack)
        samples, stopped = [], threading.Event()

        def sample() -> None:
            while not stopped.wait(PAUSE):
                samples.append(stack.megabytes("Rss"))

        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            sent = openloop.post_orders(stack.orders, RATE, options.minutes * 60)
        finally:
            stopped.set()
            sampler.join()
        settled_rate(stack)
    # After two tenths caches and pools have their size.
    begin = len(samples) // 5
    return [
        Row(
            f"{name}, resident after {options.minutes:g} minutes (limit: after {options.minutes / 5:g})", "MB",
            samples[-1][name], None, samples[begin][name], "flat",
            {"megabytes": [round(sample[name], 1) for sample in samples], "answers_ms": sent.answers.summary()},
        )
        for name in stack.process_ids
    ]
