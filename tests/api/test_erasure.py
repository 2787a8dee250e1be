"""A subscription deleted over HTTP: unusable at once, gone with the next ticks of the timer, a record of it stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import pytest

from tests.api.client import Profiles
from tests.api.operator import Customer, Operator
from tests.voices import PASSPORT, STORY, recording, takes

Stored = Callable[[], dict[str, str]]


def filled(customer: Customer) -> tuple[str, str]:
    """An enrolled profile of each kind that v1.0 has, and what else comes with using them."""
    by_phrase = Profiles(customer.primary, "verification").enrolled(*takes(PASSPORT))
    identified = Profiles(customer.primary, "identification").enrolled(recording(STORY), query="?shortAudio=true")
    return by_phrase, identified


def of(subscription_id: str, stored: dict[str, str]) -> list[str]:
    return sorted(name for name in stored if subscription_id in name)


def fire_until(operator: Operator, holds: Callable[[], bool]) -> bool:
    """Tick after tick; the host fires a timer beside the requests."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert operator.call("POST", "/admin/functions/retention", b"{}").status == 202
        for _ in range(20):
            if holds():
                return True
            time.sleep(0.1)
    return False


def test_a_deleted_subscription_is_unusable_at_once(operator: Operator) -> None:
    customer = operator.customer()
    by_phrase, identified = filled(customer)
    assert operator.delete(customer.subscription_id).json["state"] == "deleting"
    for client in (customer.primary, customer.secondary):
        assert client.get(f"/verificationProfiles/{by_phrase}").status == 401
        assert client.get(f"/identificationProfiles/{identified}").status == 401
        assert client.call("GET", "/settings").status == 401


def test_the_timer_erases_everything_and_a_record_stays(operator: Operator, stored: Stored) -> None:
    customer = operator.customer()
    filled(customer)
    keys_before = {name for name in stored() if name.startswith("keys/")}
    rotated = operator.regenerate(customer.subscription_id, "primary")
    assert rotated.status == 200
    assert any(name.startswith("enrollment-audio/") for name in of(customer.subscription_id, stored()))
    deleted = operator.delete(customer.subscription_id).json
    assert fire_until(operator, lambda: operator.get(customer.subscription_id).json["state"] == "deleted")
    left = of(customer.subscription_id, stored())
    assert left == [f"subscriptions/subscriptions/subscription:{customer.subscription_id}"]
    assert len(keys_before - set(stored())) >= 2
    shown = operator.get(customer.subscription_id).json
    assert shown["deletedDateTime"] == deleted["deletedDateTime"]
    erasure = shown["erasure"]
    assert erasure["erased"] == {"profiles": 2, "enrollments": 4, "recordings": 1, "operations": 1}
    assert erasure["startedDateTime"] == deleted["deletedDateTime"]
    started, completed = (datetime.fromisoformat(erasure[f"{name}DateTime"]) for name in ("started", "completed"))
    assert started < completed
    assert erasure["verifiedDateTime"] is None, "requests of other instances may still be on their way"


@pytest.mark.parametrize("finished", [False, True])
def test_an_id_is_never_given_again(operator: Operator, finished: bool) -> None:
    customer = operator.customer()
    subscription_id = customer.subscription_id
    assert operator.delete(subscription_id).status == 202
    if finished:
        assert fire_until(operator, lambda: operator.get(subscription_id).json["state"] == "deleted")
    assert operator.put(subscription_id).error[:2] == (409, "Conflict")
    assert operator.delete(subscription_id).status == 202


def test_other_subscriptions_stay_byte_for_byte(operator: Operator, stored: Stored) -> None:
    kept, gone = operator.customer(), operator.customer()
    filled(kept)
    filled(gone)
    before = {name: stored()[name] for name in of(kept.subscription_id, stored())}
    operator.delete(gone.subscription_id)
    assert fire_until(operator, lambda: operator.get(gone.subscription_id).json["state"] == "deleted")
    assert {name: stored()[name] for name in of(kept.subscription_id, stored())} == before
