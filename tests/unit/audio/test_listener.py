from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.audio.listener import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.domain.errors import (
    AudioClipped,
    AudioFormatUnsupported,
    AudioTooLong,
    AudioTooNoisy,
    AudioTooShort,
    SpeechTooShort,
)
from shared.domain.limits import V1_VERIFICATION, AudioRules
from shared.inference.onnx_network import OnnxNetwork
from tests.speech.make import RATE
from tests.unit.audio.encoded import Floats, file, tone
from tests.unit.audio.loudness import Loudness
from tests.voices import PASSPORT, flite

RULES = AudioRules(min_seconds=1.0, max_seconds=15.0, min_speech_seconds=0.5, min_snr_db=10.0)
SPEECH = Path(__file__).resolve().parents[4] / "shared" / "speech"
MODEL = Path(__file__).resolve().parents[3] / "models" / "silero_vad.onnx"


def between_pauses(spoken: Floats, noise: float = 0.001) -> Floats:
    pause = np.zeros(8_000, dtype=np.float32)
    samples = np.concatenate([pause, spoken, pause])
    return (samples + noise * np.random.default_rng(0).standard_normal(len(samples))).astype(np.float32)


def test_an_utterance_carries_what_was_measured() -> None:
    body = file(between_pauses(tone(2.0, amplitude=0.1)))

    utterance = RecordingListener(Loudness()).listen(body, "audio/wav", RULES)

    assert utterance.seconds == 3.0
    assert utterance.speech_seconds == pytest.approx(2.0, abs=0.04)
    assert utterance.level_dbfs == pytest.approx(-23.0, abs=0.2)
    assert utterance.snr_db == pytest.approx(37.0, abs=1.0)
    assert utterance.clipped_percent == 0.0
    assert len(utterance.spoken) == utterance.speech_seconds * 16_000


def test_too_short_comes_before_everything_but_the_format() -> None:
    with pytest.raises(AudioTooShort):
        RecordingListener(Loudness()).listen(file(np.zeros(8_000, dtype=np.float32)), None, RULES)


def test_too_long() -> None:
    with pytest.raises(AudioTooLong):
        RecordingListener(Loudness()).listen(file(tone(15.1)), None, RULES)


def test_strict_refuses_another_format_even_when_too_short() -> None:
    with pytest.raises(AudioFormatUnsupported):
        RecordingListener(Loudness(), strict=True).listen(file(tone(0.5, 8_000), 8_000), None, RULES)


def test_too_little_speech_comes_before_clipping() -> None:
    with pytest.raises(SpeechTooShort) as refusal:
        RecordingListener(Loudness()).listen(
            file(between_pauses(np.clip(tone(0.3, amplitude=3.0), -1.0, 1.0))), None, RULES
        )

    assert refusal.value.speech_seconds == pytest.approx(0.3, abs=0.04)


def test_silence_has_no_speech_whatever_the_minimum() -> None:
    lenient = AudioRules(1.0, 15.0, min_speech_seconds=0.0, min_snr_db=-100.0)

    with pytest.raises(SpeechTooShort) as refusal:
        RecordingListener(Loudness()).listen(file(np.zeros(32_000, dtype=np.float32)), None, lenient)

    assert refusal.value.speech_seconds == 0.0


def test_clipping_comes_before_noise() -> None:
    pause = (0.3 * np.random.default_rng(0).standard_normal(8_000)).astype(np.float32)
    overdriven = np.concatenate([pause, tone(2.0, amplitude=3.0), pause])

    with pytest.raises(AudioClipped) as refusal:
        RecordingListener(Loudness()).listen(file(np.clip(overdriven, -1.0, 1.0)), None, RULES)

    assert refusal.value.clipped_percent > 20.0


def test_noise_is_refused_with_its_measure() -> None:
    with pytest.raises(AudioTooNoisy) as refusal:
        RecordingListener(AlwaysInTheMiddle()).listen(
            file(between_pauses(tone(2.0, amplitude=0.1), noise=0.05)), None, RULES
        )

    assert refusal.value.snr_db == pytest.approx(3.0, abs=1.0)


def test_synthesised_speech_is_heard_by_the_real_detector() -> None:
    if not MODEL.exists():
        pytest.skip("needs models/silero_vad.onnx: python dev.py model")
    voice = flite(PASSPORT)

    utterance = RecordingListener(VoiceActivity(OnnxNetwork(MODEL))).listen(file(between_pauses(voice)), None, RULES)

    assert 0.6 * len(voice) / RATE < utterance.speech_seconds < len(voice) / RATE + 0.5
    assert utterance.snr_db > 20.0
    assert utterance.clipped_percent == 0.0


@pytest.mark.speech
def test_real_passphrase_takes_keep_the_rules_of_verification() -> None:
    takes = sorted((SPEECH / "ms-samples" / "ms-passport").glob("myVoiceIsMyPassport*.flac"))
    if not takes or not MODEL.exists():
        pytest.skip("needs ../shared/speech and models/silero_vad.onnx (python dev.py model)")
    listener = RecordingListener(VoiceActivity(OnnxNetwork(MODEL)))

    utterances = [listener.listen(take.read_bytes(), None, V1_VERIFICATION) for take in takes]

    assert min(utterance.speech_seconds for utterance in utterances) > 1.5
    assert min(utterance.snr_db for utterance in utterances) > 25.0


class AlwaysInTheMiddle:
    """For noise in which loudness finds nothing: speech is all but the first and last half second."""

    def speech_mask(self, samples: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        mask = np.zeros(len(samples), dtype=np.bool_)
        mask[8_000:-8_000] = True
        return mask
