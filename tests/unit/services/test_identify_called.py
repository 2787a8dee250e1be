"""Identify somebody who calls by telephone among those who enrolled through a microphone."""

from __future__ import annotations

import pytest

from shared.domain.group import Everyone
from shared.domain.profile import ProfileKey, ProfileKind
from shared.services.identify import Identification, Identify
from shared.services.identify_among import IdentifyAmong
from tests.unit.services.spoken import RULES, Spoken, World
from tests.unit.services.test_identify import enrolled

CALL = Spoken(voice=12, bandwidth_hz=3_900.0)
"""As it comes it is nearest to the voice at 90 degrees: the telephone turns every voice by a right angle."""


def among_all(world: World) -> Identification:
    use_case = IdentifyAmong(
        world.profiles, world.galleries, world.groups, world.listener, world.model, world.clock, None
    )
    return use_case(world.subscriptions.get("mine"), Everyone(), CALL.audio, RULES)


def test_a_caller_is_named_from_a_list(world: World) -> None:
    ids = [enrolled(world, voice) for voice in (90, 10, 50)]
    found = Identify(world.profiles, world.listener, world.model, world.clock)(world.mine, ids, CALL.audio, RULES)
    assert [one.profile_id for one in found.ranking] == [ids[1], ids[2], ids[0]]


def test_a_caller_is_named_among_everybody_as_from_a_list(world: World) -> None:
    ids = [enrolled(world, voice) for voice in (90, 10, 50)]
    listed = Identify(world.profiles, world.listener, world.model, world.clock)(world.mine, ids, CALL.audio, RULES)
    found = among_all(world)
    assert [one.profile_id for one in found.ranking] == [one.profile_id for one in listed.ranking]
    assert [one.decision.score for one in found.ranking] == pytest.approx(
        [one.decision.score for one in listed.ranking], abs=1e-6
    )


def test_who_is_deleted_meanwhile_is_no_candidate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = enrolled(world, 10), enrolled(world, 90)
    gallery = world.galleries.up_to_date("mine")
    monkeypatch.setattr(world.galleries, "up_to_date", lambda _: gallery)
    world.profiles.delete(ProfileKey("mine", ProfileKind.IDENTIFICATION, near), world.clock())
    assert [one.profile_id for one in among_all(world).ranking] == [far]
