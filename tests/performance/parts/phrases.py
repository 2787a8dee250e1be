"""Verifications by passphrase side by side in one process, over what pocketsphinx made of them; and how long they keep
the process from anything else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median
from typing import Final

from localhost.azurite import Azurite
from tests.performance.bare import Bare
from tests.performance.figures import Cell, Measure, Result, Table, Target, milliseconds
from tests.performance.recordings import SECONDS, material
from tests.performance.serving import Run, settings

AT_ONCE: Final = (1, 4, 16)
ROUNDS, QUICK_ROUNDS = 7, 2
ROUND_SECONDS, QUICK_ROUND_SECONDS = 3.0, 0.5
BESIDE, SLEEP_SECONDS = 4, 0.001
LATE_PERCENT, LATE_HEADER = (50.0, 95.0, 100.0), ["p50", "p95", "longest"]
BEFORE: Final = 14.0
"""Verifications a second, 16 at once on two quiet processors, with pocketsphinx under Python's lock
(docs/internals/performance.md). It is gone, so no run can take turns with it."""
TARGET: Final = Target("verifications a second, 16 at once, over 14.0 with pocketsphinx", 2.0, at_least=True)


def measured(run: Run) -> Result:
    """Raises ``CannotStart``. Once in a process: it builds the service's objects."""
    with Azurite() as azurite:
        bare = Bare.of_environment(settings(azurite))
    heard = bare.heard(material().phrases[SECONDS])
    bare.verify(heard)
    work, seconds = partial(bare.verify, heard), QUICK_ROUND_SECONDS if run.quick else ROUND_SECONDS
    count = QUICK_ROUNDS if run.quick else ROUNDS
    rows = list[list[Cell]]()
    for threads in AT_ONCE:
        run.say(f"{threads} at once")
        rates, costs = zip(*[_round(work, threads, seconds) for _ in range(count)], strict=True)
        rows.append([threads, median(rates), median(costs)])
    run.say("how late another thread is meanwhile")
    late = [one for _ in range(count) for one in _late(work, seconds)]
    processors = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    note = f"{SECONDS} s of recording; voice activity, features, model and phrase; medians; {processors}."
    tables = [
        Table("Phrases side by side", ["at once", "a second", "processor ms"], rows, note),
        Table(
            f"A thread that sleeps for 1 ms beside {BESIDE} verifications",
            LATE_HEADER,
            [[milliseconds(late, percent) for percent in LATE_PERCENT]],
            "ms late",
        ),
    ]
    return Result(tables, [Measure(TARGET, median(rates) / BEFORE, processors)])


def _round(work: Callable[[], None], threads: int, seconds: float) -> tuple[float, float]:
    """Verifications a second, and the processor's milliseconds for each."""
    began, used = time.perf_counter(), time.process_time()
    end = began + seconds

    def repeat() -> int:
        count = 0
        while time.perf_counter() < end:
            work()
            count += 1
        return count

    with ThreadPoolExecutor(threads) as pool:
        done = sum(each.result() for each in [pool.submit(repeat) for _ in range(threads)])
    return done / (time.perf_counter() - began), 1000.0 * (time.process_time() - used) / done


def _late(work: Callable[[], None], seconds: float) -> list[float]:
    """Seconds, of each sleep."""
    end, times = time.perf_counter() + seconds, list[float]()

    def repeat() -> None:
        while time.perf_counter() < end:
            work()

    with ThreadPoolExecutor(BESIDE) as pool:
        running = [pool.submit(repeat) for _ in range(BESIDE)]
        while time.perf_counter() < end:
            began = time.perf_counter()
            time.sleep(SLEEP_SECONDS)
            times.append(time.perf_counter() - began - SLEEP_SECONDS)
        for each in running:
            each.result()
    return times
