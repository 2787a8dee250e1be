"""Change a subscription's settings."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.audit import Actor, AuditAction
from shared.domain.errors import PassphraseUnpronounceable
from shared.domain.subscription import SettingsChange, Subscription, SubscriptionState
from shared.services.audit import Audit
from shared.services.ports import Clock, Dictionary, SubscriptionStore, Upkeep


@dataclass(frozen=True)
class ChangeSettings:
    """By the operator or by the customer: what each may name was decided where the change was read."""

    subscriptions: SubscriptionStore
    dictionary: Dictionary
    upkeep: Upkeep
    audit: Audit
    clock: Clock

    def __call__(self, actor: Actor, subscription_id: str, change: SettingsChange) -> Subscription:
        """In effect on this instance at once, on others when their look-up of the key is renewed.

        Raises
        ------
        PassphraseUnpronounceable, SubscriptionNotFound, SubscriptionNotActive, SubscriptionBusy
        """
        require_pronounceable(change, self.dictionary)
        if not change.named:
            return self.subscriptions.get(subscription_id)
        with self.audit.of(actor, AuditAction.CHANGE_SETTINGS, subscription_id, names=change.named):
            self._prepare(subscription_id, change)
            return self.subscriptions.change(subscription_id, change)

    def _prepare(self, subscription_id: str, change: SettingsChange) -> None:
        """Another policy ends profiles at other times: whoever erases them must look through them all once."""
        now = self.subscriptions.get(subscription_id)
        before = now.settings.retention
        if now.state is SubscriptionState.ACTIVE and change.retention(before) != before:
            self.upkeep.policy_changes(subscription_id, self.clock())


def require_pronounceable(change: SettingsChange, dictionary: Dictionary) -> None:
    """Raises ``PassphraseUnpronounceable``: such a phrase could never be heard."""
    for locale, phrases in change.passphrases.items():
        unknown = dictionary.unknown_words(phrases or ())
        if unknown:
            raise PassphraseUnpronounceable(locale, unknown)
