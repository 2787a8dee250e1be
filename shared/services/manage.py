"""The operator's side: create, read and delete subscriptions, and give them new keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.audit import Actor, AuditAction
from shared.domain.errors import SubscriptionExists, SubscriptionNotActive, SubscriptionNotFound
from shared.domain.subscription import KeySlot, SettingsChange, Subscription, SubscriptionSettings, SubscriptionState
from shared.services.audit import Audit
from shared.services.ports import Clock, NewKey, SubscriptionStore
from shared.services.settings import ChangeSettings, require_pronounceable


@dataclass(frozen=True)
class PutResult:
    """``keys`` is empty unless the subscription was created: they are shown this once."""

    subscription: Subscription
    keys: Mapping[KeySlot, str] = field(repr=False)


@dataclass(frozen=True)
class PutSubscription:
    subscriptions: SubscriptionStore
    change_settings: ChangeSettings
    audit: Audit
    clock: Clock
    new_key: NewKey

    def __call__(self, actor: Actor, subscription_id: str, change: SettingsChange) -> PutResult:
        """Create the subscription, or change the settings of the one that there is. Safe to repeat.

        Raises
        ------
        PassphraseUnpronounceable, SubscriptionNotActive, SubscriptionBusy
        """
        try:
            return self._changed(actor, subscription_id, change)
        except SubscriptionNotFound:
            pass
        try:
            return self._created(actor, subscription_id, change)
        except SubscriptionExists:  # somebody else has just created it
            return self._changed(actor, subscription_id, change)

    def _changed(self, actor: Actor, subscription_id: str, change: SettingsChange) -> PutResult:
        subscription = self.change_settings(actor, subscription_id, change)
        if subscription.state is not SubscriptionState.ACTIVE:
            raise SubscriptionNotActive(subscription_id, subscription.state)
        return PutResult(subscription, {})

    def _created(self, actor: Actor, subscription_id: str, change: SettingsChange) -> PutResult:
        require_pronounceable(change, self.change_settings.dictionary)
        keys = {slot: self.new_key() for slot in KeySlot}
        new = Subscription(subscription_id, settings=change.applied(SubscriptionSettings()), created_at=self.clock())
        with self.audit.of(actor, AuditAction.CREATE_SUBSCRIPTION, subscription_id, names=change.named):
            return PutResult(self.subscriptions.create(new, keys), keys)


@dataclass(frozen=True)
class SubscriptionPage:
    """Subscriptions of every state in the order of their ids; ``more`` tells whether others follow."""

    subscriptions: Sequence[Subscription]
    more: bool


@dataclass(frozen=True)
class ReadSubscriptions:
    subscriptions: SubscriptionStore

    def one(self, subscription_id: str) -> Subscription:
        """Raises ``SubscriptionNotFound``."""
        return self.subscriptions.get(subscription_id)

    def page(self, after: str | None, limit: int) -> SubscriptionPage:
        found = self.subscriptions.page(after, limit + 1)
        return SubscriptionPage(found[:limit], more=len(found) > limit)


@dataclass(frozen=True)
class RegenerateKey:
    subscriptions: SubscriptionStore
    audit: Audit
    new_key: NewKey

    def __call__(self, actor: Actor, subscription_id: str, slot: KeySlot) -> str:
        """The new key, which is shown this once. The other slot's keeps working.

        The old one opens nothing any more on this instance, and on others when their look-up is renewed.

        Raises
        ------
        SubscriptionNotFound, SubscriptionNotActive, SubscriptionBusy
        """
        key = self.new_key()
        with self.audit.of(actor, AuditAction.REGENERATE_KEY, subscription_id, names=(slot.value,)):
            self.subscriptions.replace_key(subscription_id, slot, key)
        return key


@dataclass(frozen=True)
class DeleteSubscription:
    """Leaves no audit record: the trail itself goes. What stays is the subscription's row, which says when and by
    which request."""

    subscriptions: SubscriptionStore
    clock: Clock

    def __call__(self, actor: Actor, subscription_id: str) -> Subscription:
        """Nothing of it can be opened or read on return; the timer sweeps what is left. Safe to repeat.

        Raises ``SubscriptionNotFound``.
        """
        return self.subscriptions.begin_deletion(subscription_id, self.clock(), actor.request_id)
