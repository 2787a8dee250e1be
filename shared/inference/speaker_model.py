"""Speaker models: an utterance becomes a direction, and directions become scores.

The card's front end says how speech becomes the sum of its stretches' embeddings. Norming, the ban on foreign
signatures and the calibration are the same for all.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from shared.domain.calibration import Calibration
from shared.domain.measurement import note, stage
from shared.domain.profile import Signature
from shared.domain.recording import Samples, Utterance, Vector
from shared.inference import calibration
from shared.inference.calibration import Numbers
from shared.inference.fbank import leveled, segments
from shared.inference.mel_windows import windows
from shared.inference.model_card import CATALOGUE_FILE, KALDI_FBANK80, FbankRules, SpeakerCard
from shared.inference.onnx_network import ModelUnfit, OnnxNetwork

logger: Final = logging.getLogger(__name__)

LEVEL_DBFS: Final = -23.0
"""RMS level to which speech is brought before it is embedded: GE2E hears linear power, and the same samples 24 dB
quieter were another voice to it. Equal errors over single sentences of 50 speakers are least from -20 to -28 dBFS (3.7
to 3.9 %; 4.3 % at -30), and the development speech lies at -24 in the median."""
_BATCH: Final = 32
"""Windows encoded at once: bounds memory (the network needs about 0.7 MB for each); larger batches are no faster."""


class OnnxSpeakerModel:
    """Implements ``SpeakerModel``. Safe to share between threads. Nothing is opened before the first use."""

    def __init__(self, card: SpeakerCard, network: OnnxNetwork) -> None:
        if card.front_end == KALDI_FBANK80 and card.fbank is None:
            raise ValueError(f"The card of {card.model_id} lacks the settings of its front end.")
        self._card, self._network = card, network
        self.model_id, self.version, self.calibration = card.model_id, card.version, card.calibration
        self._noticed = card.calibration is not None

    def with_calibration(self, calibration: Calibration) -> OnnxSpeakerModel:
        """The same network, opened once; its scores by another calibration."""
        return OnnxSpeakerModel(replace(self._card, calibration=calibration), self._network)

    def embed(self, utterance: Utterance) -> Vector:
        """The embedding of the utterance, unit length, shape [dimension]. The recording's level makes no difference.

        Speech shorter than the network needs is repeated to fill it. Raises ``ValueError`` when the utterance has no
        speech at all: the listener refuses such recordings before. ``ModelFileMissing``, ``ModelUnfit`` at first use.
        """
        return self.embed_samples(leveled(utterance.spoken, LEVEL_DBFS))

    def embed_samples(self, spoken: Samples) -> Vector:
        """The same for speech alone, shape [n], at the level that it has."""
        if not len(spoken):
            raise ValueError("An utterance without speech has no embedding.")
        note(model_id=self.model_id)
        with stage("embed"):
            total = self._windowed(spoken) if self._card.fbank is None else self._segmented(spoken, self._card.fbank)
        length = float(np.linalg.norm(total))
        if total.shape != (self._card.dimension,) or not 0.0 < length < np.inf:
            given = f"gives {total.shape} of length {length:.3g}"
            raise ModelUnfit(self.model_id, f"{given}, its card says ({self._card.dimension},)")
        self._notice()
        return np.asarray(total / length, dtype=np.float32)

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        """Calibrated scores in [0, 1], in the order of the signatures; see ``SpeakerModel.scores``.

        Raises ``ValueError`` when a signature is of another model: its numbers would mean nothing here.
        """
        if not signatures:
            return []
        if any(signature.model_id != self.model_id for signature in signatures):
            raise ValueError(f"A signature is not of the model {self.model_id}.")
        directions = np.stack([signature.direction for signature in signatures])
        enrolled_seconds = np.array([signature.speech_seconds for signature in signatures])
        return [float(score) for score in self.scores_of_all(embedding, speech_seconds, directions, enrolled_seconds)]

    def scores_of_all(self, embedding: Vector, speech_seconds: float, directions: Vector, seconds: Numbers) -> Numbers:
        """Every candidate is calibrated, not the nearest alone: with more speech behind it, a smaller cosine can be
        the better score.

        Row by row: BLAS's product of matrix and vector adds a row up otherwise at another place of the matrix, so
        that a voice would score otherwise in a list than alone. It is no faster: memory is the bound.
        """
        cosines = np.vecdot(directions, embedding).astype(np.float64)
        return calibration.scores(self.calibration, cosines, speech_seconds, seconds)

    def _windowed(self, spoken: Samples) -> Vector:
        """GE2E: the sum of the embeddings, each of unit length, of windows of 1.6 s."""
        mels = windows(spoken)
        batches = (mels[start : start + _BATCH] for start in range(0, len(mels), _BATCH))
        sums = [self._network.run(["embeddings"], {"mels": batch})[0].sum(axis=0) for batch in batches]
        return np.asarray(np.sum(sums, axis=0), np.float32)

    def _segmented(self, spoken: Samples, rules: FbankRules) -> Vector:
        """Networks that hear a whole utterance: one input [1, frames, 80], one output.

        Each segment's embedding is normed and weighs as much as it has frames. Input and output are taken by place, not
        by name: exporters call them ``feats`` and ``embs``, ``feature`` and ``embedding``, ``x`` and whatnot.
        """
        total = np.zeros((), np.float32)
        for features in segments(spoken, rules):
            embedding = self._network.run_single(features[None])[0]
            total = total + embedding * np.float32(len(features) / (np.linalg.norm(embedding) or 1.0))
        return total

    def _notice(self) -> None:
        """Once for each process, so that an operator sees it after every start."""
        if not self._noticed:
            self._noticed = True
            logger.warning(
                "model_uncalibrated model=%s accepts_from_cosine=%.2f: its scores carry no false-match rate; "
                "calibrate it with python -m tools.calibrate",
                self.model_id,
                calibration.UNCALIBRATED_COSINE,
            )


def speaker_model(card: SpeakerCard, folder: Path = CATALOGUE_FILE.parent) -> OnnxSpeakerModel:
    """The model that the card describes, its file in ``folder``."""
    return OnnxSpeakerModel(card, OnnxNetwork(card, folder))
