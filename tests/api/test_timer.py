"""Timers on demand, as the functions host offers them; and the one that moves profiles to another model."""

from __future__ import annotations

import pytest

from tests.api.client import Client
from tests.api.operator import Customer, Operator
from tests.service import RunningService
from tests.voices import PASSPORT, takes

FIRE = "/admin/functions/retention"


@pytest.mark.parametrize("key", [None, "wrong", "", "a subscription's"])
def test_the_timer_is_fired_with_the_management_key_alone(api: Client, operator: Operator, key: str | None) -> None:
    headers = {} if key is None else {"x-functions-key": api.key or "" if key == "a subscription's" else key}
    assert api.call("POST", FIRE, b"{}", {"Content-Type": "application/json", **headers}).status == 401
    answer = operator.call("POST", FIRE, b"{}")
    assert (answer.status, answer.body) == (202, b"")


def test_the_timer_of_migration_walks_through_a_subscription_and_says_so(
    service: RunningService, operator: Operator, customer: Customer
) -> None:
    customer.identification.create()
    path = f"/manage/subscriptions/{customer.subscription_id}/migration"
    before = operator.call("GET", path)
    assert before.status == 200
    assert before.json["model"] == {"id": "campplus-channels-1", "version": "2026-11-30", "calibrated": True}
    assert (before.json["state"], before.json["startedDateTime"]) == ("notStarted", None)

    service.fire("migration")
    after = operator.call("GET", path).json
    assert after["state"] == "finished"
    assert after["finishedDateTime"] >= after["startedDateTime"]
    counts = ("profilesChecked", "profilesMigrated", "profilesToEnrollAgain", "profilesPostponed")
    assert [after[name] for name in counts] == [1, 0, 0, 0]
    assert after["previousModel"] == "ge2e-1"


def test_the_timer_counts_profiles(service: RunningService, operator: Operator, customer: Customer) -> None:
    assert operator.get(customer.subscription_id).json["counts"] is None
    customer.verification.create()
    enrolled = customer.verification.enrolled(*takes(PASSPORT))
    service.fire("retention")
    counts = operator.get(customer.subscription_id).json["counts"]
    assert (counts["profiles"], counts["enrolled"]) == (2, 1)
    shown = customer.verification.show(enrolled)
    assert shown["lastActionDateTime"][:19] == counts["lastUsedDateTime"][:19] <= counts["countedDateTime"][:19]


def test_an_unknown_subscription_has_no_migration(operator: Operator) -> None:
    assert operator.call("GET", "/manage/subscriptions/nobody/migration").status == 404
