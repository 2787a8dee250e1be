"""Tokens: issued for no longer than their key, over to the second, and spent unless the request was refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.domain.access import AccessKey, Role
from shared.domain.audit import Actor, Caller
from shared.domain.errors import BodyMissing, RoleTooLow, StorageUnavailable, SubscriptionUnknown, TimbreError
from shared.domain.token import Scope, Token, TokenOperation, fingerprint
from shared.services.tokens import Tokens
from shared.storage.profiles.tokens import RowSpentTokens
from tests.unit.services.spoken import World

READ, VERIFY = TokenOperation.READ, TokenOperation.VERIFY


def tokens(world: World, spent: RowSpentTokens | None = None) -> Tokens:
    stores = world.stores
    return Tokens(stores.subscriptions, stores.data_keys, spent or stores.spent_tokens, world.clock, world.new_id)


def issued(world: World, *operations: TokenOperation, minutes: int = 10, by: Caller | None = None) -> tuple[Token, str]:
    scope = Scope(operations or (VERIFY,))
    return tokens(world).issue(by or world.me, fingerprint("my key"), scope, minutes, once=True)


def test_a_token_opens_until_its_last_second(world: World) -> None:
    token, text = issued(world)
    assert tokens(world).opened_by(tokens(world).read(text))[0] == world.mine
    world.clock.now = token.expires_at - timedelta(seconds=1)
    tokens(world).read(text)
    world.clock.now = token.expires_at
    with pytest.raises(SubscriptionUnknown):
        tokens(world).read(text)


def test_it_ends_with_its_key_at_the_latest(world: World) -> None:
    in_a_minute = world.clock.now + timedelta(minutes=1, microseconds=7)
    guest = replace(world.me, key=AccessKey("guest", Role.RECOGNISE, expires_at=in_a_minute))
    assert issued(world, by=guest)[0].expires_at == in_a_minute.replace(microsecond=0)
    assert issued(world, by=guest, minutes=1)[0].expires_at > world.clock.now


@pytest.mark.parametrize(
    ("role", "refused"),
    [(Role.RECOGNISE, {TokenOperation.ENROLL, TokenOperation.RESET}), (Role.ENROLL, set()), (Role.MANAGE, set())],
)
def test_a_key_gives_what_it_has(world: World, role: Role, refused: set[TokenOperation]) -> None:
    guest = replace(world.me, key=AccessKey("guest", role))
    for operation in TokenOperation:
        if operation in refused:
            with pytest.raises(RoleTooLow):
                issued(world, READ, operation, by=guest)
        else:
            issued(world, READ, operation, by=guest)


def holder(world: World, token: Token) -> Caller:
    """In a request of its own."""
    return replace(world.me, actor=Actor("key:primary", str(uuid4())), token=token)


def used(world: World, token: Token, fails: TimbreError | None = None, *, spends: bool = True) -> bool:
    """Whether the request got in."""
    entered = False
    try:
        with tokens(world).used(holder(world, token), spends=spends):
            entered = True
            if fails:
                raise fails
    except (SubscriptionUnknown, BodyMissing):
        pass
    return entered


def test_what_is_refused_and_what_reads_spends_none(world: World) -> None:
    token, _ = issued(world)
    assert used(world, token, spends=False)
    assert used(world, token, fails=BodyMissing())
    assert used(world, token)
    assert not used(world, token)
    assert used(world, token, spends=False)


def test_nothing_is_stored_of_a_token_before_it_is_spent(world: World) -> None:
    before = world.stored()
    token = replace(issued(world)[0], once=False)
    assert used(world, token)
    assert used(world, token)
    with tokens(world).used(world.me, spends=True):
        pass
    assert world.stored() == before
    assert used(world, replace(token, once=True))
    assert len(world.stored()) == len(before) + 1


class Stuck(RowSpentTokens):
    def take_back(self, token: Token) -> None:
        raise StorageUnavailable


def test_what_cannot_be_taken_back_stays_spent_and_the_refusal_is_told(world: World) -> None:
    token, _ = issued(world)
    with (
        pytest.raises(BodyMissing),
        tokens(world, Stuck(world.voices)).used(holder(world, token), spends=True),
    ):
        raise BodyMissing
    assert not used(world, token)
