"""A subscription deleted over HTTP: unusable at once, gone with the next ticks of the timer, a record of it stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from tests.api.operator import Customer, Operator
from tests.api.stored import Stored
from tests.voices import PASSPORT, STORY, recording, takes


def fill(customer: Customer) -> tuple[str, str]:
    """An enrolled profile of each kind that v1.0 has, and what else comes with using them."""
    return customer.verification.enrolled(*takes(PASSPORT)), customer.identification.enrolled(recording(STORY))


def fire_until(operator: Operator, holds: Callable[[], bool]) -> bool:
    """Tick after tick; the host fires a timer at the same time as it serves requests."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert operator.call("POST", "/admin/functions/retention", b"{}").status == 202
        for _ in range(20):
            if holds():
                return True
            time.sleep(0.1)
    return False


def test_the_timer_erases_everything_of_it_and_nothing_else(operator: Operator, stored: Stored) -> None:
    kept, gone = operator.customer(), operator.customer()
    fill(kept)
    fill(gone)
    of_others = stored.of_subscription(kept.subscription_id)
    keys_before = {name for name in stored.everything() if name.startswith("keys/")}
    assert operator.regenerate(gone.subscription_id, "primary").status == 200
    assert any(name.startswith("enrollment-audio/") for name in stored.of_subscription(gone.subscription_id))
    deleted = operator.delete(gone.subscription_id).json

    assert fire_until(operator, lambda: operator.get(gone.subscription_id).json["state"] == "deleted")

    record = f"subscriptions/subscriptions/subscription:{gone.subscription_id}"
    assert list(stored.of_subscription(gone.subscription_id)) == [record]
    assert len(keys_before - set(stored.everything())) >= 2
    assert stored.of_subscription(kept.subscription_id) == of_others
    shown = operator.get(gone.subscription_id).json
    assert shown["deletedDateTime"] == deleted["deletedDateTime"]
    erasure = shown["erasure"]
    assert erasure["erased"] == {"profiles": 2, "enrollments": 4, "recordings": 1, "operations": 1}
    assert erasure["startedDateTime"] == deleted["deletedDateTime"]
    started, completed = (datetime.fromisoformat(erasure[f"{name}DateTime"]) for name in ("started", "completed"))
    assert started < completed
    assert erasure["verifiedDateTime"] is None, "requests of other instances may still be on their way"
    assert operator.put(gone.subscription_id).error[:2] == (409, "Conflict"), "an id is never given again"
    assert operator.delete(gone.subscription_id).status == 202
