"""Changes of a subscription's settings."""

from __future__ import annotations

from shared.domain.subscription import SettingsChange
from shared.services.settings import ChangeSettings
from tests.unit.services.spoken import ACTOR, World


class Words:
    def unknown_words(self, phrases: object) -> list[str]:
        return []


def test_another_retention_policy_begins_a_walk_and_the_same_one_does_not(world: World) -> None:
    change = ChangeSettings(world.subscriptions, Words(), world.upkeep, world.audit, world.clock)
    change(ACTOR, "mine", SettingsChange(max_candidates=5))
    assert world.stored() == {}
    for _ in range(2):
        change(ACTOR, "mine", SettingsChange(max_age_days=30.0))
        assert len([row for row in world.stored() if ":policy:" in row]) == 2
