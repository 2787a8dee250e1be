"""A change of the speaker model: what the job makes of every kind of profile, and what may come in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.domain.migration import RECHECK
from shared.domain.profile import ProfileKind
from shared.storage.layout import profile_row
from shared.storage.profiles.change_log import last_change, news
from shared.storage.profiles.records import vector_from
from shared.storage.sealing.envelope import Place, Secret
from shared.storage.stores import Storage
from tests.contract.cutting import Scissors
from tests.contract.moving import Scene, enroll_voice, expected, migration, model, scene_on, spoken
from tests.contract.stores import NOW, Clock

TIV, TDV = ProfileKind.TEXT_INDEPENDENT_VERIFICATION, ProfileKind.TEXT_DEPENDENT_VERIFICATION


def test_a_signature_is_rebuilt_from_every_kept_recording_and_enrolls_on(scene: Scene) -> None:
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
    enroll_voice(scene.stores, key, scene.new, 140)
    assert float(scene.read(key)[1].direction @ expected(scene.new, 110, 120, 130, 140).direction) > 0.999


def test_the_old_embeddings_are_gone_and_the_new_ones_can_be_opened(scene: Scene) -> None:
    key = scene.profile(110, 120)
    before = {row.get("embedding", bytes) for row in scene.enrollments(key)}
    scene.migrate()
    for row, pitch in zip(scene.enrollments(key), (110, 120), strict=True):
        assert row.get("model_id", str) == "new-1"
        assert row.get("embedding", bytes) not in before
        place = Place(key, Secret.EMBEDDING, 0, "new-1", row.get("enrollment_id", str))
        found = vector_from(scene.stores.envelope.open(place, row.get("embedding", bytes)))
        assert float(found @ scene.new.embed(spoken(pitch))) > 0.999


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
    scene.storage.audio.delete(scene.enrollments(gone)[1].get("blob", str))
    scene.storage.audio.put(scene.enrollments(damaged)[0].get("blob", str), b"\x01" + bytes(60))
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


def test_more_enrollments_than_one_transaction_takes(tmp_path: Path) -> None:
    in_memory = scene_on(Storage.in_memory(), tmp_path)
    key = in_memory.profile(*(100 + number for number in range(105)))
    in_memory.migrate()
    assert in_memory.read(key)[1].model_id == "new-1"
    assert {row.get("model_id", str) for row in in_memory.enrollments(key)} == {"new-1"}
