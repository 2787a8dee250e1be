"""A change of the speaker model: what the job makes of every kind of profile, and what may come in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from shared.domain.migration import RECHECK, MigrationProgress
from shared.domain.profile import Profile, ProfileKey, ProfileKind, Signature
from shared.domain.subscription import SettingsChange
from shared.inference.embedder import OnnxSpeakerModel
from shared.storage.changes import last_change, news
from shared.storage.envelope import Place, Secret
from shared.storage.fields import Fields
from shared.storage.layout import end_of, enrollments_prefix, profile_row
from shared.storage.memory import MemoryBlobs, MemoryRows
from shared.storage.ports import Merge, Row
from shared.storage.records import vector_from
from tests.contract.cutting import Failure, Scissors
from tests.contract.moving import enroll_voice, migration, model, spoken
from tests.contract.stores import NOW, Clock, Storage, Stores, instance, new_profile, new_subscription

T = TypeVar("T")
TII, TIV, TDV = (
    ProfileKind.IDENTIFICATION,
    ProfileKind.TEXT_INDEPENDENT_VERIFICATION,
    ProfileKind.TEXT_DEPENDENT_VERIFICATION,
)


@dataclass(frozen=True)
class Scene:
    storage: Storage
    stores: Stores
    subscription_id: str
    old: OnnxSpeakerModel
    new: OnnxSpeakerModel

    def profile(self, *pitches: float, kind: ProfileKind = TII, kept: bool = True) -> ProfileKey:
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


@pytest.fixture
def scene(storage: Storage, tmp_path: Path) -> Scene:
    return scene_on(storage, tmp_path)


@pytest.fixture
def in_memory(tmp_path: Path) -> Scene:
    return scene_on(memory(), tmp_path)


def memory() -> Storage:
    return Storage(MemoryRows(), MemoryBlobs(), MemoryRows(), MemoryRows(), MemoryRows())


def expected(by: OnnxSpeakerModel, *pitches: float) -> Signature:
    heard = [spoken(pitch) for pitch in pitches]
    pooled = np.sum([by.embed(one) * np.float32(one.speech_seconds) for one in heard], axis=0)
    return Signature(np.asarray(pooled, np.float32), by.model_id, sum(one.speech_seconds for one in heard))


def test_a_signature_is_rebuilt_from_every_kept_recording(scene: Scene) -> None:
    key = scene.profile(110, 120, 130)
    before, _ = scene.read(key)
    progress = scene.migrate()
    profile, signature = scene.read(key)
    wanted = expected(scene.new, 110, 120, 130)
    assert signature.model_id == profile.model_id == "new-1"
    assert signature.pooled.shape == (40,)
    assert float(signature.direction @ wanted.direction) > 0.999  # the audio is kept with 16 bits
    assert signature.speech_seconds == pytest.approx(wanted.speech_seconds)
    assert (progress.migrated, progress.flagged, progress.checked) == (1, 0, 1)
    assert progress.finished_at == NOW
    assert (profile.enrollments_count, profile.status, profile.last_action_at) == (
        before.enrollments_count,
        before.status,
        before.last_action_at,
    )


def test_the_old_embeddings_are_gone_and_the_new_ones_can_be_opened(scene: Scene) -> None:
    key = scene.profile(110, 120)
    before = {Fields(row).binary("embedding") for row in scene.enrollments(key)}
    scene.migrate()
    for row, pitch in zip(scene.enrollments(key), (110, 120), strict=True):
        values = Fields(row)
        assert values.text("model_id") == "new-1"
        assert values.binary("embedding") not in before
        place = Place(key, Secret.EMBEDDING, 0, "new-1", values.text("enrollment_id"))
        found = vector_from(scene.stores.envelope.open(place, values.binary("embedding")))
        assert float(found @ scene.new.embed(spoken(pitch))) > 0.999


def test_a_migrated_profile_enrolls_on(scene: Scene) -> None:
    key = scene.profile(110)
    scene.migrate()
    enroll_voice(scene.stores, key, scene.new, 130)
    _, signature = scene.read(key)
    assert float(signature.direction @ expected(scene.new, 110, 130).direction) > 0.999


def test_who_holds_signatures_in_memory_is_told_of_a_new_one(scene: Scene) -> None:
    key = scene.profile(110)
    before = last_change(scene.storage.voices, key.subscription_id)
    scene.migrate()
    told = news(scene.storage.voices, key.subscription_id, before)
    assert told.since(before) == {key.profile_id}


def test_profiles_without_audio_are_left_as_they_are_and_counted(scene: Scene) -> None:
    keys = [scene.profile(110, kind=TIV), scene.profile(110, kind=TDV), scene.profile(110, kept=False)]
    before = [scene.read(key)[1].pooled for key in keys]
    progress = scene.migrate()
    assert (progress.migrated, progress.flagged, progress.checked) == (0, 3, 3)
    for key, pooled in zip(keys, before, strict=True):
        profile, signature = scene.read(key)
        assert profile.model_id == signature.model_id == "old-1"
        np.testing.assert_array_equal(signature.pooled, pooled)


def test_profiles_without_a_voice_and_those_of_the_new_model_are_nothing_to_do(scene: Scene) -> None:
    scene.profile()
    enroll_voice(scene.stores, scene.profile(), scene.new, 110)
    progress = scene.migrate()
    assert (progress.migrated, progress.flagged, progress.checked) == (0, 0, 2)


def test_audio_that_is_gone_or_damaged_flags_its_profile_once(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    gone, damaged, well = scene.profile(110, 120), scene.profile(130), scene.profile(140)
    scene.storage.audio.delete(Fields(scene.enrollments(gone)[1]).text("blob"))
    scene.storage.audio.put(Fields(scene.enrollments(damaged)[0]).text("blob"), b"\x01" + bytes(60))
    progress = scene.migrate()
    assert (progress.migrated, progress.flagged) == (1, 2)
    assert scene.read(well)[0].model_id == "new-1"
    assert "reason=AudioNotKept" in caplog.text
    assert "reason=SealBroken" in caplog.text
    scissors = Scissors()
    later = Clock(NOW + RECHECK)
    again = scene.migrate(scissors, later)
    assert (again.migrated, again.flagged, again.finished_at) == (1, 2, later.now)
    assert "read" not in scissors.calls  # no audio is fetched for what is known to be hopeless


def test_a_flagged_profile_starts_over_after_a_reset(scene: Scene) -> None:
    key = scene.profile(110, kept=False)
    scene.migrate()
    scene.stores.profiles.reset(key, NOW)
    enroll_voice(scene.stores, key, scene.new, 120)
    assert scene.read(key)[1].model_id == "new-1"
    row = scene.storage.voices.get(key.subscription_id, profile_row(key))
    assert row is not None
    assert "hopeless_for" not in row.values


def test_a_second_change_of_models_still_opens_the_audio(scene: Scene, tmp_path: Path) -> None:
    key = scene.profile(110, 120)
    scene.migrate()
    third = model(tmp_path, "third-1", 12, 3)
    migration(scene.storage, scene.stores, third)()
    _, signature = scene.read(key)
    assert signature.model_id == "third-1"
    assert float(signature.direction @ expected(third, 110, 120).direction) > 0.999


def test_more_enrollments_than_one_transaction_takes(in_memory: Scene) -> None:
    key = in_memory.profile(*(100 + number for number in range(105)))
    in_memory.migrate()
    assert in_memory.read(key)[1].model_id == "new-1"
    assert {Fields(row).text("model_id") for row in in_memory.enrollments(key)} == {"new-1"}


class Meanwhile(Scissors):
    """Something else happens once, before the job fetches its first recording."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = happens

    def run(self, name: str, call: Callable[[], T]) -> T:
        if name == "read" and "read" not in self.calls:
            self._happens()
        return super().run(name, call)


def test_an_enrollment_in_between_is_not_lost(scene: Scene) -> None:
    key = scene.profile(110)
    scissors = Meanwhile(lambda: enroll_voice(scene.stores, key, scene.old, 120))
    assert scene.migrate(scissors).migrated == 0
    assert scene.read(key)[0].enrollments_count == 2
    assert scene.progress().finished_at is None  # a walk that had to leave something out is followed by another
    assert scene.migrate().migrated == 1
    _, signature = scene.read(key)
    assert float(signature.direction @ expected(scene.new, 110, 120).direction) > 0.999


def test_a_use_in_between_does_not_disturb(scene: Scene) -> None:
    key, used_at = scene.profile(110), NOW + timedelta(minutes=1)
    scissors = Meanwhile(lambda: scene.stores.profiles.touch(key, used_at))
    assert scene.migrate(scissors).migrated == 1
    profile, signature = scene.read(key)
    assert signature.model_id == "new-1"
    assert profile.last_action_at == used_at


@pytest.mark.parametrize("what", ["delete", "reset"])
def test_a_deletion_or_reset_in_between_wins(scene: Scene, what: str) -> None:
    key = scene.profile(110)
    scissors = Meanwhile(lambda: getattr(scene.stores.profiles, what)(key, NOW))
    assert scene.migrate(scissors).migrated == 0
    assert scene.migrate().postponed == 0
    row = scene.storage.voices.get(key.subscription_id, profile_row(key))
    assert row is None or "signature" not in row.values
    prefix = enrollments_prefix(key, None)
    assert list(scene.storage.voices.query(key.subscription_id, prefix, end_of(prefix))) == []


def test_a_finished_walk_rests_for_a_day_and_then_finds_a_straggler(scene: Scene) -> None:
    scene.migrate()
    straggler = scene.profile(110)  # by an instance that still ran the old model
    assert scene.migrate(clock=Clock(NOW + RECHECK - timedelta(seconds=1))).migrated == 0
    assert scene.migrate(clock=Clock(NOW + RECHECK)).migrated == 1
    assert scene.read(straggler)[1].model_id == "new-1"


def test_an_expired_profile_is_not_opened_any_more(scene: Scene) -> None:
    key = scene.profile(110)
    policy = SettingsChange(max_age_days=1.0)
    scene.stores.subscriptions.change(scene.subscription_id, policy)
    scissors = Scissors()
    scene.migrate(scissors, Clock(NOW + timedelta(days=2)))
    assert "read" not in scissors.calls
    row = scene.storage.voices.get(key.subscription_id, profile_row(key))
    assert row is None or row.values["model_id"] == "old-1"


def test_a_deleted_subscription_is_not_touched(scene: Scene) -> None:
    scene.profile(110)
    scene.stores.subscriptions.begin_deletion(scene.subscription_id, NOW, "a request")
    scissors = Scissors()
    migration(scene.storage, scene.stores, scene.new, scissors=scissors)()
    assert scissors.calls == []


def test_one_subscription_that_fails_does_not_keep_another_waiting(scene: Scene) -> None:
    scene.profile(110)
    bad = scene.profile(120)
    scene.storage.voices.apply(bad.subscription_id, [Merge(profile_row(bad), {"status": "Nonsense"})])
    other = Scene(scene.storage, scene.stores, new_subscription(scene.stores), scene.old, scene.new)
    key = other.profile(130)
    migration(scene.storage, scene.stores, scene.new)()
    assert other.read(key)[1].model_id == "new-1"


def test_a_tick_stops_when_its_time_is_over_and_the_next_goes_on(scene: Scene) -> None:
    keys = [scene.profile(100 + 10 * number) for number in range(6)]

    seen: list[int] = []
    while not seen or scene.progress().finished_at is None:
        seconds = count(0, 40)  # every look at the clock finds it 40 s later
        seen.append(migration(scene.storage, scene.stores, scene.new, monotonic=partial(next, seconds))())
        assert len(seen) < 20
    assert sum(seen) == 6
    assert max(seen) < 6
    assert scene.progress().migrated == 6
    assert {scene.read(key)[1].model_id for key in keys} == {"new-1"}


@pytest.mark.parametrize("failure", list(Failure))
def test_whatever_call_is_cut_every_profile_ends_migrated_or_flagged_and_counted_once(
    tmp_path: Path, failure: Failure
) -> None:
    at = 0
    while True:
        at += 1
        scene = scene_on(memory(), tmp_path)
        moved, kept = [scene.profile(110, 120), scene.profile(130)], [scene.profile(140, kind=TIV)]
        scissors = Scissors(at, failure)
        migration(scene.storage, scene.stores, scene.new, scissors=scissors)()
        if not scissors.reached:
            break
        for _ in range(3):
            scene.migrate()
        progress = scene.progress()
        assert (progress.migrated, progress.flagged, progress.finished_at) == (2, 1, NOW), at
        assert {scene.read(key)[1].model_id for key in moved} == {"new-1"}
        assert {scene.read(key)[1].model_id for key in kept} == {"old-1"}
    assert at > 10
