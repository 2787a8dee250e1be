"""What the groups say about a threshold: made-up scores of which each group's rate is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.inference.calibration import sigmoid
from tools.calibration.comparing import Comparisons, Material
from tools.calibration.figures import Recommendation, Site, evidence, main_curves, recommendation
from tools.calibration.fit import fitted, line_of
from tools.calibration.groups import ANYONE, SAME_GROUP, Kind, Standing, keeping_all, kinds, parts
from tools.calibration.manifest import Manifest, Role, Row
from tools.calibration.site import calibration
from tools.calibration.trials import Trials
from tools.calibration.words import about_site, sentences, table

WANTED = 0.01
PEOPLE = 48


def made_up(nearer: float = 0.0, women: int = 24, seed: int = 1) -> tuple[Comparisons, Material, Manifest]:
    """48 speakers, ``women`` of them women, who are that much nearer to each other; each compared 4 times at 2 lengths.

    Log-odds of strangers around -4.65, deviation 2: 1 % of them pass at 0.5. Own voices lie at 6.
    """
    sides = np.meshgrid(np.arange(PEOPLE), np.arange(PEOPLE), np.arange(8))
    enrolled, tested, take = (side.ravel() for side in sides)
    same = enrolled == tested
    both = (enrolled < women) & (tested < women) & ~same
    noise = np.random.default_rng(seed).standard_normal(len(enrolled))
    logit = np.where(same, 6.0, -4.65 + nearer * both) + np.where(same, 1.0, 2.0) * noise
    zeros = np.zeros(len(enrolled), np.int64)
    seconds = np.where(take % 2, 2.0, 8.0)
    lengths = np.where(take % 2, "2 s", "full")
    longer = np.where(take % 4 < 2, 8.0, 10.0)
    trials = Trials(logit / 10.0, seconds, longer, enrolled, tested, zeros + 3, lengths, zeros)
    rows = [Row(Path(), str(one), "", Role.BOTH, ("f" if one < women else "m",)) for one in range(PEOPLE)]
    made = Material(tuple(row.speaker for row in rows), (), (), ())
    return Comparisons(trials, logit, zeros, zeros), made, Manifest(Path(), ("gender",), tuple(rows))


def advised(every: Comparisons, of: list[Kind], in_force: float) -> Recommendation:
    full = every.of("full")
    return recommendation(main_curves(full), of, WANTED, in_force, evidence(full, WANTED))


def test_every_length_and_group_is_shown_against_anyone_and_against_its_own() -> None:
    every, made, manifest = made_up()
    of = parts(kinds(every, made, manifest), 0.0, WANTED)
    groups = [("everybody", ANYONE)] + [
        (f"gender: {value}", strangers) for value in "fm" for strangers in (ANYONE, SAME_GROUP)
    ]
    shown = [(part.length, part.group, part.strangers) for part in of]
    assert sorted(shown) == sorted((length, *group) for length in ("full", "2 s") for group in groups)
    assert {(part.speakers, part.compared_strangers) for part in of} == {
        (48, 48 * 47 * 4), (24, 24 * 47 * 4), (24, 24 * 23 * 4)
    }  # fmt: skip
    for part in of:
        assert part.false_match is not None
        assert part.false_match.low < 0.01 < part.false_match.high
        assert part.standing is Standing.OPEN


def test_a_group_whose_strangers_surely_pass_more_often_makes_the_recommendation_a_refusal() -> None:
    every, made, manifest = made_up(nearer=2.0)
    of = kinds(every, made, manifest)
    advice = advised(every, of, in_force=0.3)
    assert (advice.confirmed, advice.plain.standing) == (False, Standing.EXCEEDED)
    exceeded = {(part.group, part.strangers) for part in advice.plain.parts if part.standing is Standing.EXCEEDED}
    assert exceeded == {("gender: f", ANYONE), ("gender: f", SAME_GROUP)}
    first, cautious, *others = sentences(advice)
    assert cautious.startswith("Cautious")
    assert cautious.endswith("There too some group surely exceeds it.")
    assert first.startswith("No threshold is recommended")
    assert any("full, gender: f among themselves" in other for other in others)
    assert any(f"From {advice.keeping_all:g} up" in other for other in others)
    assert advised(every, of, advice.keeping_all).confirmed
    assert len(table(advice.plain.parts)) == len(of)


@pytest.mark.parametrize(("in_force", "confirmed"), [(0.2, False), (0.5, True), (0.95, False)])
def test_what_is_in_force_is_confirmed_unless_it_is_surely_too_lax_or_stricter_than_need_be(
    in_force: float, confirmed: bool
) -> None:
    every, made, manifest = made_up()
    advice = advised(every, kinds(every, made, manifest), in_force)
    assert advice.confirmed == confirmed
    assert advice.plain.at.threshold == pytest.approx(in_force if confirmed else 0.5, abs=0.1)
    assert advice.cautious.standing is not Standing.EXCEEDED
    first = next(sentences(advice))
    assert first.startswith("Confirmed" if confirmed else "Recommended")
    assert f"At most {100 * advice.plain.at.false_match.high:.2f} % of strangers pass" in first
    assert "of own voices are refused" in first


def test_a_few_speakers_are_shown_and_decide_nothing() -> None:
    every, made, manifest = made_up(nearer=9.0, women=4)
    of = kinds(every, made, manifest)
    women = [part for part in parts(of, 0.0, WANTED) if (part.group, part.strangers) == ("gender: f", SAME_GROUP)]
    assert {(part.speakers, part.standing) for part in women} == {(4, Standing.OPEN)}
    assert all(part.false_match is not None and part.false_match.low > 0.5 for part in women)
    assert float(sigmoid(np.array([keeping_all(of, WANTED)]))[0]) < 0.999


def test_a_second_run_with_the_calibration_installed_confirms_it() -> None:
    """The first run's scores are a poor calibration's: two lower. The second run's are those of the fit, at 0.5."""
    every, made, manifest = made_up()
    before = Comparisons(every.trials, every.logit - 2.0, every.enrolled_at, every.tested_at)
    assert not advised(before, kinds(before, made, manifest), in_force=0.5).confirmed
    site = calibration(fitted(every.trials, WANTED), WANTED, "made up", every.trials, [])
    after = Comparisons(every.trials, line_of(site).logit(every.trials), every.enrolled_at, every.tested_at)
    advice = advised(after, kinds(after, made, manifest), in_force=0.5)
    assert (advice.confirmed, advice.plain.at.threshold) == (True, 0.5)


@pytest.mark.parametrize(
    ("nearer", "in_force", "rate_by_model", "said"),
    [
        (0.0, True, 0.3, "in force already"),
        (0.0, False, 0.3, "the service would refuse it"),
        (2.0, False, 0.05, "not recommended. Surely too many strangers pass at 0.5: full, everybody"),
        (0.0, False, None, "at 0.5 the wanted rate is perhaps exceeded"),
    ],
)
def test_a_calibration_that_groups_or_the_service_contradict_is_not_recommended(
    nearer: float, in_force: bool, rate_by_model: float | None, said: str
) -> None:
    every, made, manifest = made_up(nearer)
    fit = calibration(fitted(every.trials, WANTED), WANTED, "made up", every.trials, [])
    found = parts(kinds(every, made, manifest), 0.0, WANTED)
    assert said in about_site(Site(fit, found, in_force, rate_by_model), "")
