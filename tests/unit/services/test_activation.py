"""Where in a recording the activation phrase is looked for."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.errors import ActivationNotHeard
from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE
from shared.domain.profile import ProfileKind
from shared.domain.recording import SAMPLE_RATE, AudioFormat, Recording, Utterance
from shared.inference.passphrase import SphinxPassphraseRecogniser
from shared.services.activation import RequireActivation, passages
from tests.unit.services.spoken import World
from tests.voices import flite

PHRASE = ACTIVATION_PHRASES_BY_LOCALE["en-US"][0]


def utterance(*parts: tuple[str, float]) -> Utterance:
    """Speech and pauses in turn, in seconds."""
    mask = np.concatenate([np.full(round(seconds * SAMPLE_RATE), what == "speech") for what, seconds in parts])
    recording = Recording(np.arange(len(mask), dtype=np.float32), AudioFormat("WAV", "PCM_16", SAMPLE_RATE, 1))
    return Utterance(recording, mask, float(mask.sum()) / SAMPLE_RATE, 30.0, 0.0, -20.0)


def seconds(of: Utterance) -> list[tuple[float, float]]:
    """Start and length of every passage."""
    return [(round(float(one.recording.samples[0]) / SAMPLE_RATE, 2), round(one.seconds, 2)) for one in passages(of)]


def test_a_recording_of_the_phrase_alone_is_one_passage() -> None:
    one = utterance(("pause", 0.5), ("speech", 4.0), ("pause", 0.5))
    assert seconds(one) == [(0.5, 4.0)]
    (only,) = passages(one)
    assert only.speech.all()
    assert only.speech_seconds == 4.0


def test_breaths_inside_the_phrase_do_not_cut_it() -> None:
    assert seconds(utterance(("speech", 2.0), ("pause", 0.19), ("speech", 2.0))) == [(0.0, 4.19)]


def test_passages_run_from_any_pause_to_any_other() -> None:
    one = utterance(("speech", 1.0), ("pause", 0.5), ("speech", 3.0), ("pause", 0.5), ("speech", 3.0))
    assert seconds(one) == [(0.0, 4.5), (0.0, 8.0), (1.5, 3.0), (1.5, 6.5), (5.0, 3.0)]


@pytest.mark.parametrize("length", [2.4, 9.1])
def test_what_is_shorter_or_longer_than_the_phrase_can_be_is_left_out(length: float) -> None:
    assert seconds(utterance(("speech", length))) == []


def test_silence_has_no_passages() -> None:
    assert seconds(utterance(("pause", 5.0))) == []


def test_the_phrase_is_not_looked_for_behind_words_without_a_pause() -> None:
    world = World()
    profile = world.profiles.get(world.create(ProfileKind.IDENTIFICATION))
    require = RequireActivation(SphinxPassphraseRecogniser())

    require(profile, without_pauses(PHRASE))
    with pytest.raises(ActivationNotHeard):
        require(profile, without_pauses(f"well um {PHRASE}"))


def without_pauses(text: str) -> Utterance:
    samples = flite(text, "slt")
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", SAMPLE_RATE, 1))
    return Utterance(recording, np.ones(len(samples), bool), len(samples) / SAMPLE_RATE, 30.0, 0.0, -20.0)
