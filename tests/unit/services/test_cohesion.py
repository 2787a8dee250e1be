"""One voice in an enrollment, and the same voice as before."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import soxr

from shared.audio.listener import RecordingListener
from shared.domain.audit import AuditAction, AuditOutcome
from shared.domain.errors import EnrollmentDiffers
from shared.domain.limits import AudioRules
from shared.domain.recording import SAMPLE_RATE, Samples, Utterance
from shared.domain.subscription import SubscriptionSettings
from shared.inference.model_card import read_catalogue
from shared.inference.speaker_model import OnnxSpeakerModel, speaker_model
from shared.services.cohesion import HOP_SECONDS, LEAST_PIECES, PIECE_SECONDS, least_score, second_voice
from tests.unit.services.spoken import TII, Spoken, World
from tests.voices import QUESTION, STORY, flite, wav_bytes

EVERYTHING = AudioRules(0.0, 300.0, min_speech_seconds=0.1, min_snr_db=-20.0)


def heard(listener: RecordingListener, *parts: Samples) -> Utterance:
    return listener.listen(wav_bytes(np.concatenate(parts)), None, EVERYTHING)


def part_of_the_story(voice: str) -> Samples:
    """Of five seconds and a half."""
    return flite(STORY, voice)[:88_000]


@pytest.fixture(scope="module")
def ear() -> OnnxSpeakerModel:
    return speaker_model(read_catalogue().speaker("campplus-channels-1"))


@pytest.mark.parametrize("voice", ["slt", "awb", "rms", "kal16"])
def test_one_voice_is_one_voice(ear: OnnxSpeakerModel, listener: RecordingListener, voice: str) -> None:
    assert second_voice(ear, heard(listener, part_of_the_story(voice), flite(QUESTION, voice))) is None


@pytest.mark.parametrize("factor", [1 / 1.15, 1.15])
def test_one_voice_in_another_mood_is_one_voice(
    ear: OnnxSpeakerModel, listener: RecordingListener, factor: float
) -> None:
    other = np.asarray(soxr.resample(flite(QUESTION), SAMPLE_RATE, SAMPLE_RATE * factor), np.float32)
    assert second_voice(ear, heard(listener, part_of_the_story("slt"), other)) is None


def test_a_second_voice_is_refused_with_what_was_measured(ear: OnnxSpeakerModel, listener: RecordingListener) -> None:
    utterance = heard(listener, part_of_the_story("slt"), flite(QUESTION, "rms")[:40_000])
    second = second_voice(ear, utterance)
    assert second is not None
    assert re.search(r"beside \d\.\d seconds of the first", str(second))
    assert second.score < second.minimum == least_score(second.second_seconds)
    assert second.second_seconds == pytest.approx(2.2, abs=0.8)


def test_a_second_voice_is_heard_in_turns_of_a_second(ear: OnnxSpeakerModel, listener: RecordingListener) -> None:
    story, question = np.split(flite(STORY, "slt")[:96_000], 6), np.split(flite(QUESTION, "rms")[8_000:40_000], 2)
    turns = [story[0], story[1], question[0], story[2], story[3], question[1], story[4], story[5]]
    assert second_voice(ear, heard(listener, *turns))


def test_the_less_a_second_voice_says_the_less_alike_it_must_be() -> None:
    assert [round(least_score(seconds), 2) for seconds in (1.5, 2.7, 4.0, 20.0)] == [0.24, 0.5, 0.69, 0.69]


def test_less_speech_is_not_judged(ear: OnnxSpeakerModel, listener: RecordingListener) -> None:
    utterance = heard(listener, flite(STORY)[8_000:32_000], flite(QUESTION, "rms")[8_000:32_000])
    assert 2.5 < utterance.speech_seconds < PIECE_SECONDS + (LEAST_PIECES - 1) * HOP_SECONDS
    assert second_voice(ear, utterance) is None


def test_a_model_without_a_calibration_judges_nobody(ear: OnnxSpeakerModel, listener: RecordingListener) -> None:
    """Its scores say nothing of how rare strangers are."""
    uncalibrated = OnnxSpeakerModel(replace(ear._card, calibration=None), ear._network)
    assert second_voice(uncalibrated, heard(listener, part_of_the_story("slt"), flite(QUESTION, "rms"))) is None


def test_another_voice_than_before_is_refused_and_on_record(world: World) -> None:
    key = world.create(TII)
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
    key = world.create(TII)
    world.enroll(key, Spoken(voice=0.0), settings=settings)
    assert world.enroll(key, Spoken(voice=voice), settings=settings).profile.enrollments_count == 2
