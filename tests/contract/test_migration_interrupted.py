"""What may come in between while profiles move to another model, and where a walk goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest

from shared.domain.migration import RECHECK
from shared.domain.profile import ProfileKind
from shared.domain.subscription import SettingsChange
from shared.storage.backend.ports import Merge
from shared.storage.layout import end_of, enrollments_prefix, profile_row
from shared.storage.stores import Storage
from tests.contract.cutting import Failure, Scissors, cuts
from tests.contract.moving import Scene, enroll_voice, expected, migration, scene_on
from tests.contract.stores import NOW, Clock, new_subscription

T = TypeVar("T")


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
def test_a_deletion_or_reset_at_any_call_wins(tmp_path: Path, what: str) -> None:
    for call in count(1):
        scene = scene_on(Storage.in_memory(), tmp_path)
        key = scene.profile(110)
        erases = partial(getattr(scene.stores.profiles, what), key, NOW)
        scissors = Scissors(interrupt_at=call, before_call=erases)
        migration(scene.storage, scene.stores, scene.new, scissors=scissors)()
        if len(scissors.calls) < call:
            assert call > 8
            return
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
    for scissors in cuts(failure, least=10):
        scene = scene_on(Storage.in_memory(), tmp_path)
        moved, kept = (
            [scene.profile(110, 120), scene.profile(130)],
            [scene.profile(140, kind=ProfileKind.TEXT_INDEPENDENT_VERIFICATION)],
        )
        migration(scene.storage, scene.stores, scene.new, scissors=scissors)()
        for _ in range(3):
            scene.migrate()
        progress = scene.progress()
        assert (progress.migrated, progress.flagged, progress.finished_at) == (2, 1, NOW), scissors.at
        assert {scene.read(key)[1].model_id for key in moved} == {"new-1"}
        assert {scene.read(key)[1].model_id for key in kept} == {"old-1"}


def test_two_walks_at_once_harm_no_profile(scene: Scene) -> None:
    """A timer whose host lost its lock: each profile is changed by one of them, whatever they count."""
    keys = [scene.profile(100 + 10 * number) for number in range(12)]
    jobs = [migration(scene.storage, scene.stores, scene.new) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        for running in [threads.submit(job) for job in jobs]:
            running.result()
    scene.migrate()
    for number, key in enumerate(keys):
        profile, signature = scene.read(key)
        assert (profile.model_id, signature.model_id, profile.enrollments_count) == ("new-1", "new-1", 1)
        assert float(signature.direction @ expected(scene.new, 100 + 10 * number).direction) > 0.999
    assert scene.progress().finished_at is not None
