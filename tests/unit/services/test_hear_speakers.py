"""What is heard of a recording is the same in slices as at once, by the real networks on synthetic voices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.domain.heard_speech import (
    LEAST_CLEAN_SECONDS,
    STEP,
    WINDOW,
    HeardSpeech,
    HeardStretch,
    heard_from_bytes,
    heard_to_bytes,
)
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.segmentation import OnnxSegmentation
from shared.inference.speaker_model import speaker_model
from shared.services.comparison import SpeakerModels
from shared.services.hear_speakers import LEAST_MIXED_SECONDS, HearSpeakers
from tests.voices import QUESTION, STORY, flite

MODEL = "campplus-channels-1"


@pytest.fixture(scope="module")
def hear() -> HearSpeakers:
    catalogue = read_catalogue()
    models = SpeakerModels(speaker_model(catalogue.speaker(MODEL)))
    return HearSpeakers(OnnxSegmentation(OnnxNetwork(catalogue.segmentation)), models)


@pytest.fixture(scope="module")
def conversation() -> Samples:
    return np.concatenate([flite(STORY, "awb"), flite(QUESTION, "slt"), flite(STORY, "slt"), flite(QUESTION, "rms")])


def in_slices(hear: HearSpeakers, samples: Samples, seconds: float) -> list[HeardSpeech]:
    """Each begins where the one before says."""
    heard: list[HeardSpeech] = []
    while not heard or heard[-1].seconds < len(samples) / SAMPLE_RATE:
        start = heard[-1].next_second if heard else 0.0
        first = round(start * SAMPLE_RATE)
        slice_ = samples[first : first + round(seconds * SAMPLE_RATE)]
        heard.append(hear(slice_, start, last=first + len(slice_) == len(samples)))
        (heard[-1],) = heard_from_bytes(heard_to_bytes(heard[-1:]))
    return heard


def comparable(one: HeardStretch) -> tuple[HeardStretch, dict[str, list[float]]]:
    return replace(one, embeddings={}), {name: vector.tolist() for name, vector in one.embeddings.items()}


def test_slices_give_what_the_whole_gives(hear: HearSpeakers, conversation: Samples) -> None:
    whole, slices = hear(conversation, 0.0, last=True), in_slices(hear, conversation, 17.0)
    assert len(slices) > 2
    assert whole.seconds == slices[-1].seconds == len(conversation) / SAMPLE_RATE
    assert whole.end_window == slices[-1].end_window
    told = [stretch for slice_ in slices for stretch in slice_.stretches]
    assert [comparable(one) for one in told] == [comparable(one) for one in whole.stretches]


def test_a_slice_off_the_grid_is_refused(hear: HearSpeakers, conversation: Samples) -> None:
    with pytest.raises(ValueError, match="multiple of"):
        hear(conversation, 1.0, last=True)


@pytest.mark.parametrize(
    ("samples", "last", "windows"),
    [(STEP, False, 0), (WINDOW, False, 1), (WINDOW + STEP, False, 2), (STEP, True, 1), (WINDOW + 1, True, 2)],
)
def test_only_whole_windows_are_heard_until_the_end(hear: HearSpeakers, samples: int, last: bool, windows: int) -> None:
    heard = hear(np.zeros(samples, np.float32), 0.0, last=last)
    assert (heard.end_window, heard.stretches) == (windows, ())
    assert heard.next_second == windows * STEP / SAMPLE_RATE


def test_words_inside_anothers_turn_are_embedded_with_what_is_heard_beside_them(hear: HearSpeakers) -> None:
    turn, words = flite(STORY, "awb").copy(), flite(QUESTION, "slt")[: SAMPLE_RATE * 2]
    turn[SAMPLE_RATE : SAMPLE_RATE + len(words)] += words
    heard = hear(turn, 0.0, last=True).stretches
    mixed = [one for one in heard if one.embeddings and not one.alone]
    assert mixed
    assert all(one.clean_seconds < LEAST_CLEAN_SECONDS and one.seconds >= LEAST_MIXED_SECONDS for one in mixed)
    assert all(one.alone == (one.clean_seconds >= LEAST_CLEAN_SECONDS) for one in heard)
    assert all(one.embeddings or one.seconds < LEAST_MIXED_SECONDS + 0.1 for one in heard)
