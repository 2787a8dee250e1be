"""One voice in an enrollment, and the same voice as before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.audio.listener import RecordingListener
from shared.domain.audit import AuditAction, AuditOutcome
from shared.domain.errors import EnrollmentDiffers, SecondVoiceHeard
from shared.domain.limits import AudioRules
from shared.domain.profile import ProfileKind
from shared.domain.recording import Samples, Utterance
from shared.domain.subscription import SubscriptionSettings
from shared.inference.speaker_model import OnnxSpeakerModel
from shared.services.cohesion import WINDOW_SECONDS, require_one_voice
from tests.unit.services.spoken import Spoken, World
from tests.voices import QUESTION, STORY, flite, wav_bytes

EVERYTHING = AudioRules(0.0, 300.0, min_speech_seconds=0.1, min_snr_db=-20.0)


def heard(listener: RecordingListener, *parts: Samples) -> Utterance:
    return listener.listen(wav_bytes(np.concatenate(parts)), None, EVERYTHING)


def part_of_the_story(voice: str) -> Samples:
    """Of five seconds and a half."""
    return flite(STORY, voice)[:88_000]


@pytest.mark.parametrize("voice", ["slt", "awb", "rms", "kal16"])
def test_one_voice_is_one_voice(model: OnnxSpeakerModel, listener: RecordingListener, voice: str) -> None:
    utterance = heard(listener, part_of_the_story(voice), flite(QUESTION, voice))
    assert utterance.speech_seconds > 2 * WINDOW_SECONDS
    require_one_voice(model, utterance)


def test_a_second_voice_is_refused_with_what_was_measured(model: OnnxSpeakerModel, listener: RecordingListener) -> None:
    utterance = heard(listener, part_of_the_story("slt"), flite(QUESTION, "rms"))
    with pytest.raises(SecondVoiceHeard, match=r"match each other with a score of 0\.00\d; at least 0\.01 is expected"):
        require_one_voice(model, utterance)


def test_less_than_two_windows_are_not_judged(model: OnnxSpeakerModel, listener: RecordingListener) -> None:
    utterance = heard(listener, flite(STORY)[:40_000], flite(QUESTION, "rms")[:40_000])
    assert 3.0 < utterance.speech_seconds < 2 * WINDOW_SECONDS
    require_one_voice(model, utterance)


def test_a_model_without_a_calibration_judges_nobody(model: OnnxSpeakerModel, listener: RecordingListener) -> None:
    """Its scores say nothing of how rare strangers are, so they keep away from the ends."""
    uncalibrated = OnnxSpeakerModel(replace(model._card, calibration=None), model._network)
    require_one_voice(uncalibrated, heard(listener, part_of_the_story("slt"), flite(QUESTION, "rms")))


def test_another_voice_than_before_is_refused_and_on_record(world: World) -> None:
    key = world.create(ProfileKind.IDENTIFICATION)
    world.enroll(key, Spoken(voice=0.0))
    before = world.stored()
    with pytest.raises(EnrollmentDiffers, match=r"Its score against them is 0\.000; at least 0\.01"):
        world.enroll(key, Spoken(voice=90.0))
    assert world.stored() == before, "nothing of it is kept"
    (entry,) = [entry for entry in world.audited() if entry.outcome is not AuditOutcome.SUCCEEDED]
    assert (entry.action, entry.outcome, entry.reason) == (
        AuditAction.ENROLL, AuditOutcome.REFUSED, "EnrollmentDiffers",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("voice", "settings"),
    [(89.0, None), (90.0, SubscriptionSettings(enrollment_cohesion=False))],
    ids=["a poor match", "where the subscription does without"],
)
def test_the_second_recording_counts_too(world: World, voice: float, settings: SubscriptionSettings | None) -> None:
    key = world.create(ProfileKind.IDENTIFICATION)
    world.enroll(key, Spoken(voice=0.0), settings=settings)
    assert world.enroll(key, Spoken(voice=voice), settings=settings).profile.enrollments_count == 2
