"""What the encoder makes of speech for phrases by example: every 24 ms, in 32 directions, less its mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.domain.recording import SAMPLE_RATE
from shared.inference.model_card import read_catalogue
from shared.inference.phrase_states import SoundStates, states_card
from shared.inference.transcriber import FEWEST_SAMPLES, Transcriber
from tests.voices import PASSPORT, flite

TRANSCRIBER = Transcriber(states_card(read_catalogue()))
STATES = SoundStates(TRANSCRIBER)


def test_every_24_ms_has_32_numbers_whose_mean_is_zero() -> None:
    speech = flite(PASSPORT)
    states = STATES.of(speech)
    assert len(states) == pytest.approx(len(speech) / SAMPLE_RATE / 0.024, abs=3)
    assert states.shape[1] == 32
    assert np.abs(states.mean(axis=0)).max() < 1e-4 * np.abs(states).max()


def test_what_is_shorter_than_the_encoder_takes_is_repeated() -> None:
    click = flite(PASSPORT)[: FEWEST_SAMPLES // 4]
    assert np.array_equal(STATES.of(click), STATES.of(np.resize(click, FEWEST_SAMPLES)))


def test_without_directions_nothing_is_heard(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SoundStates(TRANSCRIBER, tmp_path / "none.npz").of(flite(PASSPORT))
