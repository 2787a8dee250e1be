"""How many recordings of each kind are refused for a second voice, by the service's own listener and ear."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from shared.domain.calibration import Calibration
from shared.domain.profile import Signature
from shared.domain.recording import Numbers, Utterance, Vector
from shared.services.cohesion import second_voice
from shared.services.ports.hearing import SpeakerModel
from tools.calibration.hearing import FULL, Heard, Pipeline
from tools.calibration.kept import KeptHearings
from tools.calibration.progress import progress
from tools.evaluation.degradations import Change, clean, mu_law, white_noise
from tools.evaluation.pieces import ANY
from tools.second_voices.recordings import Mixture

CHANNELS: Final[Mapping[str, Change]] = {
    "as recorded": clean,
    "telephone, mu-law": mu_law,
    "white noise, 15 dB": white_noise(15.0),
}
_QUANTILE: Final = 1.96


@dataclass(frozen=True)
class Count:
    """So many ``of`` recordings were refused."""

    refused: int
    of: int

    @property
    def share(self) -> float:
        return self.refused / self.of

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of the share (Wilson 1927)."""
        square = _QUANTILE**2
        middle = (self.refused + square / 2.0) / (self.of + square)
        variance = self.share * (1.0 - self.share) * self.of + square / 4.0
        spread = _QUANTILE * math.sqrt(variance) / (self.of + square)
        return max(0.0, middle - spread), min(1.0, middle + spread)

    def plus(self, other: Count) -> Count:
        return Count(self.refused + other.refused, self.of + other.of)


@dataclass(frozen=True)
class KeptEar:
    """Implements ``SpeakerModel``: what it has embedded once it need not embed again."""

    model: SpeakerModel
    kept: KeptHearings
    fingerprint: str

    @property
    def model_id(self) -> str:
        return self.model.model_id

    @property
    def version(self) -> str:
        return self.model.version

    @property
    def calibration(self) -> Calibration | None:
        return self.model.calibration

    def embed(self, utterance: Utterance) -> Vector:
        key = hashlib.sha256(self.fingerprint.encode() + utterance.spoken.tobytes()).hexdigest()
        known = self.kept.get(key)
        if known is None:
            known = [Heard(FULL, self.model.embed(utterance))]
            self.kept.put(key, known)
        embedding = known[0].embedding
        assert embedding is not None
        return embedding

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        return self.model.scores(embedding, speech_seconds, signatures)

    def scores_of_all(self, embedding: Vector, speech_seconds: float, directions: Vector, seconds: Numbers) -> Numbers:
        return self.model.scores_of_all(embedding, speech_seconds, directions, seconds)

    def with_calibration(self, calibration: Calibration) -> KeptEar:
        return KeptEar(self.model.with_calibration(calibration), self.kept, self.fingerprint)


def counts(mixtures: Sequence[Mixture], channel: str, pipeline: Pipeline, kept: KeptHearings) -> dict[str, Count]:
    """By kind, in the order of the mixtures. Too little speech to be looked at is one voice."""
    ear = KeptEar(pipeline.model, kept, pipeline.fingerprint)
    found: dict[str, Count] = {}
    for one in progress(mixtures, channel):
        random = np.random.default_rng(zlib.crc32(f"{channel} {one.kind} {one.first} {one.number}".encode()))
        utterance = pipeline.listener.listen(CHANNELS[channel](one.samples, random), None, ANY)
        refused = second_voice(ear, utterance) is not None
        found[one.kind] = found.get(one.kind, Count(0, 0)).plus(Count(int(refused), 1))
        if refused == (one.second is None):
            print(f"  {'refused' if refused else 'not found'}: {one.kind}, {one.first}, {one.second}, {one.number}")
    return found
