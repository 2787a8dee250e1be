"""Verifications by passphrase side by side in one process: the recogniser that lets Python's lock go over the same one
with the lock, in turns; and how long each keeps the process from anything else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Final
from unittest.mock import patch

from localhost.azurite import Azurite
from shared.domain.passphrase import PASSPHRASES_BY_LOCALE
from shared.domain.recording import Utterance
from shared.inference import sphinx_decoder
from shared.inference.passphrase import SphinxPassphraseRecogniser
from shared.inference.sphinx_pool import DecoderPool
from tests.performance.bare import Bare
from tests.performance.figures import Cell, Measure, Result, Table, Target, milliseconds, ratio_of_pairs
from tests.performance.recordings import SECONDS, material
from tests.performance.serving import Run, settings

AT_ONCE: Final = (1, 4, 16)
PAIRS, QUICK_PAIRS = 7, 2
ROUND_SECONDS, QUICK_ROUND_SECONDS = 3.0, 0.5
BESIDE, SLEEP_SECONDS = 4, 0.001
LATE_PERCENT, LATE_HEADER = (50.0, 95.0, 100.0), ["recogniser", "p50", "p95", "longest"]
TARGET: Final = Target("verifications a second, 16 at once, over those with Python's lock", 2.0, at_least=True)


def measured(run: Run) -> Result:
    """Raises ``CannotStart``. Once in a process: it builds the service's objects."""
    with Azurite() as azurite:
        bare = Bare.of_environment(settings(azurite))
    heard = bare.heard(material().phrases[SECONDS])
    held, free = replace(bare, phrases=_held(heard)), bare
    rows = list[list[float]]()
    for threads in AT_ONCE:
        run.say(f"{threads} at once, in turns with the lock and without")
        rows.append([threads, *_in_turns(held, free, heard, threads, run)])
    header = ["at once", "with the lock, a second", "without", "ratio", "processor ms with", "without"]
    note = (
        f"{SECONDS} s of recording; voice activity, features, model and phrase; medians; {os.cpu_count()} processors."
    )
    run.say("how late another thread is meanwhile")
    late = _late_in_turns(held, free, heard, run)
    tables = [
        Table("Phrases side by side", header, rows, note),
        Table("A thread that sleeps for 1 ms beside four verifications", LATE_HEADER, late, "ms late"),
    ]
    return Result(tables, [Measure(TARGET, rows[-1][3], f"{os.cpu_count()} processors")])


def _held(heard: Utterance) -> SphinxPassphraseRecogniser:
    """Its decoder is made here, and is the package's own."""
    recogniser = SphinxPassphraseRecogniser(DecoderPool(at_once=1))
    with patch.object(sphinx_decoder, "_library", lambda: None):
        recogniser.recognise(heard, PASSPHRASES_BY_LOCALE["en-US"], "en-US")
    return recogniser


def _in_turns(held: Bare, free: Bare, heard: Utterance, threads: int, run: Run) -> list[float]:
    """Medians: verifications a second with the lock and without, their ratio, the processor's milliseconds of each."""
    seconds = QUICK_ROUND_SECONDS if run.quick else ROUND_SECONDS
    rounds = [
        [_round(partial(way.verify, heard), threads, seconds) for way in (held, free)]
        for _ in range(QUICK_PAIRS if run.quick else PAIRS)
    ]
    (held_rates, held_cost), (free_rates, free_cost) = (zip(*each, strict=True) for each in zip(*rounds, strict=True))
    ratio = ratio_of_pairs(free_rates, held_rates)
    return [median(held_rates), median(free_rates), ratio, median(held_cost), median(free_cost)]


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


def _late_in_turns(held: Bare, free: Bare, heard: Utterance, run: Run) -> list[list[Cell]]:
    late: dict[str, list[float]] = {"with the lock": [], "without": []}
    for _ in range(QUICK_PAIRS if run.quick else PAIRS):
        for times, way in zip(late.values(), (held, free), strict=True):
            times += _late(partial(way.verify, heard), QUICK_ROUND_SECONDS if run.quick else ROUND_SECONDS)
    return [[name, *(milliseconds(times, percent) for percent in LATE_PERCENT)] for name, times in late.items()]


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
