"""The fit on made-up cosines, where the right answer is known; and the rates it reports."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from shared.domain.recording import Vector
from shared.inference.calibration import scores
from shared.inference.model_card import read_calibration
from tools.calibration import trials as comparisons
from tools.calibration.fit import Line, fitted, line_of
from tools.calibration.site import Halves, calibration, halves, held_out, measured
from tools.calibration.trials import Enrolled, Trials, Voice, joined


@cache
def made_up(seed: int, strangers: int = 20_000) -> Trials:
    """Strangers' cosines around 0.5 + 0.05 ln(shorter), deviation 0.05; the same speaker's 0.3 above; 20 speakers."""
    random = np.random.default_rng(seed)
    count = strangers + strangers // 10
    enrolled = random.integers(0, 20, count)
    tested = np.where(np.arange(count) < strangers, (enrolled + random.integers(1, 20, count)) % 20, enrolled)
    shorter = random.choice([1.0, 2.0, 4.0, 10.0], count)
    longer = random.choice([10.0, 12.0], count)
    cosine = 0.5 + 0.05 * np.log(shorter) + 0.05 * random.standard_normal(count) + 0.3 * (enrolled == tested)
    lengths = np.char.add(shorter.astype(int).astype(str), " s")
    ones = np.ones(count, np.int64)
    return Trials(cosine, shorter, longer, enrolled, tested, ones, lengths, np.zeros(count, np.int64))


def test_strangers_pass_at_the_wanted_rate_at_every_length_and_the_line_follows_them() -> None:
    line = fitted(made_up(seed=1), rate=0.01)
    fresh = made_up(seed=2, strangers=50_000)
    passed = line.logit(fresh) >= 0.0
    for length in ("1 s", "2 s", "4 s", "10 s"):
        assert passed[~fresh.same & (fresh.length == length)].mean() == pytest.approx(0.01, abs=0.003)
    assert line.shorter == pytest.approx(0.05, abs=0.01)
    assert line.slope > 0


def test_rates_are_counted_at_the_operating_point() -> None:
    chosen = made_up(seed=3).of(1, "4 s")
    line = Line(slope=10.0, bias=0.5 + 0.05 * np.log(4) + 0.15, shorter=0.0, longer=0.0)  # half way: 3 sigma each
    rates = measured(chosen, line.logit(chosen), "4 s", 1)
    assert rates.speakers == 20
    assert rates.strangers + rates.same == len(chosen.cosine)
    assert rates.false_match < 0.005
    assert rates.false_match_low <= rates.false_match <= rates.false_match_high
    assert rates.false_non_match_low <= rates.false_non_match <= rates.false_non_match_high


def numbered(group: int, speaker: int) -> Vector:
    """Each group of recordings has a direction of its own: a shared one would show as a cosine of one."""
    return np.asarray(np.eye(6, dtype=np.float32)[3 * speaker + group])


def numbered_voice(speaker: int) -> Voice:
    enrolled = [Enrolled(frozenset({group}), 3, numbered(group, speaker), 9.0) for group in range(3)]
    tests = [comparisons.Test(frozenset({group}), "4 s", numbered(group, speaker), 4.0) for group in range(3)]
    return Voice(tuple(enrolled), tuple(tests))


def test_no_test_is_compared_with_an_enrolment_that_shares_a_recording() -> None:
    made = comparisons.trials([numbered_voice(0), numbered_voice(1)])
    assert (int(made.same.sum()), int((~made.same).sum())) == (2 * 3 * 2, 2 * 3 * 3)
    assert made.cosine.max() == 0.0
    assert (set(made.shorter), set(made.longer)) == ({4.0}, {9.0})


def test_every_channel_counts_alike_in_a_fit_however_many_comparisons_it_has() -> None:
    """Strangers 0.2 nearer by a channel of a fiftieth of the comparisons: half of the one in a hundred is theirs."""
    many, few = made_up(seed=5, strangers=50_000), made_up(seed=6, strangers=1_000)
    nearer = Trials(**{**vars(few), "cosine": few.cosine + 0.2, "channel": few.channel + 1})
    line = fitted(joined([many, nearer]), rate=0.01)
    passed = line.logit(nearer)[~nearer.same] >= 0.0
    assert passed.mean() == pytest.approx(0.02, abs=0.005)


def test_thinned_comparisons_keep_every_one_of_a_speaker_with_himself() -> None:
    made = made_up(seed=7)
    thinned = made.thinned(2_000)
    assert int((~thinned.same).sum()) == pytest.approx(2_000, rel=0.05)
    assert int(thinned.same.sum()) == int(made.same.sum())


@cache
def parts() -> Halves:
    return halves(made_up(seed=1, strangers=30_000), range(20), 0.01)


def test_rates_of_speakers_outside_the_fit_are_the_wanted_ones() -> None:
    trials, lengths = made_up(seed=1, strangers=30_000), ("10 s", "4 s", "2 s")
    measured = held_out(trials, parts(), (1, 3), (*lengths, "20 s"))
    assert [(rates.enrolments, rates.test) for rates in measured] == [(1, length) for length in lengths]
    for rates in measured:
        assert rates.false_match == pytest.approx(0.01, abs=0.005)
        assert rates.speakers == 20


def test_the_service_reads_what_is_written_and_scores_half_where_the_line_lies(tmp_path: Path) -> None:
    trials = made_up(seed=1, strangers=30_000)
    line = fitted(trials, 0.01)
    file = tmp_path / "calibration.json"
    written = calibration(line, 0.01, "made up", trials, held_out(trials, parts(), (1,), ("4 s",)))
    file.write_text(json.dumps(dataclasses.asdict(written)), encoding="utf-8")

    read = read_calibration(file)

    assert read == written
    assert (read.fitted_speakers, read.fitted_trials, read.false_match_rate) == (20, len(trials.cosine), 0.01)
    at_half = line.bias + line.shorter * np.log(4.0) + line.longer * np.log(12.0)
    assert scores(read, np.array([at_half]), 4.0, np.array([12.0])) == pytest.approx(0.5, abs=0.001)
    assert line_of(read).slope == pytest.approx(line.slope, abs=1e-4)


def test_lengths_below_those_recorded_are_treated_as_the_shortest_recorded() -> None:
    trials = made_up(seed=1, strangers=30_000)
    site = calibration(fitted(trials, 0.01), 0.01, "made up", trials, [])
    assert site.min_seconds == 1.0
    cosine, other = np.array([0.7]), np.array([12.0])
    assert scores(site, cosine, 0.5, other) == scores(site, cosine, 1.0, other)
