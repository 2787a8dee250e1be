"""Level, offset and what lies before and behind the speech change no score: synthetic voices, the real models."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audio.listener import RecordingListener
from shared.domain.errors import AudioTooNoisy
from shared.domain.limits import V2021_SHORT_SPEECH, V2021_SPEECH_ENROLL
from shared.domain.profile import Enrollment, Signature
from shared.domain.recording import Samples, Utterance
from shared.inference.speaker_model import GE2EModel
from shared.services.comparison import SpeakerModels
from tests.voices import QUESTION, STORY, flite, wav_bytes

VOICE, STRANGER = "rms", "slt"
RATES = st.sampled_from([8_000, 16_000, 22_050, 48_000])
_AT = datetime(2026, 1, 1, tzinfo=UTC)


def encoded(samples: Samples, rate: int, encoding: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, soxr.resample(samples, 16_000, rate, quality="HQ"), rate, format="WAV", subtype=encoding)
    return file.getvalue()


def spoken(voice: str = VOICE) -> Samples:
    return between_pauses(flite(QUESTION, voice))


def between_pauses(speech: Samples) -> Samples:
    """With a little hiss, the loudest sample at -7 dB."""
    pause = np.zeros(6_400, np.float32)
    samples = np.concatenate([pause, speech, pause])
    hiss = np.random.default_rng(0).standard_normal(len(samples)) * 2e-4
    mixed: Samples = (0.45 / np.abs(samples).max() * samples + hiss).astype(np.float32)
    return mixed


def utterance(listener: RecordingListener, body: bytes) -> Utterance:
    return listener.listen(body, None, V2021_SHORT_SPEECH)


def score(model: GE2EModel, signature: Signature, heard: Utterance) -> float:
    return float(SpeakerModels(model).scores(heard, [signature])[0])


@pytest.fixture(scope="module")
def signature(listener: RecordingListener, model: GE2EModel) -> Signature:
    """Of the voice, and so that the test's score has room on both sides."""
    heard = listener.listen(wav_bytes(between_pauses(flite(STORY, VOICE)[:80_000])), None, V2021_SPEECH_ENROLL)
    measured = heard.seconds, heard.speech_seconds, heard.snr_db
    return Enrollment(model.embed(heard), model.model_id, *measured, _AT).signature


@settings(max_examples=25, deadline=None)
@given(
    gain_db=st.floats(-24.0, 7.0),
    offset=st.floats(-0.2, 0.2),
    rate=RATES,
    encoding=st.sampled_from(["FLOAT", "PCM_24", "PCM_16"]),
)
def test_level_and_offset_change_no_score(
    listener: RecordingListener, model: GE2EModel, signature: Signature, gain_db: float, offset: float, rate: int,
    encoding: str,
) -> None:  # fmt: skip
    room = 1.0 if encoding == "FLOAT" else 1.0 - abs(offset)
    gain = np.float32(min(10.0 ** (gain_db / 20.0), room / 0.47))
    as_recorded = utterance(listener, encoded(spoken(), rate, "FLOAT"))
    changed = utterance(listener, encoded(gain * spoken() + np.float32(offset), rate, encoding))

    tolerance = 0.02 if encoding == "PCM_16" else 0.01
    expected = score(model, signature, as_recorded)
    assert score(model, signature, changed) == pytest.approx(expected, abs=tolerance)
    assert changed.snr_db > 20.0
    assert changed.level_dbfs == pytest.approx(as_recorded.level_dbfs + 20.0 * np.log10(gain), abs=0.2)


@settings(max_examples=10, deadline=None)
@given(before=st.floats(-0.2, 0.2), behind=st.floats(-0.2, 0.2), where=st.floats(0.0, 1.0))
def test_an_offset_that_steps_is_no_noise(
    listener: RecordingListener, model: GE2EModel, signature: Signature, before: float, behind: float, where: float
) -> None:
    samples = spoken()
    step = np.where(np.arange(len(samples)) < where * len(samples), before, behind).astype(np.float32)

    heard = utterance(listener, encoded(samples + step, 16_000, "PCM_16"))

    assert score(model, signature, heard) > 0.5
    assert heard.snr_db > 10.0


@pytest.mark.parametrize("offset", [0.0, 0.005, 0.05, 0.2])
def test_eight_bits_with_an_offset_are_heard(
    listener: RecordingListener, model: GE2EModel, signature: Signature, offset: float
) -> None:
    heard = utterance(listener, encoded(spoken() + np.float32(offset), 8_000, "PCM_U8"))

    assert score(model, signature, heard) > 0.5


def tones(seconds: float, *hertz: float, on: float = 1.0, off: float = 0.0, amplitude: float = 0.4) -> Samples:
    """Sines that sound ``on`` seconds and pause ``off``."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    sounding = (time % (on + off)) < on
    return (amplitude / len(hertz) * sounding * sum(np.sin(2 * np.pi * h * time) for h in hertz)).astype(np.float32)


def music(seconds: float, seed: int = 0, amplitude: float = 0.3) -> Samples:
    """Chords that die away."""
    random = np.random.default_rng(seed)
    time = np.arange(round(0.5 * 16_000)) / 16_000
    chords = []
    for _ in range(int(2 * seconds)):
        ground = 196.0 * 2 ** (random.integers(0, 14) / 12)
        chord = sum(np.sin(2 * np.pi * ground * step * time) for step in (1.0, 1.26, 1.5, 2.0, 3.0))
        chords.append(chord * np.exp(-2.0 * time) * amplitude / 5)
    return np.concatenate(chords).astype(np.float32)


SIGNALS = {
    "beep": tones(0.5, 1_000.0),
    "loud beep": tones(0.5, 1_000.0, amplitude=0.95),
    "DTMF": np.concatenate([tones(0.6, low, 1_336.0, on=0.1, off=0.1) for low in (697.0, 770.0, 941.0)]),
    "busy tone": tones(3.0, 425.0, on=0.5, off=0.5),
    "ring-back": tones(5.0, 440.0, 480.0, on=2.0, off=3.0),
    "hold music": music(4.0),
}


@pytest.mark.parametrize("place", ["before", "behind", "around", "between"])
@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_signals_around_clean_speech_are_neither_noise_nor_speech(
    listener: RecordingListener, model: GE2EModel, signature: Signature, name: str, place: str, rate: int
) -> None:
    voice, signal = spoken(), SIGNALS[name]
    parts = {
        "before": [signal, voice],
        "behind": [voice, signal],
        "around": [signal, voice, signal],
        "between": [voice, signal, voice],
    }[place]
    alone = utterance(listener, encoded(voice, rate, "PCM_16"))

    heard = utterance(listener, encoded(np.concatenate(parts), rate, "PCM_16"))

    times = 2 if place == "between" else 1
    assert heard.speech_seconds == pytest.approx(times * alone.speech_seconds, abs=0.2 * times)
    assert heard.snr_db > 15.0
    assert score(model, signature, heard) == pytest.approx(score(model, signature, alone), abs=0.1)


@pytest.mark.parametrize("name", ["music", "tone"])
@pytest.mark.parametrize("snr_db", [0.0, 5.0, 10.0])
def test_music_or_a_tone_under_the_speech_is_noise(listener: RecordingListener, name: str, snr_db: float) -> None:
    voice = spoken()
    under = music(9.0)[: len(voice)] if name == "music" else tones(9.0, 440.0)[: len(voice)]
    power = float(np.mean(np.square(flite(QUESTION, VOICE)))) * float(
        np.square(0.45 / np.abs(flite(QUESTION, VOICE)).max())
    )
    under = under * np.float32(np.sqrt(power / 10.0 ** (snr_db / 10.0) / np.mean(np.square(under))))

    rules = V2021_SHORT_SPEECH
    try:
        measured = listener.listen(wav_bytes(0.5 * (voice + under)), None, rules).snr_db
    except AudioTooNoisy as refusal:
        measured = refusal.snr_db

    assert measured == pytest.approx(snr_db, abs=3.0)


def test_a_stranger_stays_a_stranger(listener: RecordingListener, model: GE2EModel, signature: Signature) -> None:
    """Otherwise the tests above would compare nothing."""
    assert score(model, signature, utterance(listener, wav_bytes(spoken(STRANGER)))) < 0.1
