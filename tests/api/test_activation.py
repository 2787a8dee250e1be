"""Active enrollment, where a setting asks for it: a text-independent profile begins with the phrase."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE
from tests.api.client import Client, Profiles
from tests.api.later import IDENTIFICATION, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2021, Generation, Speakers
from tests.service import running_service
from tests.voices import GREETING, PASSPORT, QUESTION, STORY, flite, recording, wav_bytes

pytestmark = pytest.mark.long_on_azure("a host of its own for one setting")
PHRASE = ACTIVATION_PHRASES_BY_LOCALE["en-US"][0]
MISSING = f'Activation phrase is missing. The first enrollment of a profile must contain: "{PHRASE}"'


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    log = tmp_path_factory.mktemp("activation") / "service.log"
    with running_service(log, "--ephemeral", environment={"TIMBRE_ACTIVATION": "true"}) as running:
        yield Client(running.url, running.key)


@pytest.fixture
def speakers(strict: Client) -> Speakers:
    return Speakers(strict, V2021, TEXT_INDEPENDENT)


@pytest.mark.parametrize("voice", ["slt", "awb", "rms"])
def test_the_phrase_activates_until_a_reset(speakers: Speakers, voice: str) -> None:
    profile_id = speakers.enrolled(recording(PHRASE, voice), recording(STORY, voice))
    shown = speakers.show(profile_id)
    assert (shown["profileStatus"], shown["enrollmentsCount"]) == ("Active", 2)
    speakers.reset(profile_id)
    assert speakers.enroll(profile_id, recording(STORY, voice)).error[2] == MISSING


def test_the_phrase_may_stand_among_other_speech(speakers: Speakers) -> None:
    pause = np.zeros(6_000, dtype=np.float32)
    around = np.concatenate([flite(GREETING), pause, flite(PHRASE), pause, flite(QUESTION)])
    assert speakers.enroll(speakers.new(), wav_bytes(around)).status == 201


@pytest.mark.parametrize("kind", [TEXT_INDEPENDENT, IDENTIFICATION])
@pytest.mark.parametrize(
    "sentence", [STORY, "I'll talk for a few seconds.", "so you can recognize my voice in the future"]
)
def test_other_speech_does_not(strict: Client, generation: Generation, kind: str, sentence: str) -> None:
    speakers = Speakers(strict, generation, kind)
    profile_id = speakers.new()
    assert speakers.enroll(profile_id, recording(sentence)).error == (400, "InvalidRequest", MISSING)
    details = speakers.enroll(profile_id, recording(sentence), "&details=true").json["details"]
    assert (details["decidedBy"], details["phrase"]) == ("activation", None)
    assert [advice["code"] for advice in details["advice"]] == ["activationPhrase"]
    assert speakers.show(profile_id)["enrollmentsCount"] == 0


def test_the_oldest_generation_asks_for_it_too(strict: Client) -> None:
    """Or whoever does not want to ask the speaker would go there."""
    identification = Profiles(strict, "identification")
    profile_id = identification.create()
    assert identification.enroll(profile_id, recording(STORY)).error == (400, "BadRequest", f"InvalidPhrase: {MISSING}")
    assert identification.enroll(profile_id, recording(PHRASE), "?shortAudio=true").status == 202


def test_a_locale_whose_phrase_nobody_knows_cannot_be_activated(speakers: Speakers) -> None:
    message = "Activation phrase is missing. None is known for the locale fr-FR."
    assert speakers.enroll(speakers.new("fr-FR"), recording(STORY)).error == (400, "InvalidRequest", message)


def test_a_text_dependent_profile_needs_none(strict: Client) -> None:
    speakers = Speakers(strict, V2021, TEXT_DEPENDENT)
    assert speakers.enroll(speakers.new(), recording(PASSPORT)).status == 201


@pytest.mark.parametrize("name", ["ms-neural-tts/neuralActivationPhrase", "ms-talk/TalkForAFewSeconds16"])
def test_recordings_of_the_phrase_activate(speakers: Speakers, speech: Path, name: str) -> None:
    samples, rate = soundfile.read(speech / "ms-samples" / f"{name}.flac", dtype="int16")
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV")
    assert speakers.enroll(speakers.new(), file.getvalue()).status == 201
