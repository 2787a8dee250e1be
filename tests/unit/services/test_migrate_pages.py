"""A tick of migration comes to every subscription, in pages."""

from __future__ import annotations

import pytest

from shared.domain.subscription import KeySlot
from shared.services import migrate
from shared.services.migrate import Migrate
from tests.unit.services.spoken import World


@pytest.mark.parametrize("others", [0, 1, 2, 3])
def test_every_page_of_subscriptions_is_walked(world: World, others: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "SUBSCRIPTIONS", 2)
    ids = ["mine", "yours", *(f"other-{number}" for number in range(others))]
    for one in ids[2:]:
        world.subscriptions.ensure(one, {KeySlot.PRIMARY: f"the key of {one}"})

    Migrate(world.subscriptions, world.migrations, world.listener, world.model, world.clock)()

    assert [one for one in ids if world.migrations.progress(one) is None] == []
