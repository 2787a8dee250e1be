from __future__ import annotations

import numpy as np
import pytest

from tests.performance.figures import Times, covered, percentile, ratio_of_pairs, shown, slope, table


@pytest.mark.parametrize("percent", [0.0, 5.0, 50.0, 95.0, 100.0])
def test_a_percentile_is_numpys(percent: float) -> None:
    values = [7.0, 1.0, 4.0, 9.0, 2.5, 3.0]
    assert percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)))


def test_one_value_is_every_percentile() -> None:
    assert percentile([3.0], 95.0) == 3.0


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="No values were measured"):
        percentile([], 50.0)


def test_times_are_kept_in_milliseconds() -> None:
    times = Times.of_seconds([0.001, 0.003, 0.002])
    assert times.milliseconds == pytest.approx((1.0, 3.0, 2.0))
    assert times.p50 == pytest.approx(2.0)


def test_a_ratio_is_taken_within_each_pair() -> None:
    # A slow moment hits both of a pair: 2x in each, although the medians alone would say 2.5x.
    assert ratio_of_pairs(Times((2.0, 20.0, 4.0)), Times((1.0, 10.0, 2.0))) == 2.0


def test_pairs_must_be_complete() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio_of_pairs(Times((1.0, 2.0)), Times((1.0,)))


@pytest.mark.parametrize(
    ("intervals", "seconds"),
    [
        ([], 0.0),
        ([(1.0, 2.0), (3.0, 5.0)], 3.0),
        ([(3.0, 5.0), (1.0, 4.0)], 4.0),
        ([(1.0, 9.0), (2.0, 3.0), (8.0, 10.0)], 9.0),
    ],
)
def test_time_side_by_side_counts_once(intervals: list[tuple[float, float]], seconds: float) -> None:
    assert covered(intervals) == pytest.approx(seconds)


def test_a_table_is_aligned_and_shows_what_is_missing() -> None:
    text = table("Figures", ["what", "ms"], [["short", 1.234], ["longer name", None]], note="a note")
    assert text.splitlines() == [
        "Figures",
        "",
        "what           ms",
        "-----------  ----",
        "short        1.23",
        "longer name     -",
        "a note",
    ]


@pytest.mark.parametrize(("cell", "text"), [(9.876, "9.88"), (98.76, "98.8"), (987.6, "988"), (12, "12"), ("x", "x")])
def test_a_float_has_three_digits(cell: float | str, text: str) -> None:
    assert shown(cell) == text


def test_the_slope_of_points_on_a_line_is_exact() -> None:
    found = slope([(0.0, 80.0), (1.0, 80.5), (3.0, 81.5), (4.0, 82.0)])
    assert found.per_unit == pytest.approx(0.5)
    assert found.error == pytest.approx(0.0, abs=1e-12)


def test_a_slope_is_numpys_least_squares_with_its_standard_error() -> None:
    points = [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0), (3.0, 5.0), (5.0, 4.0)]
    (expected, _), covariance = np.polyfit([x for x, _ in points], [y for _, y in points], 1, cov=True)
    found = slope(points)
    assert found.per_unit == pytest.approx(float(expected))
    assert found.error == pytest.approx(float(np.sqrt(covariance[0, 0])))


@pytest.mark.parametrize("points", [[], [(0.0, 1.0), (1.0, 2.0)], [(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]])
def test_too_few_points_have_no_slope(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="three points"):
        slope(points)
