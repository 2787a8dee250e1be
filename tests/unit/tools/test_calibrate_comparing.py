"""Who is compared with whom. The embeddings are made up, the signatures and the scores are the service's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.domain.calibration import Calibration
from shared.inference.model_card import read_catalogue
from tools.calibration.comparing import Comparisons, Material, compare, log_odds, material
from tools.calibration.hearing import Heard
from tools.calibration.manifest import Role, Row

MODEL_ID = "made-up-1"


COSINES = Calibration(0.0, 1.0, 0.0, 0.0, 0.0, 0.5, 1.0, 60.0, "nothing", 0, 0)
CARD = replace(read_catalogue().speaker("ge2e-1"), model_id=MODEL_ID, calibration=COSINES)
"""A card whose scores have the cosine as their log-odds."""


def heard(direction: int, length: str = "full", seconds: float = 5.0) -> Heard:
    embedding = np.zeros(8, np.float32)
    embedding[direction] = 1.0
    return Heard(length, embedding, seconds, seconds + 1.0, 30.0)


def row(speaker: str, session: str = "", role: Role = Role.BOTH) -> Row:
    return Row(Path(f"{speaker}.wav"), speaker, session, role, ())


def pairs(made: Material, compared: Comparisons) -> set[tuple[frozenset[int], int]]:
    return {
        (made.enrolled[enrolled].rows, made.tests[tested].row)
        for enrolled, tested in zip(compared.enrolled_at, compared.tested_at, strict=True)
    }


def test_a_recording_never_meets_the_signature_that_it_is_part_of() -> None:
    rows = [row("ann")] * 4 + [row("bob")] * 2
    made = material(rows, [[heard(0)]] * 4 + [[heard(1)]] * 2, 2, MODEL_ID)
    assert [sorted(one.rows) for one in made.enrolled] == [[0, 1], [2, 3], [4, 5]]
    met = pairs(made, compare(made, CARD))
    assert all(tested not in enrolled for enrolled, tested in met)
    assert (frozenset({0, 1}), 2) in met
    assert (frozenset({0, 1}), 4) in met


def test_a_speaker_is_not_compared_with_himself_inside_one_session() -> None:
    rows = [row("ann", "monday"), row("ann", "monday"), row("ann", "friday"), row("bob", "monday")]
    made = material(rows, [[heard(0)]] * 3 + [[heard(1)]], 1, MODEL_ID)
    met = pairs(made, compare(made, CARD))
    assert (frozenset({0}), 1) not in met
    assert (frozenset({0}), 2) in met
    assert (frozenset({0}), 3) in met


def test_named_roles_make_one_signature_and_keep_to_themselves() -> None:
    roles = (Role.ENROLL, Role.ENROLL, Role.TEST)
    made = material([row("ann", role=role) for role in roles], [[heard(0)]] * 3, 3, MODEL_ID)
    assert [sorted(one.rows) for one in made.enrolled] == [[0, 1]]
    assert [test.row for test in made.tests] == [2]


def test_refused_recordings_neither_enrol_nor_test() -> None:
    refused = Heard("full", refusal="SpeechTooShort", message="too short")
    made = material([row("ann")] * 3, [[heard(0)], [refused], [heard(0)]], 2, MODEL_ID)
    assert ([sorted(each.rows) for each in made.enrolled], [test.row for test in made.tests]) == ([[0, 2]], [0, 2])


def test_a_speaker_with_too_few_recordings_is_a_stranger_only() -> None:
    made = material([row("ann")] * 2 + [row("bob")], [[heard(0)]] * 2 + [[heard(1)]], 2, MODEL_ID)
    assert made.unenrolled == ("bob",)
    compared = compare(made, CARD)
    assert not compared.trials.same.any()
    assert set(compared.trials.tested.tolist()) == {1}


def test_scores_and_durations_belong_to_their_comparison() -> None:
    rows = [row("ann"), row("ann"), row("bob")]
    made = material(rows, [[heard(0)], [heard(0, seconds=3.0)], [heard(1, seconds=7.0)]], 1, MODEL_ID)
    compared = compare(made, CARD)
    own = compared.where(compared.trials.same)
    strangers = compared.where(~compared.trials.same)
    assert own.logit == pytest.approx(1.0)
    assert strangers.logit == pytest.approx(0.0)
    assert {(3.0, 5.0)} == set(zip(own.trials.shorter, own.trials.longer, strict=True))


def test_cuts_are_tests_of_their_own_length() -> None:
    made = material([row("ann")] * 2, [[heard(0), heard(0, "2 s", 2.0)]] * 2, 1, MODEL_ID)
    assert set(compare(made, CARD).trials.length.tolist()) == {"full", "2 s"}
    assert all(one.signature.speech_seconds == 5.0 for one in made.enrolled)


def test_too_many_strangers_are_drawn_by_chance_and_own_voices_kept() -> None:
    rows = [row(f"s{number // 2}") for number in range(80)]
    made = material(rows, [[heard(number // 10)] for number in range(80)], 1, MODEL_ID)
    compared = compare(made, CARD, most=1600)
    assert int(compared.trials.same.sum()) == 80
    assert 1000 < len(compared.logit) < 2200


def test_log_odds_of_certain_scores_are_numbers() -> None:
    assert np.isfinite(log_odds(np.array([0.0, 0.5, 1.0]))).all()
    assert log_odds(np.array([0.5]))[0] == 0.0
