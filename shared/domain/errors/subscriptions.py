"""Keys that open nothing, and subscriptions that cannot be what was asked."""

from __future__ import annotations

from shared.domain.errors.root import TimbreError


class SubscriptionUnknown(TimbreError):
    def __init__(self) -> None:
        super().__init__(
            "Access denied due to invalid subscription key. Make sure you are subscribed to an API you are trying "
            "to call and provide the right key."
        )


class SubscriptionNotFound(TimbreError):
    def __init__(self, subscription_id: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"There is no subscription {subscription_id}.")


class SubscriptionConflict(TimbreError):
    """The subscription is not in a state to be changed so."""


class SubscriptionExists(SubscriptionConflict):
    def __init__(self, subscription_id: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"There is a subscription {subscription_id} already.")


class SubscriptionNotActive(SubscriptionConflict):
    def __init__(self, subscription_id: str, state: str) -> None:
        self.subscription_id, self.state = subscription_id, state
        super().__init__(f"Subscription {subscription_id} is {state}. An id is never used again.")


class SubscriptionBusy(SubscriptionConflict):
    def __init__(self, subscription_id: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"Other requests are changing subscription {subscription_id}. Try again.")
