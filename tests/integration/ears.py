"""Recordings, and what the service must have computed of them."""

from __future__ import annotations

import base64
import io

import numpy as np
import soundfile

from shared.bootstrap import build
from shared.config import read
from shared.domain.limits import V1_SHORT_AUDIO
from shared.domain.recording import Utterance, Vector
from tests.speech.make import RATE
from tests.voices import flite, wav_bytes


def recording(text: str, voice: str, seed: int) -> bytes:
    """A WAV that no other one shares 4 ms with: a faint noise of its own lies over it, also where nobody speaks."""
    samples = flite(text, voice)
    noise = np.random.default_rng(seed).normal(scale=0.001, size=len(samples)).astype(np.float32)
    return wav_bytes(np.asarray(samples + noise, dtype=np.float32))


def pcm(wav: bytes) -> bytes:
    """16 kHz 16-bit mono, without a header."""
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert rate == RATE
    return bytes(samples.tobytes())


class Ears:
    """The service's own listener and model in this process, to know what the service must have computed."""

    def __init__(self, connection_string: str) -> None:
        key = "local:" + base64.b64encode(bytes(32)).decode()
        settings = {"VOICE_STORAGE": connection_string, "TIMBRE_KEY_ENCRYPTION": key}
        services = build(read(settings))
        self._verify, self._turns = services.verify, services.identify_turns

    def hear(self, wav: bytes) -> tuple[Utterance, Vector]:
        utterance = self._verify.listener.listen(wav, None, V1_SHORT_AUDIO)
        return utterance, self._verify.models.current.embed(utterance)

    def heard(self, wav: bytes) -> list[Vector]:
        """The embeddings of each stretch of speech, as a long recording's slice hands them on."""
        samples = np.frombuffer(pcm(wav), "<i2").astype(np.float32) / np.float32(32_768)
        found = self._turns.hear(samples, 0.0, last=True).stretches
        return [embedding for stretch in found for embedding in stretch.embeddings.values()]
