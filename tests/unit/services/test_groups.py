"""Every change of a group is on record."""

from __future__ import annotations

from shared.domain.audit import AuditAction
from shared.domain.profile import ProfileKind
from shared.services.groups import Groups
from tests.unit.services.spoken import ACTOR, World


def test_changes_of_groups_are_recorded_by_their_names(world: World) -> None:
    key = world.create(ProfileKind.IDENTIFICATION)
    change = Groups(world.groups, world.audit, world.clock, world.new_id)
    change.put(ACTOR, "mine", "some")
    change.add(ACTOR, "some", key)
    change.take_out(ACTOR, "some", key)
    change.remove(ACTOR, "mine", "some")
    assert sorted((entry.action, entry.names) for entry in world.audited() if entry.names) == [
        (action, ("some",))
        for action in (
            AuditAction.ADD_TO_GROUP, AuditAction.DELETE_GROUP, AuditAction.PUT_GROUP, AuditAction.TAKE_FROM_GROUP,
        )
    ]  # fmt: skip
