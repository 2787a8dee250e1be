"""Real speakers over HTTP: the passphrase takes of one, and a crowd to be told apart and from strangers."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile

from tests.api.client import NOBODY, Client, Profiles, identified, operation, verify
from tests.api.operator import Customer, Operator
from tests.voices import HOUSTON, PASSPORT, recording, wav_bytes

pytestmark = [
    pytest.mark.speech,
    pytest.mark.local_host("what is recognised does not depend on the host, and takes minutes"),
]

SAMPLES = "ms-samples/ms-passport"
CROWD = {"speechocean762": 8, "librispeech-test-other": 5}
"""Speakers of each source. More of them are told apart by the same model in tests/integration/test_accuracy_gate.py."""
STRANGERS = 12
ENROLLED_WITH = TESTED_WITH = 3
"""Utterances of about 4 s each."""
LIST_LENGTH = 10


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


@pytest.mark.parametrize("voice", ["slt", "awb", "rms", "kal16"])
def test_another_voice_saying_the_phrase_is_rejected(client: Client, passport: str, voice: str) -> None:
    """No second person says the phrase in the development speech, so the others are synthetic."""
    result = verify(client, passport, recording(PASSPORT, voice)).json
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


@dataclass(frozen=True)
class Person:
    profile_id: str
    utterances: list[bytes] = field(repr=False)
    """One of about 4 s, and three joined."""


def speakers(speech: Path, source: str) -> list[list[Path]]:
    """The recordings of each speaker, in the order of the manifest."""
    recordings: dict[str, list[Path]] = {}
    with (speech / "manifest.csv").open(encoding="utf-8", newline="") as manifest:
        for row in csv.DictReader(manifest):
            if row["source"] == source:
                recordings.setdefault(row["speaker"], []).append(speech / row["path"])
    return list(recordings.values())


@pytest.fixture(scope="module")
def crowd(customer: Customer, speech: Path) -> list[Person]:
    """Speakers with several utterances, enrolled with the first ones."""
    people = []
    for source, count in CROWD.items():
        for paths in islice(speakers(speech, source), count):
            profile_id = customer.identification.enrolled(*(path.read_bytes() for path in paths[:ENROLLED_WITH]))
            tests = paths[ENROLLED_WITH : ENROLLED_WITH + TESTED_WITH]
            joined = np.concatenate([soundfile.read(path, dtype="float32")[0] for path in tests])
            people.append(Person(profile_id, [tests[0].read_bytes(), wav_bytes(joined)]))
    return people


def others(crowd: list[Person], number: int, count: int) -> list[str]:
    """Profiles of so many others than the person with this number; the same in every run."""
    return Random(number).sample([person.profile_id for person in crowd if person is not crowd[number]], count)


def test_thirty_seconds_of_real_speech_enroll_without_short_audio(client: Client, speech: Path) -> None:
    identification = Profiles(client, "identification")
    profile_id = identification.create()
    answer = identification.enroll(profile_id, (speech / SAMPLES / "wikipediaOcelot.flac").read_bytes())
    result = operation(client, answer)["processingResult"]
    assert result["enrollmentStatus"] == "Enrolled"
    assert result["speechTime"] >= 30.0
    about = (speech / SAMPLES / "aboutSpeechSdk.flac").read_bytes()
    assert identified(client, [profile_id], about, query="") == profile_id


@pytest.mark.parametrize("which", [0, 1], ids=["one utterance", "three utterances"])
def test_the_crowd_is_told_apart(client: Client, crowd: list[Person], which: int) -> None:
    """In lists of ten."""
    assert len(crowd) == sum(CROWD.values())
    for number, person in enumerate(crowd):
        candidates = [person.profile_id, *others(crowd, number, LIST_LENGTH - 1)]
        assert identified(client, candidates, person.utterances[which]) == person.profile_id


def test_strangers_are_nobody(client: Client, crowd: list[Person], speech: Path) -> None:
    """Of the crowd and of another collection, in lists without them. A list aims at 5 %; 2 of these 25 are accepted."""
    collection = islice(speakers(speech, "librispeech-train-clean-100"), STRANGERS)
    strangers = [person.utterances[1] for person in crowd] + [paths[0].read_bytes() for paths in collection]
    taken_for = [
        identified(client, others(crowd, number % len(crowd), LIST_LENGTH), audio)
        for number, audio in enumerate(strangers)
    ]
    assert len(strangers) == len(crowd) + STRANGERS
    assert sum(profile_id != NOBODY for profile_id in taken_for) <= 3
