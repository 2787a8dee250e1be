"""Replay refusal over the API: off unless it is asked for; the same audio again is refused or flagged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.api.client import PREFIX, Answer
from tests.api.later import TEXT_DEPENDENT, V2, V2021, Generation, Speakers
from tests.api.operator import Customer, Operator
from tests.voices import PASSPORT, flite, recording, takes, wav_bytes
from tools.evaluation import degradations

SPOKEN = recording(PASSPORT)
DAYS = {"action": "refuse", "days": 7}


class Door:
    def __init__(self, operator: Operator, replay: object = None, generation: Generation = V2021) -> None:
        self.customer: Customer = operator.customer(requestsPerSecond=10_000)
        self.speakers = Speakers(self.customer.primary, generation, TEXT_DEPENDENT)
        self.bound = self.speakers.enrolled(*takes(PASSPORT, "rms"))
        if replay:
            assert self.customer.settings({"replay": replay}).status == 200

    def verify(self, audio: bytes) -> Answer:
        return self.speakers.verify(self.bound, audio, "&details=true")

    def outcomes(self, *recordings: bytes) -> list[tuple[str, float, str, bool | None]]:
        bodies = [self.verify(audio).json for audio in recordings]
        return [
            (body["recognitionResult"], body["score"], body["details"]["decidedBy"], body["details"]["replay"])
            for body in bodies
        ]


FIRST = recording(PASSPORT, "rms")
SAMPLES = flite(PASSPORT, "rms")
RANDOM = np.random.default_rng(1)
REFUSED = ("Reject", 0.0, "replay", True)


@pytest.mark.parametrize("generation", [V2, V2021], ids=lambda one: one.unit)
def test_the_same_audio_is_refused_however_it_is_sent(operator: Operator, generation: Generation) -> None:
    door = Door(operator, DAYS, generation)
    ((result, score, decided_by, replay),) = door.outcomes(FIRST)
    assert (result, decided_by, replay) == ("Accept", "voice", False)
    assert score >= 0.5
    softer = wav_bytes(SAMPLES * 0.2)
    assert door.outcomes(FIRST, softer, degradations.opus(SAMPLES, RANDOM)) == [REFUSED] * 3


def test_version_one_rejects_too(operator: Operator) -> None:
    door = Door(operator, DAYS)
    path = f"{PREFIX}/verify?verificationProfileId={door.bound}"
    answers = [door.customer.primary.call("POST", path, FIRST).json for _ in range(2)]
    assert [answer["result"] for answer in answers] == ["Accept", "Reject"]
    assert (answers[1]["score"], answers[1]["confidence"]) == (0.0, "High")


def test_a_flag_changes_the_details_alone(operator: Operator) -> None:
    door = Door(operator, {"action": "flag"})
    first, again = door.outcomes(FIRST, FIRST)
    assert (first[:3], first[3], again[3]) == (again[:3], False, True)


def test_it_is_off_by_default_and_off_again_at_once(operator: Operator) -> None:
    door = Door(operator)
    assert [one[2:] for one in door.outcomes(FIRST, FIRST)] == [("voice", None)] * 2
    for action in ("refuse", "off", "refuse"):
        door.customer.settings({"replay": {"action": action}})
    assert [one[0] for one in door.outcomes(FIRST, FIRST)] == ["Accept", "Reject"]
    door.customer.settings({"replay": {"action": "off"}})
    assert [one[0] for one in door.outcomes(FIRST)] == ["Accept"]


def test_of_two_at_once_one_is_accepted(operator: Operator) -> None:
    door = Door(operator, DAYS)
    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(lambda _: door.outcomes(FIRST)[0][0], range(2)))
    assert sorted(outcomes) == ["Accept", "Reject"]


def test_a_reset_and_a_withdrawn_consent_forget_it(operator: Operator) -> None:
    door = Door(operator, DAYS)
    assert door.outcomes(FIRST)[0][0] == "Accept"
    assert door.speakers.reset(door.bound).status == 200
    for audio in takes(PASSPORT, "rms"):
        door.speakers.enroll(door.bound, audio)
    assert [one[0] for one in door.outcomes(FIRST, FIRST)] == ["Accept", "Reject"]


def test_what_cannot_be_set_is_named(operator: Operator) -> None:
    customer = operator.customer()
    for value, named in (
        ({"action": "warn"}, "replay.action"), ({"days": 0.5}, "replay.days"), ({"days": 91}, "replay.days"),
        ({"hours": 1}, "replay.hours"), (None, "replay"), ("off", "replay"),
    ):  # fmt: skip
        status, code, message = customer.settings({"replay": value}).error
        assert (status, code) == (400, "InvalidArgument")
        assert named in message
