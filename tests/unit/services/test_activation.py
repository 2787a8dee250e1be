"""Where in a recording the activation phrase is looked for."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.errors import ActivationNotHeard
from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE
from shared.domain.recording import SAMPLE_RATE, AudioFormat, Recording, Utterance
from shared.inference.model_card import read_catalogue
from shared.inference.passphrase import TranscribedPassphraseRecogniser
from shared.inference.transcriber import Transcriber
from shared.services.activation import passages, require_activation
from tests.unit.services.spoken import TII, World
from tests.voices import flite

PHRASE = ACTIVATION_PHRASES_BY_LOCALE["en-US"][0]


def utterance(*parts: tuple[str, float]) -> Utterance:
    """Speech and pauses in turn, in seconds."""
    mask = np.concatenate([np.full(round(seconds * SAMPLE_RATE), what == "speech") for what, seconds in parts])
    recording = Recording(np.arange(len(mask), dtype=np.float32), AudioFormat("WAV", "PCM_16", SAMPLE_RATE, 1))
    return Utterance(recording, mask, float(mask.sum()) / SAMPLE_RATE, 30.0, 0.0, -20.0)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([("pause", 0.5), ("speech", 4.0), ("pause", 0.5)], [(0.5, 4.0, 4.0)]),
        ([("speech", 2.0), ("pause", 0.19), ("speech", 2.0)], [(0.0, 4.19, 4.0)]),
        (
            [("speech", 1.0), ("pause", 0.5), ("speech", 3.0), ("pause", 0.5), ("speech", 3.0)],
            [(0.0, 4.5, 4.0), (0.0, 8.0, 7.0), (1.5, 3.0, 3.0), (1.5, 6.5, 6.0), (5.0, 3.0, 3.0)],
        ),
        ([("speech", 2.4)], []),
        ([("speech", 9.1)], []),
        ([("pause", 5.0)], []),
    ],
    ids=["alone", "a breath inside", "from any pause to any other", "too short", "too long", "silence"],
)
def test_the_start_length_and_speech_of_each_passage(
    parts: list[tuple[str, float]], expected: list[tuple[float, float, float]]
) -> None:
    found = [
        (float(each.recording.samples[0]) / SAMPLE_RATE, each.seconds, each.speech_seconds)
        for each in passages(utterance(*parts))
    ]
    assert found == [pytest.approx(passage, abs=1e-3) for passage in expected]


def test_the_phrase_is_not_looked_for_behind_words_without_a_pause() -> None:
    world = World()
    profile = world.profiles.get(world.create(TII))
    recogniser = TranscribedPassphraseRecogniser(Transcriber(read_catalogue().transcribers[0]))
    require_activation(recogniser, profile, without_pauses(PHRASE))
    with pytest.raises(ActivationNotHeard):
        require_activation(recogniser, profile, without_pauses(f"well um {PHRASE}"))


def without_pauses(text: str) -> Utterance:
    samples = flite(text, "slt")
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", SAMPLE_RATE, 1))
    return Utterance(recording, np.ones(len(samples), bool), len(samples) / SAMPLE_RATE, 30.0, 0.0, -20.0)
