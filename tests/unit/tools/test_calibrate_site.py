"""A site's own calibration, on made-up cosines where the right answer is known."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from shared.inference.calibration import scores
from shared.inference.model_card import read_calibration
from tools.calibration.fit import fitted, line_of
from tools.calibration.site import Halves, calibration, halves, held_out
from tools.calibration.trials import Trials

SPEAKERS = 24


def made_up(seed: int, count: int = 60_000) -> Trials:
    """Strangers' cosines around 0.5 + 0.05 ln(shorter), deviation 0.05; the same speaker's 0.3 above."""
    random = np.random.default_rng(seed)
    enrolled = random.integers(0, SPEAKERS, count)
    other = (enrolled + random.integers(1, SPEAKERS, count)) % SPEAKERS
    tested = np.where(np.arange(count) % 10 == 0, enrolled, other)
    shorter = random.choice([2.0, 4.0, 10.0], count)
    longer = random.choice([11.0, 12.0], count)
    cosine = 0.5 + 0.05 * np.log(shorter) + 0.05 * random.standard_normal(count) + 0.3 * (enrolled == tested)
    length = np.char.add(shorter.astype(int).astype(str), " s")
    return Trials(cosine, shorter, longer, enrolled, tested, np.full(count, 3), length, np.zeros(count, np.int64))


def parts() -> Halves:
    return halves(made_up(seed=1), range(SPEAKERS), 0.01)


def test_rates_of_speakers_outside_the_fit_are_the_wanted_ones() -> None:
    measured = held_out(made_up(seed=1), parts(), (3,), ("10 s", "4 s", "2 s"))
    assert [one.test for one in measured] == ["10 s", "4 s", "2 s"]
    for one in measured:
        assert one.false_match == pytest.approx(0.01, abs=0.005)
        assert one.speakers == SPEAKERS


def test_a_kind_of_test_that_nobody_made_has_no_rates() -> None:
    measured = held_out(made_up(seed=1), parts(), (1, 3), ("4 s", "20 s"))
    assert [(one.enrolments, one.test) for one in measured] == [(3, "4 s")]


def test_the_service_reads_what_is_written_and_scores_half_where_the_line_lies(tmp_path: Path) -> None:
    trials = made_up(seed=1)
    line = fitted(trials, 0.01)
    file = tmp_path / "calibration.json"
    written = calibration(line, 0.01, "made up", trials, held_out(trials, parts(), (3,), ("4 s",)))
    file.write_text(json.dumps(dataclasses.asdict(written)), encoding="utf-8")

    read = read_calibration(file)

    assert read == written
    assert (read.fitted_speakers, read.fitted_trials, read.false_match_rate) == (SPEAKERS, len(trials.cosine), 0.01)
    at_half = line.bias + line.shorter * np.log(4.0) + line.longer * np.log(12.0)
    assert scores(read, np.array([at_half]), 4.0, np.array([12.0])) == pytest.approx(0.5, abs=0.001)
    assert line_of(read).slope == pytest.approx(line.slope, abs=1e-4)


def test_lengths_below_those_recorded_are_treated_as_the_shortest_recorded() -> None:
    trials = made_up(seed=1)
    site = calibration(fitted(trials, 0.01), 0.01, "made up", trials, [])
    assert site.min_seconds == 2.0
    cosine, other = np.array([0.7]), np.array([12.0])
    assert scores(site, cosine, 0.5, other) == scores(site, cosine, 2.0, other)
