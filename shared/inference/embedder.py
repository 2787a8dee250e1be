"""The GE2E speaker model: an utterance becomes a direction in 256 dimensions, and directions become scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.domain.profile import Signature
from shared.domain.recording import Utterance, Vector
from shared.inference import calibration
from shared.inference.features import windows
from shared.inference.model_card import SpeakerCard
from shared.inference.session import OnnxNetwork

_BATCH: Final = 32
"""Windows encoded at once: bounds memory (the network needs about 0.7 MB for each); larger batches are no faster."""


class GE2EModel:
    """Implements ``SpeakerModel``. Safe to share between threads."""

    def __init__(self, card: SpeakerCard, network: OnnxNetwork) -> None:
        self._card = card
        self._network = network

    @property
    def model_id(self) -> str:
        return self._card.model_id

    @property
    def version(self) -> str:
        return self._card.version

    def embed(self, utterance: Utterance) -> Vector:
        """The utterance's embedding, unit length, shape [dimension].

        Speech shorter than one window (1.6 s) is repeated to fill it. Raises ``ValueError`` when the utterance has no
        speech at all: the listener refuses such recordings before.
        """
        spoken = utterance.spoken
        if not len(spoken):
            raise ValueError("An utterance without speech has no embedding.")
        mels = windows(spoken)
        total = np.zeros(self._card.dimension, np.float32)
        for start in range(0, len(mels), _BATCH):
            (embeddings,) = self._network.run(["embeddings"], {"mels": mels[start : start + _BATCH]})
            total += embeddings.sum(axis=0)
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        """Calibrated scores in [0, 1], in the order of the signatures; see ``SpeakerModel.scores``.

        Raises ``ValueError`` when a signature is of another model: its numbers would mean nothing here.
        """
        if not signatures:
            return []
        if any(signature.model_id != self.model_id for signature in signatures):
            raise ValueError(f"A signature is not of the model {self.model_id}.")
        directions = np.stack([signature.direction for signature in signatures])
        cosines = np.asarray(directions @ embedding, np.float64)
        enrolled_seconds = np.array([signature.speech_seconds for signature in signatures])
        return [float(x) for x in calibration.scores(self._card.calibration, cosines, speech_seconds, enrolled_seconds)]
