from __future__ import annotations

import numpy as np

from shared.audio.flac import FlacKeeper
from shared.domain.recording import AudioFormat, Recording, Utterance
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import Floats, file, tone


def kept(samples: Floats) -> bytes:
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", 16_000, 1))
    speech = np.ones(len(samples), dtype=np.bool_)
    return FlacKeeper().encode(Utterance(recording, speech, len(samples) / 16_000, 30.0, 0.0, -20.0))


def test_a_16_bit_recording_is_kept_bit_for_bit_in_less_than_wav() -> None:
    received = decoded(file(tone(2.0)))
    flac = kept(received.samples[0])

    assert str(decoded(flac).format) == "FLAC, PCM_16, 16000 Hz, mono"
    assert np.array_equal(decoded(flac).samples, received.samples)
    assert len(flac) < len(file(tone(2.0)))


def test_full_scale_does_not_wrap_around() -> None:
    assert float(decoded(kept(np.ones(16_000, np.float32))).samples.min()) == 32767 / 32768
