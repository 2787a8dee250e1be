"""The audit trail over HTTP: one record for each change, of ids and names only."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.api.client import Answer, Client, Profiles
from tests.api.operator import Customer, Operator
from tests.voices import OUTSIDE, PASSPORT, recording

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def customer(operator: Operator) -> Customer:
    return operator.customer()


def trail(customer: Customer) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = customer.audit("?maxpagesize=500")["value"]
    return records


def short(record: dict[str, Any]) -> tuple[object, ...]:
    return record["action"], record["outcome"], record["caller"], record["profileId"]


def test_the_trail_needs_a_subscription_key(api: Client) -> None:
    assert Client(api.url, None).call("GET", "/audit").error[:2] == (401, "Unauthorized")


def test_every_change_to_a_profile_leaves_one_record(customer: Customer) -> None:
    profiles = Profiles(customer.primary, "verification")
    created = profiles.client.post(profiles.path, b'{"locale":"en-us"}', "application/json")
    profile_id = created.json["verificationProfileId"]
    path = f"{profiles.path}/{profile_id}"
    enrolled = profiles.enroll(profile_id, recording(PASSPORT))
    refused = profiles.enroll(profile_id, recording(OUTSIDE))
    assert (enrolled.status, refused.status) == (200, 400)
    reset = customer.secondary.post(f"{path}/reset")
    deleted = customer.secondary.delete(path)
    records = trail(customer)[1:]  # the first is the subscription's creation
    assert [short(one) for one in records] == [
        ("profile.create", "succeeded", "primary", profile_id),
        ("profile.enroll", "succeeded", "primary", profile_id),
        ("profile.enroll", "refused", "primary", profile_id),
        ("profile.reset", "succeeded", "secondary", profile_id),
        ("profile.delete", "succeeded", "secondary", profile_id),
    ]
    answers = [created, enrolled, refused, reset, deleted]
    assert [one["requestId"] for one in records] == [answer.headers["apim-request-id"] for answer in answers]
    assert [one["model"] for one in records] == [None, "campplus-channels-1", "campplus-channels-1", None, None]
    assert [one["reason"] for one in records] == [None, None, "PassphraseNotHeard", None, None]
    assert {one["profileKind"] for one in records} == {"verification/text-dependent"}


def test_a_record_has_these_fields_and_no_others(customer: Customer) -> None:
    (record,) = trail(customer)
    assert DATE.fullmatch(record.pop("dateTime"))
    assert len(record.pop("id")) == 36
    assert len(record.pop("requestId")) == 36
    assert record == {
        "action": "subscription.create",
        "outcome": "succeeded",
        "reason": None,
        "caller": "management",
        "profileKind": None,
        "profileId": None,
        "model": None,
        "names": [],
    }


def test_changes_of_settings_and_keys_are_recorded_by_name_without_values(
    customer: Customer, operator: Operator
) -> None:
    phrase = "please open the garden door"
    customer.settings({"thresholds": {"verification": 0.625}, "passphrases": {"en-US": [phrase]}})
    operator.put(customer.subscription_id, {"maxProfiles": 4321})
    regenerated = operator.regenerate(customer.subscription_id, "secondary")
    records = trail(customer)[1:]
    assert [(one["action"], one["caller"], one["names"]) for one in records] == [
        ("settings.change", "primary", ["verification_threshold", "passphrases"]),
        ("settings.change", "management", ["max_profiles"]),
        ("key.regenerate", "management", ["secondary"]),
    ]
    for secret in (phrase, "0.625", "4321", regenerated.json["key"]):
        assert secret not in str(records)


def test_reading_and_recognising_leave_no_record(customer: Customer) -> None:
    profiles = Profiles(customer.primary, "verification")
    profile_id = profiles.create()
    before = trail(customer)
    profiles.show(profile_id)
    customer.primary.get(profiles.path)
    customer.primary.post(f"/verify?verificationProfileId={profile_id}", recording(PASSPORT))
    customer.primary.call("GET", "/settings")
    customer.primary.call("PATCH", "/settings", b"{}")
    assert trail(customer) == before


def test_what_names_nothing_that_exists_leaves_no_record(customer: Customer, operator: Operator) -> None:
    theirs = operator.customer()
    foreign = Profiles(theirs.primary, "verification").create()
    before = trail(customer), trail(theirs)
    for profile_id in (foreign, "d7c62d70-632d-4e3d-af8b-8e5485f56dad"):
        for answer in (
            customer.primary.delete(f"/verificationProfiles/{profile_id}"),
            customer.primary.post(f"/verificationProfiles/{profile_id}/reset"),
            Profiles(customer.primary, "verification").enroll(profile_id, recording(PASSPORT)),
        ):
            assert answer.status == 404
    assert customer.settings({"maxProfiles": 1}).status == 400
    assert (trail(customer), trail(theirs)) == before


def test_the_trail_outlives_the_profile_and_is_the_customers_own(customer: Customer, operator: Operator) -> None:
    profiles = Profiles(customer.primary, "identification")
    profile_id = profiles.create()
    customer.primary.delete(f"{profiles.path}/{profile_id}")
    assert [one["action"] for one in trail(customer) if one["profileId"] == profile_id] == [
        "profile.create",
        "profile.delete",
    ]
    assert not [one for one in trail(operator.customer()) if one["profileId"] == profile_id]


def test_pages_go_through_all_from_the_oldest_on(customer: Customer) -> None:
    profiles = Profiles(customer.primary, "verification")
    ids = [profiles.create() for _ in range(5)]
    seen: list[object] = []
    query, pages = "?maxpagesize=2", 0
    while query:
        page = customer.audit(query)
        pages += 1
        assert 1 <= len(page["value"]) <= 2
        seen += [one["profileId"] for one in page["value"]]
        link = urlsplit(page.get("nextLink", ""))
        assert link.path in ("", "/audit")
        query = f"?{link.query}" if link.query else ""
    assert seen == [None, *ids]
    assert pages == 3


def test_a_range_of_time_takes_its_start_and_leaves_its_end(customer: Customer) -> None:
    profiles = Profiles(customer.primary, "verification")
    ids = [profiles.create() for _ in range(3)]
    times = [one["dateTime"] for one in trail(customer)]
    far = "2100-01-01"
    assert [one["profileId"] for one in customer.audit(f"?from={times[0]}")["value"]] == [None, *ids]
    assert customer.audit(f"?from={far}")["value"] == []
    assert [one["profileId"] for one in customer.audit(f"?from=1970-01-01&to={far}")["value"]] == [None, *ids]
    assert customer.audit(f"?to={times[0]}")["value"] == []
    assert customer.audit(f"?from={far}&to=2000-01-01") == {"value": []}
    exact = datetime.fromisoformat(times[2]) + timedelta(milliseconds=1)
    shifted = exact.astimezone(UTC).isoformat().replace("+00:00", "Z")
    both = [customer.audit(f"?to={shifted}")["value"], customer.audit(f"?from={shifted}")["value"]]
    assert both[0] + both[1] == trail(customer), "two ranges that meet have every record once"


def test_the_range_and_the_page_work_together(customer: Customer) -> None:
    profiles = Profiles(customer.primary, "verification")
    for _ in range(3):
        profiles.create()
    link = urlsplit(customer.audit("?maxpagesize=1&from=2000-01-01&to=2100-01-01T00:00:00%2B01:00")["nextLink"])
    assert "from=2000-01-01" in link.query
    assert quote("+01:00", safe="") in link.query
    assert len(customer.audit(f"?{link.query}")["value"]) == 1


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-01-01T00:00:00+01:00", "from"),  # a plus sign that was not encoded is a space
        ("maxpagesize=0", "maxpagesize"),
        ("maxpagesize=501", "maxpagesize"),
        ("maxpagesize=-1", "maxpagesize"),
        ("continuationToken=abc", "continuationToken"),
        ("continuationToken=YXQ6", "continuationToken"),
        ("continuationToken=%C3%A9", "continuationToken"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_name(customer: Customer, query: str, named: str) -> None:
    status, code, message = customer.primary.call("GET", f"/audit?{query}").error
    assert (status, code) == (400, "InvalidArgument")
    assert named in message


def test_nothing_changes_or_removes_a_record(customer: Customer) -> None:
    before = trail(customer)
    answers: list[Answer] = [
        customer.primary.call(method, "/audit", b"{}") for method in ("POST", "PUT", "PATCH", "DELETE")
    ]
    assert {answer.status for answer in answers} <= {404, 405}
    assert trail(customer) == before
