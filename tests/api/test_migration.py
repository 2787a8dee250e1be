"""How far a change of models has come, as the operator sees it, and the timer that goes on with it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.api.client import Client
from tests.api.operator import Operator
from tests.service import RunningService


def test_the_timer_walks_through_a_subscription_and_says_so(service: RunningService, operator: Operator) -> None:
    customer = operator.customer()
    created = customer.primary.call("POST", "/spid/v1.0/identificationProfiles", b'{"locale": "en-us"}')
    assert created.status == 200, created.body
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


def test_an_unknown_subscription_has_no_migration(operator: Operator) -> None:
    assert operator.call("GET", f"/manage/subscriptions/{uuid4()}/migration").status == 404


@pytest.mark.local_host("Azure's host refuses /manage without its key itself: 401 without a body")
def test_the_progress_is_the_operators_alone(service: RunningService) -> None:
    path = "/manage/subscriptions/local/migration"
    assert Client(service.url, service.key).call("GET", path).error[:2] == (401, "Unauthorized")
