"""What the parts of the bench make of their figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tests.performance.figures import Times
from tests.performance.parts import cold_start, everybody, soak, upkeep
from tests.performance.parts import peers as peers_part
from tests.performance.parts.cold_start import ColdStart
from tests.performance.parts.everybody import Among
from tests.performance.parts.soak import Ledger, Sample, Soaked
from tests.performance.parts.upkeep import Cost, Point
from tests.performance.peers.report import (
    ONE_THREAD,
    RESEMBLYZER,
    SHERPA,
    TIMBRE,
    TWO_THREADS,
    Footprint,
    PeerReport,
    Throughput,
)
from tests.performance.process import Held
from tests.performance.reporting.found import Found
from tests.performance.reporting.targets import COLD_START, EVERYBODY, MEMORY, SLOPE, THROUGHPUT, TICK, Measure, Target


def measure(found: Found, target: Target) -> Measure:
    (one,) = (one for one in found.measures if one.target is target)
    return one


def test_the_slope_of_the_soak_leaves_the_warm_up_out() -> None:
    """It grows by 100 MB in the first thousand requests and by 2 MB in the second."""
    samples = [Sample(number, Held(80.0 + number / 10, 20, 9)) for number in range(0, 1_000, 100)]
    samples += [Sample(number, Held(180.0 + (number - 1_000) / 500, 20, 9)) for number in range(1_000, 2_001, 100)]
    found = soak.found_in(Soaked(Ledger(requests=2_000), samples, seconds=60.0))
    assert measure(found, SLOPE).figure == pytest.approx(2.0)
    rows = found.tables[0].rows
    assert (list(rows[0]), list(rows[-1])) == ([0, 80.0, 20, 9], [2_000, 182.0, 20, 9])


def test_without_figures_of_memory_there_is_no_slope() -> None:
    samples = [Sample(number, Held(None, None, None)) for number in (0, 100, 200)]
    assert measure(soak.found_in(Soaked(Ledger(requests=200), samples, seconds=1.0)), SLOPE).figure is None


def among(speakers: int, *milliseconds: float) -> Among:
    """Beside ten speakers that take 40 and 80 ms in turns."""
    times, ten = Times(milliseconds), Times((40.0, 80.0))
    return Among(speakers, 1.0, times, None, None, times, ten, times, ten, Times((3.0,)), 100.0)


def test_identify_among_everybody_is_judged_by_its_pairs() -> None:
    found = everybody.found_in([among(10, 40.0, 80.0), among(100_000, 60.0, 100.0)])
    assert measure(found, EVERYBODY).figure == pytest.approx((1.5 + 1.25) / 2)


def test_fewer_speakers_than_the_target_asks_for_are_no_measure_of_it() -> None:
    said = measure(everybody.found_in([among(10, 40.0, 80.0), among(1_000, 44.0, 88.0)]), EVERYBODY)
    assert (said.figure, said.remark) == (None, "1.10x among 1,000, the most in this run")


def point(kept: int, idle: Cost, busy: Cost) -> Point:
    nothing = Cost(1.0, 1, 0)
    return Point("memory", kept, idle, busy, nothing, nothing, nothing, nothing)


@pytest.mark.parametrize(
    ("idle", "busy", "growth"),
    [
        (Cost(9.0, 1, 0), Cost(90.0, 71, 30), 1.0),
        (Cost(1.0, 1, 0), Cost(10.0, 142, 30), 2.0),
        (Cost(1.0, 1, 5), Cost(10.0, 71, 30), 6.0),
    ],
)
def test_a_flat_tick_makes_no_more_calls_and_reads_no_more_rows(idle: Cost, busy: Cost, growth: float) -> None:
    """However long it takes: that is the machine's."""
    fewest = point(100, Cost(1.0, 1, 0), Cost(10.0, 71, 30))
    assert measure(upkeep.found_in([fewest, point(100_000, idle, busy)]), TICK).figure == growth


def test_a_cold_start_counts_over_pythons_own() -> None:
    starts = [ColdStart(0.1, 0.4, 0.0, 0.1, slow, 0.05) for slow in (0.1, 0.2, 5.0)]
    assert measure(cold_start.found_in(starts, 1.0, 0.2), COLD_START).figure == pytest.approx(0.7)


def peers(answered: Mapping[str, tuple[float, float]], megabytes: Mapping[str, float]) -> PeerReport:
    """``answered``: how many a second, identify and verify."""
    throughput = [
        Throughput(job, 1, name, each, 20.0, 30.0, 0, 30.0, None)
        for name, some in answered.items()
        for job, each in zip(("identify", "verify"), some, strict=True)
    ]
    memory = [Footprint(name, None, None, size) for name, size in megabytes.items()]
    return PeerReport(datetime(2026, 11, 22, tzinfo=UTC), "a test", (None, None), [], throughput, memory, [])


def test_timbre_is_held_against_the_better_campplus_in_the_worse_job() -> None:
    answered = {
        TIMBRE: (30.0, 30.0),
        RESEMBLYZER: (40.0, 40.0),
        TWO_THREADS: (5.0, 6.0),
        ONE_THREAD: (12.0, 10.0),
        SHERPA: (60.0, 60.0),
    }
    megabytes = {TIMBRE: 200.0, RESEMBLYZER: 400.0, TWO_THREADS: 800.0, ONE_THREAD: 500.0, SHERPA: 100.0}
    found = peers_part.found_in(peers(answered, megabytes))
    assert measure(found, THROUGHPUT).figure == 2.5
    assert measure(found, THROUGHPUT).remark == f"identify against {ONE_THREAD}, the least of 4: also 3.0x, 5.0x, 6.0x"
    assert measure(found, MEMORY).figure == 0.4
    assert measure(found, MEMORY).remark == f"against {ONE_THREAD}, after the load"
