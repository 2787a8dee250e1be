"""Every change of a group is on record."""

from __future__ import annotations

from tests.unit.services.spoken import ACTOR, TII, World


def test_changes_of_groups_are_recorded_by_their_names(world: World) -> None:
    key, change = world.create(TII), world.change_groups
    change.put(ACTOR, "mine", "some")
    change.add(ACTOR, "some", key)
    change.take_out(ACTOR, "some", key)
    change.remove(ACTOR, "mine", "some")
    recorded = [(entry.action.value, entry.names) for entry in world.audited() if entry.names]
    assert sorted(recorded) == [(f"group.{change}", ("some",)) for change in ("add", "delete", "put", "remove")]
