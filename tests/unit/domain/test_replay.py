"""Prints tell the same landmarks at the same times again, and nothing else; without the key they tell nothing."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.replay import LEAST_SHARED, Landmarks, Print, repeated

KEY = ProfileKey("mine", ProfileKind.TEXT_INDEPENDENT_VERIFICATION, "11111111-2222-3333-4444-555555555555")
OTHER = ProfileKey("mine", ProfileKind.TEXT_INDEPENDENT_VERIFICATION, "21111111-2222-3333-4444-555555555555")
SECRET = bytes(range(32))


def landmarks(count: int = 200, seed: int = 1) -> Landmarks:
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(0, 250, count)).astype(np.uint16)
    return Landmarks(random.integers(0, 2**24, count).astype(np.uint32), times)


def print_of(found: Landmarks) -> Print:
    return Print.of(found, KEY, SECRET)


def part(found: Landmarks, chosen: slice, later: int = 0) -> Landmarks:
    return Landmarks(found.values[chosen], (found.times[chosen].astype(int) + later).astype(np.uint16))


def test_the_whole_and_a_part_that_begins_elsewhere_are_the_same_recording() -> None:
    found = landmarks()
    for again in (found, part(found, slice(100), 40), part(found, slice(100, 200), -int(found.times[100]))):
        assert print_of(again).shared_with(print_of(found)) == len(again.values)
        assert repeated([print_of(landmarks(seed=3)), print_of(again)], [print_of(landmarks(seed=2)), print_of(found)])


def test_times_may_be_off_by_a_frame_and_must_otherwise_agree() -> None:
    found = landmarks()
    jitter = np.random.default_rng(4).integers(0, 2, 200)
    near = Landmarks(found.values, (found.times + jitter).astype(np.uint16))
    anywhere = Landmarks(found.values, np.random.default_rng(5).permutation(found.times))
    assert print_of(near).shared_with(print_of(found)) == 200
    assert print_of(anywhere).shared_with(print_of(found)) < LEAST_SHARED


@pytest.mark.parametrize(
    ("shared", "of", "replay"), [(15, 200, True), (14, 200, False), (30, 600, True), (29, 600, False)]
)
def test_how_many_make_a_replay(shared: int, of: int, *, replay: bool) -> None:
    found, other = landmarks(of), landmarks(of, seed=2)
    mixed = Landmarks(np.concatenate([found.values[:shared], other.values[shared:]]), found.times)
    assert repeated([print_of(mixed)], [print_of(found)]) is replay


def test_nothing_is_a_replay_of_nothing() -> None:
    nothing = print_of(landmarks(0))
    assert not repeated([nothing], [nothing, print_of(landmarks())])


def test_another_profile_or_subscription_has_another_print() -> None:
    found = landmarks()
    mine = print_of(found)
    for other in (Print.of(found, OTHER, SECRET), Print.of(found, KEY, bytes(32))):
        assert other.shared_with(mine) == 0
    assert not np.isin(mine.hashes, found.values).any()


def test_what_is_stored_comes_back() -> None:
    mine = print_of(landmarks())
    back = Print.from_bytes(mine.to_bytes())
    assert (back.hashes.tolist(), back.times.tolist()) == (mine.hashes.tolist(), mine.times.tolist())
    assert len(mine.to_bytes()) == 200 * 6
