from __future__ import annotations

import numpy as np

from shared.audio.flac import FlacKeeper
from shared.domain.recording import AudioFormat, Recording, Utterance
from tests.unit.audio.decoding import decoded
from tests.unit.audio.encoded import Floats, chunk, file, pcm_format, riff, tone


def utterance(samples: Floats) -> Utterance:
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", 16_000, 1))
    return Utterance(recording, np.ones(len(samples), dtype=np.bool_), len(samples) / 16_000, 30.0, 0.0, -20.0)


def test_a_16_bit_recording_is_kept_bit_for_bit() -> None:
    sent = np.random.default_rng(1).integers(-32768, 32768, 32_000).astype("<i2")
    received = decoded(riff(pcm_format(), chunk(b"data", sent.tobytes())))

    kept = decoded(FlacKeeper().encode(utterance(received.samples[0])))

    assert str(kept.format) == "FLAC, PCM_16, 16000 Hz, mono"
    assert np.array_equal(kept.samples, received.samples)


def test_full_scale_does_not_wrap_around() -> None:
    kept = decoded(FlacKeeper().encode(utterance(np.ones(16_000, np.float32))))

    assert float(kept.samples.min()) == 32767 / 32768


def test_it_is_smaller_than_wav() -> None:
    assert len(FlacKeeper().encode(utterance(tone(2.0)))) < len(file(tone(2.0)))
