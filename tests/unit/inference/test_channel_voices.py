"""Synthetic voices enrolled through a microphone and heard over lines, by the default model: one line serves all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from shared.audio.listener import RecordingListener
from shared.config import MODEL
from shared.domain.limits import AudioRules
from shared.domain.profile import Enrollment, Signature
from shared.inference.model_card import read_catalogue
from shared.inference.speaker_model import OnnxSpeakerModel, speaker_model
from shared.services.comparison import SpeakerModels
from tests.voices import QUESTION, STORY, Samples, flite, wav_bytes
from tools.evaluation import degradations

RULES = AudioRules(0.5, 60.0, min_speech_seconds=0.5, min_snr_db=-20.0)
VOICES = ("slt", "awb", "rms", "kal16")


@pytest.fixture(scope="module")
def default_model() -> OnnxSpeakerModel:
    return speaker_model(read_catalogue().speaker(MODEL.default or ""))


@pytest.fixture(scope="module")
def signatures(listener: RecordingListener, default_model: OnnxSpeakerModel) -> list[Signature]:
    return [_enrolled(listener, default_model, voice) for voice in VOICES]


def _enrolled(listener: RecordingListener, model: OnnxSpeakerModel, voice: str) -> Signature:
    heard = listener.listen(wav_bytes(flite(STORY, voice)[:80_000]), None, RULES)
    measured = heard.seconds, heard.speech_seconds, heard.snr_db
    return Enrollment(model.embed(heard), model.model_id, *measured, datetime(2026, 1, 1, tzinfo=UTC)).signature


@pytest.mark.parametrize(
    "line", [degradations.eight_kilohertz, degradations.telephone, degradations.gsm], ids=lambda one: one.__name__
)
@pytest.mark.parametrize("voice", VOICES)
def test_a_caller_is_accepted_and_nobody_else(
    listener: RecordingListener,
    default_model: OnnxSpeakerModel,
    signatures: list[Signature],
    voice: str,
    line: Callable[[Samples, np.random.Generator], bytes],
) -> None:
    heard = listener.listen(line(flite(QUESTION, voice), np.random.default_rng(0)), None, RULES)
    assert not heard.is_wide
    scores = dict(zip(VOICES, SpeakerModels(default_model).scores(heard, signatures), strict=True))
    assert [one for one, score in scores.items() if score >= 0.5] == [voice], scores
