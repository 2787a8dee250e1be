"""Recordings and utterances."""

from __future__ import annotations

import numpy as np

from shared.domain.recording import AudioFormat, Recording, Utterance

FORMAT = AudioFormat("WAV", "PCM_16", 44_100, 2)


def test_a_format_reads_as_a_person_would_say_it() -> None:
    assert str(FORMAT) == "WAV, PCM_16, 44100 Hz, 2 channels"
    assert str(AudioFormat("FLAC", "PCM_24", 16_000, 1)) == "FLAC, PCM_24, 16000 Hz, mono"


def test_seconds_are_counted_at_sixteen_kilohertz() -> None:
    assert Recording(np.zeros(24_000, np.float32), FORMAT).seconds == 1.5


def test_what_is_spoken_is_the_marked_samples_joined_and_is_not_shown() -> None:
    samples = np.arange(6).astype(np.float32) / np.float32(8)
    speech = np.array([False, True, True, False, False, True])
    utterance = Utterance(Recording(samples, FORMAT), speech, 3 / 16_000, 20.0, 0.0, -20.0)
    assert utterance.spoken.tolist() == [0.125, 0.25, 0.625]
    assert not [shown for shown in ("0.125", "array") if shown in repr(utterance)]
