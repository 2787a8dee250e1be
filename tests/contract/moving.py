"""Voices that two small models can hear, and the job that moves profiles from one to the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from shared.audio.flac import FlacKeeper
from shared.audio.listener import RecordingListener
from shared.domain.migration import MigrationProgress
from shared.domain.profile import Enrollment, EnrollmentStatus, Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import AudioFormat, Recording, Utterance
from shared.inference.speaker_model import OnnxSpeakerModel, speaker_model
from shared.services.migrate import SECONDS, Migrate
from shared.services.sweep import Sweep
from shared.storage.backend.ports import Row
from shared.storage.layout import end_of, enrollments_prefix
from shared.storage.profiles.migration import RowMigrationStore
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import CuttingBlobs, CuttingRows, Scissors
from tests.contract.stores import NOW, Clock, instance, new_profile, new_subscription
from tests.unit.audio.loudness import SOUND
from tests.unit.inference.golden.signals import voice as signal
from tests.unit.inference.networks import fbank_card, put_network

LISTENER = RecordingListener(SOUND)


def model(folder: Path, model_id: str, dimension: int, seed: int) -> OnnxSpeakerModel:
    """Its file is written anew: for a process that is to read the same file beside this one, there is ``opened``."""
    put_network(folder, fbank_card(model_id, dimension, f"{model_id}.onnx"), seed)
    return opened(folder, model_id, dimension)


def opened(folder: Path, model_id: str, dimension: int) -> OnnxSpeakerModel:
    return speaker_model(fbank_card(model_id, dimension, f"{model_id}.onnx"), folder)


@cache
def spoken(pitch_hertz: float, seconds: float = 1.2) -> Utterance:
    """As a request is heard, with silence around the speech."""
    samples = np.pad(signal(seconds, pitch_hertz), 1_600)
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", 16_000, 1))
    mask = SOUND.speech_mask(samples)
    return Utterance(recording, mask, float(np.count_nonzero(mask)) / 16_000, 30.0, 0.0, -25.0)


def enroll_voice(
    stores: Stores, key: ProfileKey, by: OnnxSpeakerModel, pitch_hertz: float, *, kept: bool = True
) -> Profile:
    """Read, add one enrollment, write, as the use case does."""
    utterance = spoken(pitch_hertz)
    profile, signature = stores.profiles.get_with_signature(key)
    enrollment = Enrollment(
        by.embed(utterance), by.model_id, utterance.seconds, utterance.speech_seconds, utterance.snr_db, NOW
    )
    after = replace(
        profile,
        status=EnrollmentStatus.ENROLLED,
        enrollments_count=profile.enrollments_count + 1,
        speech_seconds=profile.speech_seconds + enrollment.speech_seconds,
        last_enrolled_at=NOW,
        model_id=by.model_id,
    )
    audio = FlacKeeper().encode(utterance) if kept and key.kind.keeps_audio else None
    pooled = signature.plus(enrollment) if signature else enrollment.signature
    return stores.profiles.enroll(after, pooled, enrollment, audio)


def migration(
    storage: Storage,
    stores: Stores,
    to: OnnxSpeakerModel,
    *,
    clock: Clock | None = None,
    scissors: Scissors | None = None,
    monotonic: Callable[[], float] = lambda: 0.0,
) -> Migrate:
    clock = clock or Clock()
    voices = CuttingRows(storage.voices, scissors) if scissors else storage.voices
    audio = CuttingBlobs(storage.audio, scissors) if scissors else storage.audio
    store = RowMigrationStore(voices, audio, stores.envelope, stores.subscriptions.retention, clock)
    sweep = Sweep("migration", SECONDS, stores.subscriptions, monotonic)
    return Migrate(sweep, store, LISTENER, to, clock)


@dataclass(frozen=True)
class Scene:
    """A subscription whose profiles are of the old model, and the job that moves them to the new one."""

    storage: Storage
    stores: Stores
    subscription_id: str
    old: OnnxSpeakerModel
    new: OnnxSpeakerModel

    def profile(self, *pitches: float, kind: ProfileKind = ProfileKind.IDENTIFICATION, kept: bool = True) -> ProfileKey:
        """Enrolled with the old model."""
        key = self.stores.profiles.create(new_profile(self.subscription_id, kind), 1_000).key
        for pitch in pitches:
            enroll_voice(self.stores, key, self.old, pitch, kept=kept)
        return key

    def migrate(self, scissors: Scissors | None = None, clock: Clock | None = None) -> MigrationProgress:
        job = migration(self.storage, self.stores, self.new, scissors=scissors, clock=clock)
        job()
        return self.progress()

    def progress(self) -> MigrationProgress:
        found = migration(self.storage, self.stores, self.new).store.progress(self.subscription_id)
        assert found is not None
        return found

    def read(self, key: ProfileKey) -> tuple[Profile, Signature]:
        profile, signature = self.stores.profiles.get_with_signature(key)
        assert signature is not None
        return profile, signature

    def enrollments(self, key: ProfileKey) -> list[Row]:
        prefix = enrollments_prefix(key, self.read(key)[0].epoch)
        return list(self.storage.voices.query(key.subscription_id, prefix, end_of(prefix)))


def scene_on(storage: Storage, folder: Path) -> Scene:
    stores = instance(storage)
    old, new = model(folder, "old-1", 24, 1), model(folder, "new-1", 40, 2)
    return Scene(storage, stores, new_subscription(stores), old, new)


def expected(by: OnnxSpeakerModel, *pitches: float) -> Signature:
    heard = [spoken(pitch) for pitch in pitches]
    pooled = np.sum([by.embed(one) * np.float32(one.speech_seconds) for one in heard], axis=0)
    return Signature(np.asarray(pooled, np.float32), by.model_id, sum(one.speech_seconds for one in heard))
