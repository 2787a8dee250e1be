"""Identify among everybody, or everybody in a group."""

from __future__ import annotations

import pytest

from shared.domain.audit import AuditAction
from shared.domain.decision import open_set
from shared.domain.errors import GroupNotFound, NobodyEnrolled, RecordingRefused
from shared.domain.group import Everyone, InGroup
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.domain.subscription import SettingsChange
from shared.services.groups import ChangeGroups
from shared.services.identify import RANKED, Identification, Identify
from shared.services.identify_among import IdentifyAmong
from tests.unit.services.spoken import RULES, Spoken, SpokenModel, World
from tests.unit.services.test_identify import enrolled

TII = ProfileKind.IDENTIFICATION

EVERYONE = Everyone()


def identify(
    world: World,
    voice: float,
    among: Everyone | InGroup = EVERYONE,
    previous: SpokenModel | None = None,
) -> Identification:
    use_case = IdentifyAmong(
        world.profiles, world.galleries, world.groups, world.listener, world.model, world.clock, previous
    )
    return use_case(world.subscriptions.get("mine"), among, Spoken(voice=voice).audio, RULES)


def group_of(world: World, *profile_ids: str) -> InGroup:
    change = ChangeGroups(world.groups, world.audit, world.clock, world.new_id)
    change.put(world.me.actor, "mine", "some")
    for one in profile_ids:
        change.add(world.me.actor, "some", ProfileKey("mine", TII, one))
    return InGroup("some")


def test_everybody_is_a_candidate(world: World) -> None:
    near, far = enrolled(world, 10), enrolled(world, 90)
    result = identify(world, voice=0)
    assert result.identified is not None
    assert [one.profile_id for one in result.ranking] == [near, far]


def test_it_answers_as_a_list_of_all_would(world: World) -> None:
    ids = [enrolled(world, voice) for voice in range(0, 90, 10)]
    listed = Identify(world.profiles, world.listener, world.model, world.clock)
    expected = listed(world.mine, ids, Spoken(voice=33).audio, RULES).ranking
    found = identify(world, voice=33).ranking
    assert [one.profile_id for one in found] == [one.profile_id for one in expected]
    assert [one.decision.score for one in found] == pytest.approx([one.decision.score for one in expected], abs=1e-6)
    assert len(found) == RANKED


def test_more_candidates_ask_for_more(world: World) -> None:
    enrolled(world, 55)
    assert identify(world, voice=0).identified is not None
    for _ in range(9):
        enrolled(world, 170)
    result = identify(world, voice=0)
    assert result.identified is None
    assert result.best.decision.score == pytest.approx(open_set(0.5735764, 10), abs=1e-4)


def test_only_those_in_the_group_are_candidates_and_count(world: World) -> None:
    near, far = enrolled(world, 10), enrolled(world, 50)
    group = group_of(world, far)
    result = identify(world, 0, group)
    assert [one.profile_id for one in result.ranking] == [far]
    assert near != far


def test_who_is_not_enrolled_is_no_candidate(world: World) -> None:
    world.create(TII)
    right = enrolled(world, 0)
    assert [one.profile_id for one in identify(world, 0).ranking] == [right]


def test_nobody_enrolled_is_refused_and_says_where(world: World) -> None:
    with pytest.raises(NobodyEnrolled, match="no enrolled identification profile in this subscription"):
        identify(world, 0)
    group = group_of(world, world.create(TII).profile_id)
    with pytest.raises(NobodyEnrolled, match="in the group some"):
        identify(world, 0, group)


def test_a_group_that_is_not_there_is_not_found(world: World) -> None:
    enrolled(world, 0)
    with pytest.raises(GroupNotFound, match="doesn't exist: elsewhere"):
        identify(world, 0, InGroup("elsewhere"))


def test_the_identified_profile_is_noted_as_used_and_no_other(world: World) -> None:
    near, far = enrolled(world, 10), enrolled(world, 90)
    before, later = world.clock(), world.clock.advance(days=3)
    identify(world, 0)
    used = {one: world.profiles.get(ProfileKey("mine", TII, one)).last_action_at for one in (near, far)}
    assert used == {near: later, far: before}


def test_a_stranger_leaves_no_trace(world: World) -> None:
    enrolled(world, 90)
    identify(world, 0)
    before = world.stored()
    assert identify(world, 0).identified is None
    assert world.stored() == before


def test_a_recording_that_is_none_is_refused(world: World) -> None:
    enrolled(world, 0)
    use_case = IdentifyAmong(world.profiles, world.galleries, world.groups, world.listener, world.model, world.clock)
    with pytest.raises(RecordingRefused):
        use_case(world.mine, Everyone(), Audio(b"no audio", "audio/wav"), RULES)


def test_each_is_scored_by_the_model_that_made_its_signature(world: World) -> None:
    old = SpokenModel("spoken-0")
    world.model, new = old, world.model
    mine = enrolled(world, 10)
    world.model = new
    yours = enrolled(world, 20)
    assert [one.profile_id for one in identify(world, 0, previous=old).ranking] == [mine, yours]
    assert [one.profile_id for one in identify(world, 0).ranking] == [yours]


def test_a_subscription_of_many_is_not_bounded_by_the_candidates_of_a_list(world: World) -> None:
    world.subscriptions.change("mine", SettingsChange(max_candidates=1))
    for voice in range(4):
        enrolled(world, voice)
    assert len(identify(world, 0).ranking) == 4


def test_changes_of_groups_are_recorded(world: World) -> None:
    one = enrolled(world, 0)
    group_of(world, one)
    change = ChangeGroups(world.groups, world.audit, world.clock, world.new_id)
    change.take_out(world.me.actor, "some", ProfileKey("mine", TII, one))
    change.remove(world.me.actor, "mine", "some")
    recorded = sorted((entry.action, entry.names) for entry in world.audited() if entry.names)
    assert recorded == [
        (action, ("some",))
        for action in (
            AuditAction.ADD_TO_GROUP,
            AuditAction.DELETE_GROUP,
            AuditAction.PUT_GROUP,
            AuditAction.TAKE_FROM_GROUP,
        )
    ]
