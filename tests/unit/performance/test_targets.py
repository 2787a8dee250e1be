from __future__ import annotations

import pytest

from tests.performance.reporting.targets import (
    SLOPE,
    TARGETS,
    THROUGHPUT,
    VERIFY,
    Measure,
    Target,
    all_measures,
    verdict,
)


@pytest.mark.parametrize(
    ("target", "figure", "said"),
    [
        (VERIFY, 1.5, "met"),
        (VERIFY, 1.8, "missed by 20 %"),
        (THROUGHPUT, 3.0, "met"),
        (THROUGHPUT, 1.5, "missed by 50 %"),
        (SLOPE, 0.99, "met"),
        (SLOPE, -4.0, "met"),
        (SLOPE, 1.0, "missed by 0 %"),
        (SLOPE, 2.5, "missed by 150 %"),
    ],
)
def test_a_target_is_met_or_missed_by_a_share_of_its_limit(target: Target, figure: float, said: str) -> None:
    assert verdict(Measure(target, figure)) == said


def test_every_target_is_reported_whether_a_part_measured_it_or_not() -> None:
    measures = all_measures([Measure(SLOPE, 0.5, "ten samples")])
    assert [one.target for one in measures] == list(TARGETS)
    assert [verdict(one) for one in measures if one.figure is None] == ["not measured"] * (len(TARGETS) - 1)
    assert measures[TARGETS.index(SLOPE)] == Measure(SLOPE, 0.5, "ten samples")
