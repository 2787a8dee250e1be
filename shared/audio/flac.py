"""The form in which identification audio is kept."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from shared.domain.recording import SAMPLE_RATE, Utterance

_FULL_SCALE = 32_768


class FlacKeeper:
    """Implements ``shared.services.ports.hearing.AudioKeeper``."""

    def encode(self, utterance: Utterance) -> bytes:
        """The recording as FLAC, 16 kHz 16-bit mono. A 16-bit recording that came at 16 kHz is kept bit for bit."""
        scaled = np.rint(utterance.recording.samples * _FULL_SCALE)
        samples = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
        target = io.BytesIO()
        soundfile.write(target, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        return target.getvalue()
