"""Subscriptions from their creation to their deletion: the operator's calls, and settings for the customer too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from shared.domain.access import AccessKey, Role
from shared.domain.audit import Actor, AuditAction, settings_changes
from shared.domain.calibration import Calibration
from shared.domain.errors import (
    ParameterInvalid,
    PassphraseUnpronounceable,
    SubscriptionExists,
    SubscriptionNotActive,
    SubscriptionNotFound,
)
from shared.domain.floors import require_floors
from shared.domain.limits import MAX_NAMED_KEYS
from shared.domain.page import Page
from shared.domain.passphrase import ANY
from shared.domain.subscription import KeySlot, SettingsChange, Subscription, SubscriptionSettings, SubscriptionState
from shared.services.audit import Audit
from shared.services.comparison import SpeakerModels
from shared.services.ports.clock_and_ids import Clock, NewKey
from shared.services.ports.hearing import Dictionary
from shared.services.ports.keeping import SubscriptionStore, Upkeep


@dataclass(frozen=True)
class PutResult:
    """``keys`` is empty unless the subscription was created: they are shown this once."""

    subscription: Subscription
    keys: Mapping[KeySlot, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Manage:
    """What changes a subscription raises ``SubscriptionNotFound``, ``SubscriptionNotActive``, ``SubscriptionBusy``.

    It is in effect on this instance at once, on others when their look-up of the key is renewed. ``calibrations`` are
    those of the models that are known, by their ids.
    """

    subscriptions: SubscriptionStore
    dictionary: Dictionary
    models: SpeakerModels
    upkeep: Upkeep
    audit: Audit
    clock: Clock
    new_key: NewKey
    calibrations: Mapping[str, Calibration]

    def get(self, subscription_id: str) -> Subscription:
        """Raises ``SubscriptionNotFound``."""
        return self.subscriptions.get(subscription_id)

    def page(self, after: str | None, limit: int) -> Page[Subscription]:
        """Those of every state in the order of their ids."""
        subscriptions = self.subscriptions.page(after, limit + 1)
        return Page.cut(subscriptions, limit, lambda subscription: subscription.subscription_id)

    def change_settings(self, actor: Actor, subscription_id: str, change: SettingsChange) -> Subscription:
        """By the operator or by the customer: what each may name was decided where the change was read.

        Raises also ``PassphraseUnpronounceable``, and ``ParameterInvalid`` for a list of phrases where there is no
        recogniser, a false-match rate that the calibration in force does not carry, and what is below its floor.
        """
        self._require_pronounceable(change)
        if not change.named:
            return self.subscriptions.get(subscription_id)
        with self.audit.recording(actor, AuditAction.CHANGE_SETTINGS, subscription_id, names=change.named) as record:
            now = self.subscriptions.get(subscription_id)
            change = self._with_scores(change, now.settings)
            if now.state is SubscriptionState.ACTIVE:
                self._announce(subscription_id, now.settings, change.applied(now.settings))
            allowed = partial(require_floors, change, calibrations=self.calibrations)
            return self.subscriptions.change(subscription_id, change, record(), allowed)

    def put(self, actor: Actor, subscription_id: str, change: SettingsChange) -> PutResult:
        """Create the subscription, or change the settings of the one that there is. Safe to repeat.

        Raises as ``change_settings``, but for ``SubscriptionNotFound``.
        """
        try:
            return self._changed(actor, subscription_id, change)
        except SubscriptionNotFound:
            pass
        keys = {slot: self.new_key() for slot in KeySlot}
        change = self._with_scores(change, SubscriptionSettings())
        settings = change.applied(SubscriptionSettings())
        require_floors(change, settings, self.calibrations)
        new = Subscription(subscription_id, settings=settings, created_at=self.clock())
        try:
            action = AuditAction.CREATE_SUBSCRIPTION
            with self.audit.recording(actor, action, subscription_id, names=change.named) as record:
                entry = replace(record(), changes=settings_changes(SubscriptionSettings(), settings))
                return PutResult(self.subscriptions.create(new, keys, entry), keys)
        except SubscriptionExists:  # somebody else has just created it
            return self._changed(actor, subscription_id, change)

    def keys(self, subscription_id: str) -> Sequence[AccessKey]:
        """Raises ``SubscriptionNotFound``."""
        return self.subscriptions.keys(subscription_id)

    def put_key(
        self, actor: Actor, subscription_id: str, name: str, role: Role, expires_at: datetime | None
    ) -> tuple[AccessKey, str | None]:
        """Make a key with a name of its own, or give the one of this name another role and expiry. Safe to repeat.

        The secret of a new one is shown this once. Raises also ``TooManyKeys``.
        """
        secret = self.new_key()
        key = AccessKey(name, role, self.clock(), expires_at)
        with self.audit.recording(actor, AuditAction.PUT_KEY, subscription_id, names=(name,)) as record:
            key, is_new = self.subscriptions.put_key(subscription_id, key, secret, MAX_NAMED_KEYS, record())
        return key, secret if is_new else None

    def delete_key(self, actor: Actor, subscription_id: str, name: str) -> None:
        """It opens nothing on return. Safe to repeat."""
        with self.audit.recording(actor, AuditAction.DELETE_KEY, subscription_id, names=(name,)) as record:
            self.subscriptions.remove_key(subscription_id, name, record())

    def regenerate_key(self, actor: Actor, subscription_id: str, name: str) -> str:
        """The new key, which is shown this once. The others keep working, this one's old secret opens no more.

        Raises also ``KeyNotFound``.
        """
        key = self.new_key()
        with self.audit.recording(actor, AuditAction.REGENERATE_KEY, subscription_id, names=(name,)) as record:
            self.subscriptions.replace_key(subscription_id, name, key, self.clock(), record())
        return key

    def delete(self, actor: Actor, subscription_id: str) -> Subscription:
        """Nothing of it can be opened or read on return; the timer sweeps what is left. Safe to repeat.

        It leaves no audit record, as the trail itself goes: the subscription's row says when and by which request.
        Raises ``SubscriptionNotFound``.
        """
        return self.subscriptions.begin_deletion(subscription_id, self.clock(), actor.request_id)

    def _changed(self, actor: Actor, subscription_id: str, change: SettingsChange) -> PutResult:
        subscription = self.change_settings(actor, subscription_id, change)
        if subscription.state is not SubscriptionState.ACTIVE:
            raise SubscriptionNotActive(subscription_id, subscription.state)
        return PutResult(subscription)

    def _announce(self, subscription_id: str, before: SubscriptionSettings, after: SubscriptionSettings) -> None:
        """What ends at other times under other settings: whoever erases it must look through it all once."""
        if after.retention != before.retention:
            self.upkeep.policy_changes(subscription_id, self.clock())
        if (after.prints_kept or timedelta()) < (before.prints_kept or timedelta()):
            self.upkeep.replay_changes(subscription_id, self.clock())

    def _with_scores(self, change: SettingsChange, settings: SubscriptionSettings) -> SettingsChange:
        return change.with_scores(self.models.calibrated_for(settings).current.calibration)

    def _require_pronounceable(self, change: SettingsChange) -> None:
        """A phrase with a word that the recogniser does not know could never be heard."""
        for locale, phrases in change.values.get("passphrases", {}).items():
            if phrases is None or phrases == ANY:
                continue
            if locale not in self.dictionary.locales:
                rule = f'There is no recogniser for this locale. It must be null or "{ANY}".'
                raise ParameterInvalid(f"passphrases.{locale}", "a list", rule)
            if unknown := self.dictionary.unknown_words(phrases):
                raise PassphraseUnpronounceable(locale, unknown)
