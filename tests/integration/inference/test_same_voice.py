"""Level, offset, lines and what lies before and behind the speech leave a voice what it is: synthetic voices, the real
models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audio.listener import RecordingListener
from shared.config import MODEL
from shared.domain.errors import AudioTooNoisy
from shared.domain.limits import V2021_SHORT_SPEECH, V2021_SPEECH_ENROLL, AudioRules
from shared.domain.profile import Enrollment, Signature
from shared.domain.recording import Samples, Utterance
from shared.inference.model_card import read_catalogue
from shared.inference.speaker_model import OnnxSpeakerModel, speaker_model
from shared.services.comparison import SpeakerModels
from tests.unit.audio.encoded import file
from tests.voices import QUESTION, STORY, flite, wav_bytes
from tools.evaluation import degradations

VOICE, STRANGER = "rms", "slt"
VOICES = ("slt", "awb", "rms", "kal16")
ANY_NOISE = AudioRules(0.5, 60.0, min_speech_seconds=0.5, min_snr_db=-20.0)


def encoded(samples: Samples, rate: int, encoding: str) -> bytes:
    return file(soxr.resample(samples, 16_000, rate, quality="HQ"), rate, encoding=encoding)


def between_pauses(speech: Samples) -> Samples:
    """With a little hiss, the loudest sample at -7 dB."""
    samples = np.pad(speech, 6_400)
    hiss = np.random.default_rng(0).standard_normal(len(samples)) * 2e-4
    mixed: Samples = (0.45 / np.abs(samples).max() * samples + hiss).astype(np.float32)
    return mixed


SPOKEN = between_pauses(flite(QUESTION, VOICE))


def utterance(listener: RecordingListener, body: bytes) -> Utterance:
    return listener.listen(body, None, V2021_SHORT_SPEECH)


def enrolled(listener: RecordingListener, model: OnnxSpeakerModel, samples: Samples, rules: AudioRules) -> Signature:
    heard = listener.listen(wav_bytes(samples), None, rules)
    measured = heard.seconds, heard.speech_seconds, heard.snr_db
    return Enrollment(model.embed(heard), model.model_id, *measured, datetime(2026, 1, 1, tzinfo=UTC)).signature


@pytest.fixture(scope="module")
def score(listener: RecordingListener, model: OnnxSpeakerModel) -> Callable[[Utterance], float]:
    """Against the voice, enrolled so that the score has room on both sides."""
    signature = enrolled(listener, model, between_pauses(flite(STORY, VOICE)[:80_000]), V2021_SPEECH_ENROLL)
    return lambda heard: SpeakerModels(model).score(heard, signature)


Score = Callable[[Utterance], float]


@settings(max_examples=25, deadline=None)
@given(
    gain_db=st.floats(-24.0, 7.0),
    offset=st.floats(-0.2, 0.2),
    rate=st.sampled_from([8_000, 16_000, 22_050, 48_000]),
    encoding=st.sampled_from(["FLOAT", "PCM_24", "PCM_16"]),
)
def test_level_and_offset_change_no_score(
    listener: RecordingListener, score: Score, gain_db: float, offset: float, rate: int, encoding: str
) -> None:
    room = 1.0 if encoding == "FLOAT" else 1.0 - abs(offset)
    gain = np.float32(min(10.0 ** (gain_db / 20.0), room / 0.47))
    as_recorded = utterance(listener, encoded(SPOKEN, rate, "FLOAT"))
    changed = utterance(listener, encoded(gain * SPOKEN + np.float32(offset), rate, encoding))

    assert score(changed) == pytest.approx(score(as_recorded), abs=0.02 if encoding == "PCM_16" else 0.01)
    assert changed.snr_db > 20.0
    assert changed.level_dbfs == pytest.approx(as_recorded.level_dbfs + 20.0 * np.log10(gain), abs=0.2)


@settings(max_examples=10, deadline=None)
@given(before=st.floats(-0.2, 0.2), behind=st.floats(-0.2, 0.2), where=st.floats(0.0, 1.0))
def test_an_offset_that_steps_is_no_noise(
    listener: RecordingListener, score: Score, before: float, behind: float, where: float
) -> None:
    step = np.where(np.arange(len(SPOKEN)) < where * len(SPOKEN), before, behind).astype(np.float32)

    heard = utterance(listener, encoded(SPOKEN + step, 16_000, "PCM_16"))

    assert score(heard) > 0.5
    assert heard.snr_db > 10.0


@pytest.mark.parametrize("offset", [0.0, 0.005, 0.05, 0.2])
def test_eight_bits_with_an_offset_are_heard(listener: RecordingListener, score: Score, offset: float) -> None:
    assert score(utterance(listener, encoded(SPOKEN + np.float32(offset), 8_000, "PCM_U8"))) > 0.5


def tones(seconds: float, *hertz: float, on: float = 1.0, off: float = 0.0, amplitude: float = 0.4) -> Samples:
    """Sines that sound ``on`` seconds and pause ``off``."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    sounding = (time % (on + off)) < on
    return (amplitude / len(hertz) * sounding * sum(np.sin(2 * np.pi * h * time) for h in hertz)).astype(np.float32)


def music(seconds: float) -> Samples:
    """Chords that die away."""
    random, time = np.random.default_rng(0), np.arange(8_000) / 16_000
    chords = []
    for _ in range(int(2 * seconds)):
        ground = 196.0 * 2 ** (random.integers(0, 14) / 12)
        chord = sum(np.sin(2 * np.pi * ground * step * time) for step in (1.0, 1.26, 1.5, 2.0, 3.0))
        chords.append(chord * np.exp(-2.0 * time) * 0.06)
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
    listener: RecordingListener, score: Score, name: str, place: str, rate: int
) -> None:
    signal = SIGNALS[name]
    parts = {
        "before": [signal, SPOKEN],
        "behind": [SPOKEN, signal],
        "around": [signal, SPOKEN, signal],
        "between": [SPOKEN, signal, SPOKEN],
    }[place]
    alone = utterance(listener, encoded(SPOKEN, rate, "PCM_16"))

    heard = utterance(listener, encoded(np.concatenate(parts), rate, "PCM_16"))

    times = 2 if place == "between" else 1
    assert heard.speech_seconds == pytest.approx(times * alone.speech_seconds, abs=0.2 * times)
    assert heard.snr_db > 15.0
    assert score(heard) == pytest.approx(score(alone), abs=0.1)


@pytest.mark.parametrize("under", [music(9.0), tones(9.0, 440.0)], ids=["music", "tone"])
@pytest.mark.parametrize("snr_db", [0.0, 5.0, 10.0])
def test_music_or_a_tone_under_the_speech_is_noise(listener: RecordingListener, under: Samples, snr_db: float) -> None:
    speech = flite(QUESTION, VOICE)
    power = float(np.mean(np.square(0.45 / np.abs(speech).max() * speech)))
    under = under[: len(SPOKEN)]
    under = under * np.float32(np.sqrt(power / 10.0 ** (snr_db / 10.0) / np.mean(np.square(under))))

    try:
        measured = utterance(listener, wav_bytes(0.5 * (SPOKEN + under))).snr_db
    except AudioTooNoisy as refusal:
        measured = refusal.snr_db

    assert measured == pytest.approx(snr_db, abs=3.0)


def test_a_stranger_stays_a_stranger(listener: RecordingListener, score: Score) -> None:
    """Otherwise the tests above would compare nothing."""
    assert score(utterance(listener, wav_bytes(between_pauses(flite(QUESTION, STRANGER))))) < 0.1


@pytest.fixture(scope="module")
def default_model() -> OnnxSpeakerModel:
    return speaker_model(read_catalogue().speaker(MODEL.default or ""))


@pytest.fixture(scope="module")
def signatures(listener: RecordingListener, default_model: OnnxSpeakerModel) -> list[Signature]:
    return [enrolled(listener, default_model, flite(STORY, voice)[:80_000], ANY_NOISE) for voice in VOICES]


@pytest.mark.parametrize(
    "line", [degradations.eight_kilohertz, degradations.telephone, degradations.gsm], ids=lambda line: line.__name__
)
@pytest.mark.parametrize("voice", VOICES)
def test_a_caller_by_any_line_is_accepted_and_nobody_else(
    listener: RecordingListener,
    default_model: OnnxSpeakerModel,
    signatures: list[Signature],
    voice: str,
    line: Callable[[Samples, np.random.Generator], bytes],
) -> None:
    heard = listener.listen(line(flite(QUESTION, voice), np.random.default_rng(0)), None, ANY_NOISE)
    assert not heard.is_wide
    models = SpeakerModels(default_model)
    scores = {name: models.score(heard, own) for name, own in zip(VOICES, signatures, strict=True)}
    assert [name for name, score in scores.items() if score >= 0.5] == [voice], scores
