"""Subscriptions over HTTP: who may manage them, what is answered, and what a key opens when."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.api import operator as operators
from tests.api.client import DATE, Client
from tests.api.operator import BASE, Customer, Operator

HEX_KEY = re.compile(r"[0-9a-f]{64}")
DEFAULTS = operators.DEFAULTS | {
    "maxCandidates": 50,
    "maxProfiles": 10_000,
    "requireConsent": False,
    "keepIdentificationAudio": True,
    "auditDays": 400.0,
    "lockSettings": False,
    "minThresholds": {"verification": 0.05, "identification": 0.05},
    "minRetentionDays": 1 / 24,
    "requestsPerSecond": None,
}


@pytest.fixture
def new_id() -> str:
    return f"test-{uuid4()}"


def opens(client: Client) -> bool:
    status = client.get("/verificationPhrases?locale=en-US").status
    assert status in (200, 401)
    return status == 200


@pytest.mark.local_host("Azure's host refuses /manage without its key itself: 401 without a body")
@pytest.mark.parametrize("key", [None, "wrong", "", "a subscription's"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", BASE),
        ("GET", f"{BASE}/local"),
        ("GET", f"{BASE}/local/migration"),
        ("PUT", f"{BASE}/local"),
        ("DELETE", f"{BASE}/local"),
        ("POST", f"{BASE}/local/keys/primary/regenerate"),
        ("GET", f"{BASE}/local?code=wrong"),
    ],
)
def test_nobody_manages_without_the_function_key(api: Client, method: str, path: str, key: str | None) -> None:
    headers = {} if key is None else {"x-functions-key": api.key or "" if key == "a subscription's" else key}
    assert api.call(method, path, headers=headers).error[:2] == (401, "Unauthorized")
    assert opens(api), "and nothing was done"


@pytest.mark.parametrize("path", ["//manage/subscriptions", "/manage//subscriptions/local", "/manage/subscriptions//"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_spelling_of_the_path_goes_around_the_key(api: Client, method: str, path: str) -> None:
    """Too many slashes are forgiven to recognition clients, by a function that is open to everybody."""
    assert replace(api, checked=False).call(method, path).status in (401, 404, 405)
    assert opens(api)


def test_creation_answers_201_with_both_keys_once(operator: Operator, new_id: str) -> None:
    created = operator.put(new_id)
    assert created.status == 201
    body = created.json
    keys = body.pop("keys")
    assert set(keys) == {"primary", "secondary"}
    assert all(HEX_KEY.fullmatch(key) for key in keys.values())
    assert keys["primary"] != keys["secondary"]
    assert DATE.fullmatch(body.pop("createdDateTime"))
    assert body == {"subscriptionId": new_id, "state": "active", "settings": DEFAULTS, "counts": None}
    for key in keys.values():
        assert opens(Client(operator.url, key))
    again = operator.put(new_id)
    assert again.status == 200
    assert "keys" not in again.json
    assert again.json == operator.get(new_id).json


@pytest.mark.parametrize("wrapped", [False, True], ids=["at the top", "under settings"])
def test_settings_are_taken_at_the_top_or_under_their_name(operator: Operator, new_id: str, wrapped: bool) -> None:
    sent = {"maxCandidates": 7, "retention": {"maxAgeDays": 30}}
    created = operator.put(new_id, {"settings": sent} if wrapped else sent)
    assert created.status == 201
    expected = {"maxCandidates": 7, "retention": {"maxAgeDays": 30.0, "maxIdleDays": None}}
    assert created.json["settings"] == DEFAULTS | expected


def test_an_update_keeps_what_it_does_not_name_and_can_be_repeated(operator: Operator) -> None:
    customer = operator.customer(maxCandidates=7, requireConsent=True)
    sent = {"thresholds": {"verification": 0.75}, "maxProfiles": 3}
    first, again = operator.put(customer.subscription_id, sent), operator.put(customer.subscription_id, sent)
    assert (first.status, again.status) == (200, 200)
    assert first.json == again.json
    expected = {"maxCandidates": 7, "requireConsent": True, "maxProfiles": 3}
    thresholds = {"verification": 0.75, "identification": 0.5}
    assert again.json["settings"] == DEFAULTS | expected | {"thresholds": thresholds}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"maxCandidate": 3}, "maxCandidate"),
        ({"settings": {"maxCandidates": 3}, "state": "deleted"}, "settings"),
        ({"state": "deleted"}, "state"),
        ({"maxCandidates": 0}, "maxCandidates"),
        ({"retention": {"maxAgeDays": -1}}, "retention.maxAgeDays"),
        ({"thresholds": {"verification": 1}}, "thresholds.verification"),
        ({"passphrases": {"en-US": ["two words"]}}, "passphrases.en-US[0]"),
        ({"passphrases": {"en-US": ["open the door no 7 now"]}}, "passphrases.en-US"),
        ({"passphrases": {"ja-JP": ["open the door to the garden"]}}, "passphrases.ja-JP"),
        ({"\ud800": 1}, "field"),
    ],
)
def test_what_is_unknown_or_out_of_range_is_refused_by_name(
    operator: Operator, new_id: str, body: dict[str, object], named: str
) -> None:
    status, code, message = operator.put(new_id, body).error
    assert (status, code) == (400, "InvalidArgument")
    assert named in message
    assert operator.get(new_id).status == 404, "nothing was created"


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'"settings"', b"7"])
def test_a_body_that_is_no_json_object_is_refused(operator: Operator, new_id: str, body: bytes) -> None:
    assert operator.put(new_id, body).error[:2] == (400, "InvalidRequest")


@pytest.mark.parametrize("subscription_id", ["-a", "a_b", "a.b", "a" * 64, "%C3%A9", "a%20b", "a%23"])
def test_an_id_that_cannot_be_one_is_refused(operator: Operator, subscription_id: str) -> None:
    for answer in (operator.put(subscription_id), operator.get(subscription_id), operator.delete(subscription_id)):
        status, code, message = answer.error
        assert (status, code) == (400, "InvalidArgument")
        assert message.startswith("Invalid subscriptionId parameter value.")


def test_what_does_not_exist_is_404(operator: Operator, new_id: str) -> None:
    expected = (404, "NotFound", f"There is no subscription {new_id}.")
    assert operator.get(new_id).error == expected
    assert operator.delete(new_id).error == expected
    assert operator.regenerate(new_id, "primary").error == expected


def test_the_list_goes_through_all_by_its_links(operator: Operator) -> None:
    mine = {operator.customer().subscription_id for _ in range(3)}
    listed: list[str] = []
    path = f"{BASE}?maxpagesize=2"
    while path:
        answer = operator.call("GET", path).json
        assert len(answer["value"]) <= 2
        listed += [subscription["subscriptionId"] for subscription in answer["value"]]
        path = answer.get("nextLink", "").removeprefix(operator.url)
    assert mine <= set(listed)
    assert listed == sorted(set(listed))


@pytest.mark.parametrize("slot", ["primary", "secondary"])
def test_a_regenerated_key_works_at_once_and_the_other_keeps_working(
    operator: Operator, customer: Customer, slot: str
) -> None:
    old, other = customer.primary, customer.secondary
    if slot == "secondary":
        old, other = other, old
    assert opens(old)
    assert opens(other)
    answer = operator.regenerate(customer.subscription_id, slot)
    assert answer.status == 200
    assert set(answer.json) == {"slot", "key"}
    assert answer.json["slot"] == slot
    assert HEX_KEY.fullmatch(answer.json["key"])
    assert answer.headers["cache-control"] == "no-store"
    assert opens(Client(operator.url, answer.json["key"]))
    assert opens(other)
    assert not opens(old)
    assert "key" not in operator.get(customer.subscription_id).json


def test_deletion_is_accepted_closes_at_once_and_can_be_repeated(operator: Operator, customer: Customer) -> None:
    subscription_id = customer.subscription_id
    deleted = operator.delete(subscription_id)
    assert (deleted.status, deleted.json["state"]) == (202, "deleting")
    assert not opens(customer.primary)
    assert not opens(customer.secondary)
    again = operator.delete(subscription_id)
    assert again.status == 202
    assert again.json["deletedDateTime"] == deleted.json["deletedDateTime"]
    assert operator.get(subscription_id).json["state"] in ("deleting", "deleted")
    for answer in (
        operator.put(subscription_id),
        operator.put(subscription_id, {"maxProfiles": 1}),
        operator.regenerate(subscription_id, "primary"),
    ):
        status, code, message = answer.error
        assert (status, code) == (409, "Conflict")
        assert "never used again" in message


def test_no_answer_may_be_read_by_a_page_of_another_origin_and_each_has_an_id(operator: Operator) -> None:
    first, second = operator.call("GET", BASE).headers, operator.call("GET", BASE).headers
    assert "access-control-allow-origin" not in first
    assert first["apim-request-id"] != second["apim-request-id"]
