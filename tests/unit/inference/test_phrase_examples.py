"""Takes of a phrase that nobody wrote down: the same sentence at another pace is the same, another sentence is not."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.limits import MAX_PHRASE_TEMPLATE_BYTES
from shared.domain.passphrase import BY_EXAMPLE, PhraseTemplate
from shared.domain.recording import SAMPLE_RATE, AudioFormat, Recording, Samples, Utterance
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.phrase_examples import AlignedTakes
from shared.inference.phrase_states import SoundStates, states_card
from shared.inference.transcriber import Transcriber
from tests.voices import CHINESE, GERMAN, HOUSTON, OTHER_CHINESE, OTHER_GERMAN, OUTSIDE, PASSPORT, flite

CATALOGUE = read_catalogue()
CARD = CATALOGUE.phrases
STATES = SoundStates(Transcriber(states_card(CATALOGUE)))
TAKES = AlignedTakes(OnnxNetwork(CARD), CARD.model_id, STATES)


def spoken(samples: Samples) -> Utterance:
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", SAMPLE_RATE, 1))
    speech = np.ones(len(samples), np.bool_)
    return Utterance(recording, speech, len(samples) / SAMPLE_RATE, 30.0, 0.0, -20.0)


def template(text: str, pace: float = 1.0, voice: str = "slt") -> PhraseTemplate:
    return TAKES.template(spoken(flite(text, voice, pace)))


@pytest.mark.parametrize(
    ("voice", "phrase", "other"), [("pico.de", GERMAN, OTHER_GERMAN), ("espeak.zh", CHINESE, OTHER_CHINESE)]
)
def test_a_phrase_may_be_of_any_language(voice: str, phrase: str, other: str) -> None:
    takes = [template(phrase, pace, voice) for pace in (0.94, 1.0, 1.06)]
    assert TAKES.compare(template(phrase, 1.03, voice), takes).recognised
    assert not TAKES.compare(template(other, 1.0, voice), takes).recognised


@pytest.fixture(scope="module")
def enrolled() -> list[PhraseTemplate]:
    return [template(PASSPORT, pace) for pace in (0.94, 0.99, 1.04)]


def test_the_same_sentence_at_another_pace_is_the_phrase(enrolled: list[PhraseTemplate]) -> None:
    heard = TAKES.compare(template(PASSPORT), enrolled)
    assert (heard.phrase, heard.recognised) == (BY_EXAMPLE, True)


@pytest.mark.parametrize("text", [HOUSTON, OUTSIDE, "my password is not your business", "my voice is my passport"])
def test_another_sentence_of_the_same_voice_is_not(enrolled: list[PhraseTemplate], text: str) -> None:
    assert not TAKES.compare(template(text), enrolled).recognised


def test_one_word_may_make_another_phrase() -> None:
    """By the frames of the speaker network alone it would be the same."""
    assert not TAKES.compare(template("houston we have had no problem"), [template(HOUSTON)]).recognised


def test_nothing_enrolled_is_nothing_said() -> None:
    assert not TAKES.compare(template(PASSPORT), []).recognised


def test_a_template_of_the_longest_recording_has_its_bound_and_says_who_made_it() -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.1, 15 * SAMPLE_RATE).astype(np.float32)
    made = TAKES.template(spoken(noise))
    assert made.front_end == "phrase-frames-1+phrase-states-1"
    assert len(made.content) <= MAX_PHRASE_TEMPLATE_BYTES
    assert repr(made.content) not in repr(made)
