"""Recordings through exactly the service's pipeline: the listener decodes, finds speech and refuses, the model embeds.

Nothing of it is imitated here: a change of ``shared/audio`` or ``shared/inference`` changes what is measured.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from shared.audio.listener import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.domain.errors import RecordingRefused, TimbreError
from shared.domain.limits import AudioRules
from shared.domain.profile import Enrollment
from shared.domain.recording import SAMPLE_RATE, Samples, Utterance, Vector
from shared.inference.model_card import SpeakerCard, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.speaker_model import OnnxSpeakerModel, speaker_model
from shared.services.ports.hearing import Listener

FULL: Final = "full"
SHARED: Final = Path(__file__).resolve().parents[2] / "shared"
_APART: Final = ("passphrase", "expected_text", "nearest_part", "phrase_examples", "phrase_states", "calibration")
"""Modules that have no part in an embedding."""
_NO_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When a recording was enrolled makes no difference to its score."""


@dataclass(frozen=True)
class Heard:
    """What the service makes of a recording, or of a stretch of it (``length`` is ``full`` or ``4 s``).

    ``refusal`` is the error's name and ``message`` its text where the recording was refused; then nothing else holds.
    """

    length: str
    embedding: Vector | None = field(default=None, repr=False)
    speech_seconds: float = 0.0
    audio_seconds: float = 0.0
    snr_db: float = 0.0
    refusal: str = ""
    message: str = ""

    def enrollment(self, model_id: str) -> Enrollment:
        """As the service would store it. Only for recordings that were not refused."""
        assert self.embedding is not None
        seconds = self.audio_seconds, self.speech_seconds
        return Enrollment(self.embedding, model_id, *seconds, self.snr_db, _NO_TIME)


@dataclass(frozen=True)
class Pipeline:
    """The service's listener and model. ``fingerprint`` changes with its code: kept results of other code are stale."""

    card: SpeakerCard
    listener: Listener
    model: OnnxSpeakerModel
    fingerprint: str

    def hear(self, body: bytes, rules: AudioRules, cuts: Sequence[int] = ()) -> list[Heard]:
        """The whole recording, then its first stretch with each of these seconds of speech, where it has as much."""
        try:
            utterance = self.listener.listen(body, None, rules)
        except TimbreError as refused:
            return [Heard(FULL, refusal=type(refused).__name__, message=str(refused))]
        heard = [self._embedded(FULL, utterance)]
        waived = replace(rules, min_seconds=0.0, min_speech_seconds=0.0)
        for seconds in cuts:
            for stretch in stretches(utterance, seconds, 1):
                try:
                    cut = self.listener.listen(as_wav(stretch), None, waived)
                except RecordingRefused:  # a stretch may be noisier than the whole
                    continue
                heard.append(self._embedded(f"{seconds} s", cut))
        return heard

    def _embedded(self, length: str, utterance: Utterance) -> Heard:
        measured = (utterance.speech_seconds, utterance.seconds, utterance.snr_db)
        return Heard(length, self.model.embed(utterance), *measured)


def open_pipeline(model_id: str) -> Pipeline:
    """As ``shared/bootstrap.py`` builds it. Raises ``ModelUnknown``; the models must have been built."""
    catalogue = read_catalogue()
    card = catalogue.speaker(model_id)
    activity = catalogue.voice_activity
    detector = VoiceActivity(OnnxNetwork(activity))
    return Pipeline(
        card, RecordingListener(detector), speaker_model(card), f"{(card.file.sha256 or '')[:16]}-{_code()[:16]}"
    )


def stretches(utterance: Utterance, seconds: float, most: int) -> Iterator[Samples]:
    """The recording cut where each next ``seconds`` of speech have been said, pauses left in; at most so many."""
    size = round(seconds * SAMPLE_RATE)
    spoken = np.cumsum(utterance.speech)
    start = 0
    for number in range(1, most + 1):
        if not len(spoken) or spoken[-1] < number * size:
            return
        end = int(np.searchsorted(spoken, number * size)) + 1
        yield utterance.recording.samples[start:end]
        start = end


def as_wav(samples: Samples) -> bytes:
    """16-bit mono WAV at 16 kHz, as a client would send it."""
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


@cache
def _code() -> str:
    every = [*(SHARED / "audio").rglob("*.py"), *(SHARED / "inference").rglob("*.py")]
    sources = sorted(source for source in every if source.stem not in _APART)
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
