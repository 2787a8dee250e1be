"""The audit trail over HTTP: one record for each change, of ids and names only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote, urlsplit

import pytest

from shared.domain.audit import via_management
from tests.api.client import DATE, PREFIX, UNKNOWN, Client, verify
from tests.api.later import IDENTIFICATION, V2021, Speakers
from tests.api.operator import BASE, Customer, Operator
from tests.voices import OUTSIDE, PASSPORT, STORY, recording, takes


def profile_ids(customer: Customer, query: str) -> list[str | None]:
    return [record["profileId"] for record in customer.audit(query)["value"]]


def test_every_change_to_a_profile_leaves_one_record(customer: Customer) -> None:
    profiles = customer.verification
    created = profiles.client.send("POST", PREFIX + profiles.path, {"locale": "en-us"})
    profile_id = created.json["verificationProfileId"]
    enrolled = profiles.enroll(profile_id, recording(PASSPORT))
    refused = profiles.enroll(profile_id, recording(OUTSIDE))
    assert (enrolled.status, refused.status) == (200, 400)
    second = replace(profiles, client=customer.secondary)
    answers = [created, enrolled, refused, second.reset(profile_id), second.delete(profile_id)]
    records = customer.trail()[1:]  # the first is the subscription's creation
    model = "campplus-channels-1"
    assert [[record[name] for name in ("action", "outcome", "caller", "reason", "model")] for record in records] == [
        ["profile.create", "succeeded", "key:primary", None, None],
        ["profile.enroll", "succeeded", "key:primary", None, model],
        ["profile.enroll", "refused", "key:primary", "PassphraseNotHeard", model],
        ["profile.reset", "succeeded", "key:secondary", None, None],
        ["profile.delete", "succeeded", "key:secondary", None, None],
    ]
    assert [record["requestId"] for record in records] == [answer.headers["apim-request-id"] for answer in answers]
    kinds = {(record["profileKind"], record["profileId"]) for record in records}
    assert kinds == {("verification/text-dependent", profile_id)}


def test_a_record_has_these_fields_and_no_others(customer: Customer, operator: Operator) -> None:
    (record,) = customer.trail()
    assert DATE.fullmatch(record.pop("dateTime"))
    assert len(record.pop("id")) == 36
    assert len(record.pop("requestId")) == 36
    absent = dict.fromkeys(("reason", "profileKind", "profileId", "model", "score"))
    created = {
        "action": "subscription.create",
        "outcome": "succeeded",
        "caller": via_management(operator.key),
        "names": [],
        "changes": [],
    }
    assert record == created | absent


def test_changes_of_settings_and_keys_are_recorded_with_values_and_no_phrase_and_no_key(
    customer: Customer, operator: Operator
) -> None:
    phrase = "please open the garden door"
    customer.settings({"thresholds": {"verification": 0.625}, "passphrases": {"en-US": [phrase]}})
    operator.put(customer.subscription_id, {"maxProfiles": 4321, "requireConsent": False})
    regenerated = operator.regenerate(customer.subscription_id, "secondary")
    records = customer.trail()[1:]
    assert [(record["action"], record["caller"], record["names"]) for record in records] == [
        ("settings.change", "key:primary", ["verification_threshold", "passphrases"]),
        ("settings.change", via_management(operator.key), ["max_profiles", "require_consent"]),
        ("key.regenerate", via_management(operator.key), ["secondary"]),
    ]
    assert [record["changes"] for record in records] == [
        [
            {"name": "thresholds.verification", "before": 0.5, "after": 0.625},
            {"name": "passphrases", "before": {}, "after": {"en-US": 1}},
        ],
        [{"name": "maxProfiles", "before": 10_000, "after": 4321}],
        [],
    ]
    for secret in (phrase, regenerated.json["key"]):
        assert secret not in str(records)


def test_a_creation_says_what_differs_from_the_defaults_and_a_profile_what_is_its_own(operator: Operator) -> None:
    customer = operator.customer(auditDays=30, requireConsent=False)
    profile_id = customer.verification.create()
    path = f"/profiles/verification/text-dependent/{profile_id}/retention"
    for days in ({"maxAgeDays": 7}, {"maxAgeDays": 7, "maxIdleDays": None}):
        assert customer.primary.send("PUT", path, days).status == 200
    created, _, *kept = customer.trail()
    assert created["changes"] == [{"name": "auditDays", "before": 400.0, "after": 30.0}]
    assert [record["changes"] for record in kept] == [
        [{"name": "retention.maxAgeDays", "before": "subscription", "after": 7.0}],
        [{"name": "retention.maxIdleDays", "before": "subscription", "after": None}],
    ]


def test_who_manages_is_told_apart_by_the_function_key(operator: Operator) -> None:
    """Whether the functions host was given it in the header or in the query."""
    customer = operator.customer()
    path = f"{BASE}/{customer.subscription_id}?code={quote(operator.key)}"
    assert Client(operator.url, None).send("PUT", path, {"maxProfiles": 3}).status == 200
    callers = [record["caller"] for record in customer.trail()]
    assert callers == [f"management:{sha256(operator.key.encode()).hexdigest()[:8]}"] * 2
    assert operator.key not in str(customer.trail())


def test_reading_and_recognising_leave_no_record(customer: Customer) -> None:
    profile_id = customer.verification.create()
    before = customer.trail()
    customer.verification.show(profile_id)
    customer.verification.list()
    verify(customer.primary, profile_id, recording(PASSPORT))
    customer.primary.call("GET", "/settings")
    customer.settings({})
    assert customer.trail() == before


def test_recognitions_are_recorded_where_the_customer_wants_it(customer: Customer) -> None:
    """Of whom, how it was decided and two digits of the score; of a stranger nobody is named."""
    assert customer.settings({"recordRecognitions": {"days": 30}}).status == 200
    before = len(customer.trail())
    speakers = Speakers(customer.primary, V2021, IDENTIFICATION)
    speaker, other = speakers.enrolled(recording(STORY)), speakers.enrolled(recording(STORY, "kal16"))
    phrase = customer.verification.enrolled(*takes(PASSPORT))
    answers = [
        verify(customer.secondary, phrase, recording(PASSPORT)),
        speakers.identify(f"{speaker},{other}", recording(STORY)),
        speakers.identify(other, recording(STORY)),
        speakers.identify(other, b"no recording"),
    ]
    assert [answer.status for answer in answers] == [200, 200, 200, 400]
    records = [record for record in customer.trail()[before:] if record["action"].startswith("recognition.")]
    assert [[record[name] for name in ("action", "outcome", "caller", "profileId")] for record in records] == [
        ["recognition.verify", "accepted", "key:secondary", phrase],
        ["recognition.identify", "accepted", "key:primary", speaker],
        ["recognition.identify", "rejected", "key:primary", None],
    ]
    assert [record["requestId"] for record in records] == [answer.headers["apim-request-id"] for answer in answers[:3]]
    exact = answers[1].json["identifiedProfile"]["score"]
    assert 0 <= exact - records[1]["score"] < 0.01
    assert all(record["score"] == round(record["score"], 2) for record in records)
    assert customer.audit("?action=recognition.identify")["value"] == records[1:]
    speakers.delete(speaker)
    assert [one["profileId"] for one in customer.audit("?action=recognition.identify")["value"]] == [None]
    assert customer.settings({"recordRecognitions": None}).json["recordRecognitions"] is None
    verify(customer.primary, phrase, recording(PASSPORT))
    assert len(customer.audit("?action=recognition.verify")["value"]) == 1


def test_what_names_nothing_that_exists_leaves_no_record(customer: Customer, operator: Operator) -> None:
    theirs = operator.customer()
    foreign = theirs.verification.create()
    before = customer.trail(), theirs.trail()
    profiles = customer.verification
    for profile_id in (foreign, UNKNOWN):
        refused = (profiles.delete(profile_id), profiles.reset(profile_id), profiles.enroll(profile_id, b"audio"))
        assert [answer.status for answer in refused] == [404] * 3
    assert customer.settings({"maxProfiles": 1}).status == 400
    assert (customer.trail(), theirs.trail()) == before


def test_the_trail_outlives_the_profile_and_is_the_customers_own(customer: Customer, operator: Operator) -> None:
    profile_id = customer.identification.create()
    customer.identification.delete(profile_id)
    actions = [record["action"] for record in customer.trail() if record["profileId"] == profile_id]
    assert actions == ["profile.create", "profile.delete"]
    assert profile_id not in [record["profileId"] for record in operator.customer().trail()]


def test_pages_go_through_all_from_the_oldest_on(customer: Customer) -> None:
    ids = [customer.verification.create() for _ in range(5)]
    pages, query = [], "?maxpagesize=2"
    while query:
        pages.append(profile_ids(customer, query))
        link = urlsplit(customer.audit(query).get("nextLink", ""))
        assert link.path in ("", "/audit")
        query = f"?{link.query}" if link.query else ""
    assert pages == [[None, ids[0]], ids[1:3], ids[3:]]


def test_a_range_of_time_takes_its_start_and_leaves_its_end(customer: Customer) -> None:
    ids = [customer.verification.create() for _ in range(3)]
    times = [record["dateTime"] for record in customer.trail()]
    far = "2100-01-01"
    assert profile_ids(customer, f"?from={times[0]}") == [None, *ids]
    assert profile_ids(customer, f"?from={far}") == []
    assert profile_ids(customer, f"?from=1970-01-01&to={far}") == [None, *ids]
    assert profile_ids(customer, f"?to={times[0]}") == []
    assert customer.audit(f"?from={far}&to=2000-01-01") == {"value": []}
    exact = datetime.fromisoformat(times[2]) + timedelta(milliseconds=1)
    shifted = exact.astimezone(UTC).isoformat().replace("+00:00", "Z")
    both = [customer.audit(f"?to={shifted}")["value"], customer.audit(f"?from={shifted}")["value"]]
    assert both[0] + both[1] == customer.trail(), "two ranges that meet have every record once"


def test_a_filter_takes_a_profile_an_action_or_both(customer: Customer) -> None:
    first, second = customer.verification.create(), customer.verification.create()
    customer.verification.delete(first)
    whole = customer.trail()

    def chosen(query: str) -> list[str]:
        return [record["action"] for record in customer.audit(query)["value"]]

    assert chosen(f"?profileId={first}") == ["profile.create", "profile.delete"]
    assert chosen(f"?profileId={first.upper().replace('-', '')}&action=profile.delete") == ["profile.delete"]
    assert profile_ids(customer, "?Action=profile.create&maxpagesize=500") == [first, second]
    assert chosen(f"?profileId={UNKNOWN}") == chosen("?action=group.put") == []
    link = urlsplit(customer.audit("?action=profile.create&maxpagesize=1")["nextLink"])
    assert profile_ids(customer, f"?{link.query}") == [second]
    assert customer.trail() == whole


def test_the_operator_reads_the_trail_of_a_subscription_without_its_key(customer: Customer, operator: Operator) -> None:
    profile_id = customer.verification.create()
    path = f"/manage/subscriptions/{customer.subscription_id}/audit"
    assert operator.call("GET", path).json["value"] == customer.trail()
    page = operator.call("GET", f"{path}?maxpagesize=1&profileId={profile_id}").json
    assert [record["profileId"] for record in page["value"]] == [profile_id]
    assert operator.call("GET", "/manage/subscriptions/nobody/audit").error[:2] == (404, "NotFound")
    code, message = operator.call("GET", f"{path}?what=1").error[1:]
    assert (code, "what" in message) == ("InvalidArgument", True)
    assert operator.call("GET", f"{path}?code=the-key-may-stand-here").status == 200


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("form=2026-01-01", "form"),
        ("profileId=everybody", "profileId"),
        ("action=profile.fly", "action"),
        ("code=abc", "code"),
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
def test_what_cannot_be_asked_for_is_refused_by_name(api: Client, query: str, named: str) -> None:
    status, code, message = api.call("GET", f"/audit?{query}").error
    assert (status, code) == (400, "InvalidArgument")
    assert named in message


def test_nothing_changes_or_removes_a_record(customer: Customer) -> None:
    before = customer.trail()
    answers = [customer.primary.call(method, "/audit", b"{}") for method in ("POST", "PUT", "PATCH", "DELETE")]
    assert {answer.status for answer in answers} <= {404, 405}
    assert customer.trail() == before
