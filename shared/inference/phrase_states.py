"""What Moonshine's encoder makes of speech in any language, along the directions in which its sounds differ.

The encoder knows English words. Most of that, and the voice and the line, is left out: kept are 32 directions in which
the phones of real speech differ most for what one phone differs by (``tools/models/phrase_states.py`` finds them).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Samples
from shared.inference.model_card import CATALOGUE_FILE, Catalogue, TranscriberCard
from shared.inference.transcriber import FEWEST_SAMPLES, Transcriber

Array = npt.NDArray[np.float32]

STATES_ID: Final = "phrase-states-1"
"""Changes with the directions and with the encoder."""
ENCODER: Final = "moonshine-tiny-en-encoder"
DIRECTIONS: Final = CATALOGUE_FILE.with_name("phrase-states.npz")


class SoundStates:
    """Safe to share between threads. Nothing is opened before the first use."""

    def __init__(self, transcriber: Transcriber, directions: Path = DIRECTIONS) -> None:
        self._transcriber, self._file = transcriber, directions

    def of(self, samples: Samples) -> Array:
        """Every 24 ms of samples [n], less the mean of all: [frames, 32]. Too few are repeated.

        Raises ``OSError`` where there are no directions, and what ``Transcriber`` raises.
        """
        states = self._transcriber.hear(np.resize(samples, max(FEWEST_SAMPLES, len(samples)))).states[0]
        return np.asarray((states - states.mean(axis=0)) @ self._directions, np.float32)

    @cached_property
    def _directions(self) -> Array:
        """[width of the states, 32]."""
        with np.load(self._file, allow_pickle=False) as arrays:
            return np.asarray(arrays["directions"], np.float32)


def states_card(catalogue: Catalogue) -> TranscriberCard:
    """The transcriber whose encoder the directions belong to."""
    return next(card for card in catalogue.transcribers if card.encoder.model_id == ENCODER)
