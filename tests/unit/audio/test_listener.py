"""Refusals in their order, each with what was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.audio.listener import RecordingListener
from shared.domain.errors import (
    AudioClipped,
    AudioFormatUnsupported,
    AudioTooLong,
    AudioTooNoisy,
    AudioTooQuiet,
    AudioTooShort,
    RecordingRefused,
    SpeechTooShort,
)
from shared.domain.limits import AudioRules
from tests.unit.audio.encoded import Floats, file, tone
from tests.unit.audio.loudness import Loudness, Told
from tests.unit.audio.test_quality import mix

RULES = AudioRules(min_seconds=1.0, max_seconds=15.0, min_speech_seconds=0.5, min_snr_db=10.0)
LENIENT = AudioRules(1.0, 15.0, min_speech_seconds=0.0, min_snr_db=-100.0, max_clipped_percent=100.0)


def between_pauses(spoken: Floats, noise: float = 0.001) -> Floats:
    samples = np.pad(spoken, 8_000)
    return (samples + noise * np.random.default_rng(0).standard_normal(len(samples))).astype(np.float32)


def overdriven(spoken: Floats, noise: float) -> bytes:
    return file(np.clip(between_pauses(30.0 * spoken, noise), -1.0, 1.0))


def test_an_utterance_carries_what_was_measured() -> None:
    body = file(between_pauses(tone(2.0, amplitude=0.1)))

    utterance = RecordingListener(Loudness()).listen(body, "audio/wav", RULES)

    assert utterance.seconds == 3.0
    assert utterance.speech_seconds == pytest.approx(2.0, abs=0.04)
    assert utterance.level_dbfs == pytest.approx(-23.0, abs=0.2)
    assert utterance.snr_db == pytest.approx(37.0, abs=1.0)
    assert utterance.clipped_percent == 0.0
    assert len(utterance.spoken) == utterance.speech_seconds * 16_000


SPOKEN, SPEECH = mix(20.0)
LOUD = np.where(np.arange(len(SPOKEN)) - 16_000 < 0.2 * 64_000, 1.0, SPOKEN).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "rule", "truth", "step", "kind"),
    [
        (SPOKEN, "min_seconds", 6.0, 0.025, AudioTooShort),
        (SPOKEN, "max_seconds", 6.0, -0.025, AudioTooLong),
        (SPOKEN, "min_speech_seconds", 4.0, 0.025, SpeechTooShort),
        (SPOKEN, "min_snr_db", 20.0, 0.5, AudioTooNoisy),
        (SPOKEN, "min_level_dbfs", 10 * np.log10(0.05**2 * 1.01), 0.5, AudioTooQuiet),
        (LOUD, "max_clipped_percent", 20.0, -0.5, AudioClipped),
    ],
)
def test_each_limit_holds_to_25_ms_and_half_a_decibel(
    samples: Floats, rule: str, truth: float, step: float, kind: type[RecordingRefused]
) -> None:
    listener, body = RecordingListener(Told(lambda _: SPEECH)), file(samples, encoding="FLOAT")

    listener.listen(body, None, replace(LENIENT, **{rule: truth - step}))
    with pytest.raises(kind):
        listener.listen(body, None, replace(LENIENT, **{rule: truth + step}))


@pytest.mark.parametrize(
    ("body", "rules", "kind", "measure", "value"),
    [
        (file(tone(0.5, 8_000), 8_000), RULES, AudioFormatUnsupported, "received", "WAV, PCM_16, 8000 Hz, mono"),
        (file(np.zeros(8_000, np.float32)), RULES, AudioTooShort, "seconds", 0.5),
        (file(tone(15.1)), RULES, AudioTooLong, "seconds", pytest.approx(15.1)),
        (overdriven(tone(0.3), 0.001), RULES, SpeechTooShort, "speech_seconds", pytest.approx(0.3, abs=0.04)),
        (file(np.zeros(32_000, np.float32)), LENIENT, SpeechTooShort, "speech_seconds", 0.0),
        (overdriven(tone(2.0), 0.3), RULES, AudioClipped, "clipped_percent", pytest.approx(64.0, abs=3.0)),
    ],
    ids=["format", "short", "long", "speech", "silence", "clipped"],
)
def test_the_first_rule_that_a_recording_breaks_is_named_with_its_measure(
    body: bytes, rules: AudioRules, kind: type[RecordingRefused], measure: str, value: object
) -> None:
    listener = RecordingListener(Loudness(), strict=kind is AudioFormatUnsupported)

    with pytest.raises(kind) as refusal:
        listener.listen(body, None, rules)

    assert getattr(refusal.value, measure) == value


def test_noise_is_refused_with_its_measure() -> None:
    """In which loudness finds nothing: speech is all but the first and last half second."""
    middle = Told(lambda samples: np.pad(np.ones(len(samples) - 16_000, np.bool_), 8_000))
    with pytest.raises(AudioTooNoisy) as refusal:
        RecordingListener(middle).listen(file(between_pauses(tone(2.0, amplitude=0.1), noise=0.05)), None, RULES)

    assert refusal.value.snr_db == pytest.approx(3.0, abs=1.0)
