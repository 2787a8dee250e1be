"""A real speaker over HTTP: takes of a passphrase, and free speech. How well many are told apart is measured in
``tests/integration/test_accuracy_gate.py`` and by ``python dev.py evaluate``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.client import Client, Profiles, identified, operation, verify
from tests.api.operator import Customer, Operator
from tests.voices import HOUSTON, PASSPORT, recording

pytestmark = [
    pytest.mark.speech,
    pytest.mark.local_host("what is recognised does not depend on the host, and takes minutes"),
]

SAMPLES = "ms-samples/ms-passport"


@pytest.fixture(scope="module")
def customer(operator: Operator) -> Customer:
    """A subscription of its own: it makes more profiles than others want to see in their lists."""
    return operator.customer()


@pytest.fixture(scope="module")
def client(customer: Customer) -> Client:
    return customer.primary


@pytest.fixture(scope="module")
def passport_takes(speech: Path) -> list[bytes]:
    return [(speech / SAMPLES / f"myVoiceIsMyPassportVerifyMe0{take}.flac").read_bytes() for take in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def passport(customer: Customer, passport_takes: list[bytes]) -> str:
    """A profile enrolled with the first three of the four takes."""
    profile_id = customer.verification.create("en-US")
    answers = [customer.verification.enroll(profile_id, take).json for take in passport_takes[:3]]
    assert [answer["phrase"] for answer in answers] == [PASSPORT] * 3
    assert [answer["enrollmentStatus"] for answer in answers] == ["Enrolling", "Enrolling", "Enrolled"]
    return profile_id


def test_the_fourth_take_is_accepted(client: Client, passport: str, passport_takes: list[bytes]) -> None:
    result = verify(client, passport, passport_takes[3]).json
    print(f"\nfourth take of the passphrase: {result['result']}, score {result['score']}, {result['confidence']}")
    assert (result["result"], result["phrase"]) == ("Accept", PASSPORT)


@pytest.mark.parametrize(("voice", "pace"), [("slt", 1.0), ("awb", 1.04), ("rms", 1.0)])
def test_another_voice_saying_the_phrase_is_rejected(client: Client, passport: str, voice: str, pace: float) -> None:
    """No second person says the phrase in the development speech, so the others are synthetic."""
    result = verify(client, passport, recording(PASSPORT, voice, pace)).json
    assert (result["result"], result["phrase"]) == ("Reject", PASSPORT)


@pytest.mark.parametrize(
    "path",
    ["ms-talk/TalkForAFewSeconds16.flac", "ms-weather/whatstheweatherlike.flac", "ms-beach/wreck-a-nice-beach.flac"],
    ids=["the speaker", "another", "a third"],
)
def test_whoever_says_something_else_is_refused(client: Client, speech: Path, passport: str, path: str) -> None:
    status, code, message = verify(client, passport, (speech / "ms-samples" / path).read_bytes()).error
    assert (status, code) == (400, "BadRequest")
    assert message.startswith("InvalidPhrase: ")


def test_a_take_does_not_fit_a_profile_of_another_phrase(customer: Customer, passport_takes: list[bytes]) -> None:
    profile_id = customer.verification.enrolled(*[recording(HOUSTON)] * 3)
    message = f'InvalidPhrase: The profile is bound to the phrase "{HOUSTON}". Heard "{PASSPORT}".'
    assert customer.verification.enroll(profile_id, passport_takes[0]).error == (400, "BadRequest", message)
    result = verify(customer.primary, profile_id, passport_takes[0]).json
    assert (result["result"], result["phrase"]) == ("Reject", PASSPORT)


def test_thirty_seconds_of_real_speech_enroll_without_short_audio(client: Client, speech: Path) -> None:
    identification = Profiles(client, "identification")
    profile_id = identification.create()
    answer = identification.enroll(profile_id, (speech / SAMPLES / "wikipediaOcelot.flac").read_bytes())
    result = operation(client, answer)["processingResult"]
    assert result["enrollmentStatus"] == "Enrolled"
    assert result["speechTime"] >= 30.0
    about = (speech / SAMPLES / "aboutSpeechSdk.flac").read_bytes()
    assert identified(client, [profile_id], about, query="") == profile_id
