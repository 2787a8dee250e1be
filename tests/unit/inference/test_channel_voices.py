"""Synthetic voices by narrow channels against themselves through a microphone, by the real model."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
import soundfile
import soxr

from shared.audio.listen import RecordingListener
from shared.domain.channel import NARROWER, Channel
from shared.domain.limits import AudioRules
from shared.domain.profile import Enrollment, Signature
from shared.domain.recording import Samples, Utterance
from shared.inference.channels import heard_by
from shared.inference.embedder import GE2EModel
from shared.services.by_channel import embeddings
from shared.services.side_by_side import SpeakerModels
from tests.voices import flite, wav_bytes

ENROLLED = "The north wind and the sun were disputing which was the stronger, when a traveler came along."
TESTED = "Please tell me which train goes to the harbour this evening, and whether I should buy a ticket first."
RULES = AudioRules(0.5, 60.0, min_speech_seconds=0.5, min_snr_db=-20.0)
VOICES = ("slt", "awb", "rms", "kal16")


def called(listener: RecordingListener, samples: Samples, channel: Channel) -> Utterance:
    """With 8,000 samples a second, and what else the channel takes."""
    file = io.BytesIO()
    narrow = soxr.resample(heard_by(channel, samples), 16_000, 8_000, quality="HQ")
    soundfile.write(file, narrow, 8_000, format="WAV", subtype="ULAW")
    utterance = listener.listen(file.getvalue(), None, RULES)
    assert utterance.channel is channel
    return utterance


def enrolled(listener: RecordingListener, model: GE2EModel, voice: str) -> Signature:
    heard = listener.listen(wav_bytes(flite(ENROLLED, voice)), None, RULES)
    embedding, narrowed = embeddings(model, heard)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    measured = heard.seconds, heard.speech_seconds, heard.snr_db
    return Enrollment(embedding, model.model_id, *measured, at, narrowed).signature


@pytest.mark.parametrize("channel", NARROWER)
@pytest.mark.parametrize("voice", VOICES)
def test_a_caller_is_nearest_to_his_own_enrollment(
    listener: RecordingListener, model: GE2EModel, voice: str, channel: Channel
) -> None:
    signatures = [enrolled(listener, model, one) for one in VOICES]
    scores = SpeakerModels(model).scores(called(listener, flite(TESTED, voice), channel), signatures)
    assert max(zip(scores, VOICES, strict=True))[1] == voice
    assert scores[VOICES.index(voice)] >= 0.5


def test_known_as_they_came_alone_most_callers_would_be_refused(listener: RecordingListener, model: GE2EModel) -> None:
    """What the further sums are for. (These voices pass by the narrow channel without; people do not.)"""
    refused = 0
    for voice in VOICES:
        signature = enrolled(listener, model, voice)
        alone = Signature(signature.pooled, signature.model_id, signature.speech_seconds)
        (score,) = SpeakerModels(model).scores(called(listener, flite(TESTED, voice), Channel.TELEPHONE), [alone])
        refused += score < 0.5
    assert refused >= 3
