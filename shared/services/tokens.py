"""Tokens for one purpose: issued by a key, opened as one, used once where they say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.access import AccessKey
from shared.domain.audit import Caller
from shared.domain.errors import StorageUnavailable, SubscriptionUnknown, TimbreError
from shared.domain.subscription import Subscription
from shared.domain.token import NEEDED_ROLE, Scope, SignedToken, Token
from shared.services.ports.clock_and_ids import Clock, Ids
from shared.services.ports.keeping import SpentTokens, SubscriptionStore, TokenKeys


@dataclass(frozen=True)
class Tokens:
    subscriptions: SubscriptionStore
    keys: TokenKeys
    spent: SpentTokens
    clock: Clock
    new_id: Ids

    def issue(self, caller: Caller, fingerprint: str, scope: Scope, minutes: int, *, once: bool) -> tuple[Token, str]:
        """The token and its text. ``fingerprint`` is that of the caller's key, with which the token ends.

        Raises ``RoleTooLow`` for what the key may not do itself.
        """
        for operation in scope.operations:
            caller.require(NEEDED_ROLE[operation])
        now = self.clock()
        ends_at = now + timedelta(minutes=minutes)
        now, expires_at = (at.replace(microsecond=0) for at in (now, min(ends_at, caller.key.expires_at or ends_at)))
        subscription_id = caller.subscription.subscription_id
        token = Token(self.new_id(), subscription_id, caller.key.name, fingerprint, scope, now, expires_at, once=once)
        return token, token.signed(self.keys.token_key(subscription_id))

    def read(self, received: str) -> SignedToken:
        """Without asking storage, and so without knowing who has signed it.

        Raises ``SubscriptionUnknown`` for what is no token, or was one.
        """
        signed = SignedToken.parse(received)
        if signed.token.expires_at <= self.clock():
            raise SubscriptionUnknown
        return signed

    def opened_by(self, signed: SignedToken) -> tuple[Subscription, AccessKey]:
        """The subscription, and the key that issued the token. Raises ``SubscriptionUnknown``."""
        subscription, key = self.subscriptions.issuer_of(signed.token)
        signed.require_signature(self.keys.token_key(subscription.subscription_id))
        return subscription, key

    @contextmanager
    def used(self, caller: Caller, *, spends: bool) -> Iterator[None]:
        """Around the work of a request. Of two at once with a token for one use one gets in; what is refused spends
        none, and reading does not.

        Raises ``SubscriptionUnknown`` when it is spent.
        """
        token = caller.token
        if token is None or not token.once or not spends:
            yield
            return
        self.spent.add(token, caller.actor.request_id)
        try:
            yield
        except TimbreError:
            with suppress(StorageUnavailable):  # then it stays spent
                self.spent.take_back(token)
            raise
