"""Keys with roles: how the operator makes and ends them, and what each may do over every generation."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.access import Role
from shared.domain.audit import via_management
from shared.domain.limits import MAX_NAMED_KEYS
from tests.api.client import DATE, UNKNOWN, Answer, Client
from tests.api.contract import DOCUMENT
from tests.api.operator import Customer, Operator

TAKES = {
    Role.MANAGE: r"\w+ /(settings|audit)|GET /groups|(PUT|DELETE) /groups/x|\w+ /profiles/.*/retention",
    Role.ENROLL: (
        r"GET /groups/x|\w+ /groups/x/profiles/.*|\w+ /profiles/.*/consent|DELETE .*"
        r"|POST .*(/[a-zA-Z]*[pP]rofiles|[/:]reset|/enroll|/enrollments)"
    ),
    Role.RECOGNISE: r".*",
}
"""Method and path of the operations that take a role; what fits several takes the first."""

CLOCKS = timedelta(seconds=1)
"""How far the service's clock, which goes by storage's, may be from this machine's."""

OPERATIONS = [
    (method.upper(), re.sub(r"\{(\w+)\}", lambda name: UNKNOWN if name[1].endswith("Id") else "x", path))
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if "security" not in operation
]
"""Those that a subscription key opens."""


def needed(method: str, path: str) -> Role:
    return next(role for role, taken in TAKES.items() if re.fullmatch(taken, f"{method} {path}"))


@pytest.fixture
def mine(operator: Operator) -> Customer:
    return operator.customer(requestsPerSecond=10_000)


def put(operator: Operator, customer: Customer, name: str, role: str, expires: datetime | None = None) -> Client:
    body = {"role": role, "expiresDateTime": expires.isoformat() if expires else None}
    answer = operator.put_key(customer.subscription_id, name, body)
    assert answer.status == 201, answer.body
    return Client(operator.url, answer.json["key"])


def walked(client: Client) -> Iterator[tuple[str, Answer]]:
    """Every operation, with a body that no operation takes and about a profile that does not exist.

    Each from an address of its own, since from one only so many wrong keys are looked at.
    """
    for number, (method, path) in enumerate(OPERATIONS):
        yield f"{method} {path}", client.call(method, path, b"no JSON", {"X-Forwarded-For": f"203.0.113.{number}"})


def test_each_operation_is_refused_to_the_roles_below_its_own(operator: Operator, mine: Customer) -> None:
    assert len(OPERATIONS) > 80
    for role in Role:
        for operation, answer in walked(put(operator, mine, role.value, role)):
            lowest = needed(*operation.split(" "))
            if role.contains(lowest):
                assert answer.status not in (401, 403, 500), operation
                continue
            sentence = f"This takes a key with the role {lowest}. The key of this request has the role {role}."
            assert answer.error == (403, "Forbidden", sentence), operation
            generation = answer.headers.get("x-ms-error-code"), "statusText" in answer.json
            later = "/speaker-recognition/" in operation, "/speaker" in operation
            assert generation == ("Forbidden" if later[0] else None, later[1]), operation


def test_an_expired_key_is_refused_everything_though_it_has_just_opened(operator: Operator, mine: Customer) -> None:
    for seconds in (2, 20, 60):  # a busy machine may need them to ask once
        name, expires = f"passing-{seconds}", datetime.now(UTC) + timedelta(seconds=seconds)
        client = put(operator, mine, name, "manage", expires)
        status = client.call("GET", "/caller").status
        if datetime.now(UTC) < expires - CLOCKS:
            break
    assert status == 200
    time.sleep(max(0.0, (expires + CLOCKS - datetime.now(UTC)).total_seconds()))
    statuses = {operation: answer.error[:2] for operation, answer in walked(client)}
    assert {status for status, _ in statuses.values()} == {401}
    assert statuses["GET /settings"] == (401, "Unauthorized")
    (listed,) = (key for key in operator.keys(mine.subscription_id).json["value"] if key["name"] == name)
    assert DATE.fullmatch(listed["expiresDateTime"])


def test_locked_settings_leave_the_classic_keys_the_role_enroll(customer: Customer, operator: Operator) -> None:
    named = put(operator, customer, "admin", "manage")
    assert operator.put(customer.subscription_id, {"lockSettings": True}).status == 200
    roles = {key["name"]: key["role"] for key in operator.keys(customer.subscription_id).json["value"]}
    assert roles == {"primary": "enroll", "secondary": "enroll", "admin": "manage"}
    for client in (customer.primary, customer.secondary):
        assert client.call("PATCH", "/settings", b"{}").error[:2] == (403, "Forbidden")
        assert client.call("GET", "/caller").json["role"] == "enroll"
    assert customer.verification.create()
    assert named.call("PATCH", "/settings", b"{}").status == 200
    status, code, message = named.call("PATCH", "/settings", b'{"calibration": null}').error
    assert (status, code) == (400, "InvalidArgument")
    assert message.startswith("calibration is set by the operator")


def test_a_key_is_made_once_changed_regenerated_and_ended(customer: Customer, operator: Operator) -> None:
    owner = customer.subscription_id
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    text = expires.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    created = operator.put_key(owner, "kiosk-1", {"role": "recognise", "expiresDateTime": text})
    assert (created.status, created.headers["cache-control"]) == (201, "no-store")
    body = created.json
    key, since = body.pop("key"), body.pop("createdDateTime")
    assert body == {"name": "kiosk-1", "role": "recognise", "expiresDateTime": text}
    assert re.fullmatch("[0-9a-f]{64}", key)
    kiosk = Client(operator.url, key)
    asked = {"name": "kiosk-1", "role": "recognise", "operations": None, "profileId": None, "expiresDateTime": text}
    assert kiosk.call("GET", "/caller").json == asked

    changed = operator.put_key(owner, "kiosk-1", {"role": "enroll"})
    now = {"name": "kiosk-1", "role": "enroll", "createdDateTime": since, "expiresDateTime": None}
    assert (changed.status, changed.json) == (200, now)
    assert kiosk.call("GET", "/caller").json == asked | {"role": "enroll", "expiresDateTime": None}
    assert operator.keys(owner).json["value"][2:] == [now]

    regenerated = operator.regenerate(owner, "kiosk-1")
    assert (regenerated.status, regenerated.json["slot"]) == (200, "kiosk-1")
    renewed = Client(operator.url, regenerated.json["key"])
    assert renewed.call("GET", "/caller").json["role"] == "enroll"
    assert kiosk.call("GET", "/caller").status == 401

    assert [operator.delete_key(owner, "kiosk-1").status for _ in range(2)] == [204, 204]
    assert renewed.call("GET", "/caller").status == 401
    assert operator.regenerate(owner, "kiosk-1").error == (404, "NotFound", "There is no key kiosk-1.")
    trail = [(one["action"], one["caller"], one["names"]) for one in customer.trail()[1:]]
    actions = ("key.put", "key.put", "key.regenerate", "key.delete", "key.delete")
    assert trail == [(action, via_management(operator.key), ["kiosk-1"]) for action in actions]
    changes = [[(one["name"], one["before"], one["after"]) for one in entry["changes"]] for entry in customer.trail()]
    assert changes[1:] == [
        [("role", None, "recognise"), ("expiresDateTime", None, text)],
        [("role", "recognise", "enroll"), ("expiresDateTime", text, None)],
        [],
        [("role", "enroll", None)],
        [],
    ]


def test_the_trail_names_the_key(customer: Customer, operator: Operator) -> None:
    client = put(operator, customer, "desk", "enroll")
    assert client.call("POST", "/spid/v1.0/identificationProfiles", b'{"locale":"en-us"}').status == 200
    assert customer.trail()[-1]["caller"] == "key:desk"


def test_there_are_twenty_keys_at_most(customer: Customer, operator: Operator) -> None:
    for number in range(MAX_NAMED_KEYS):
        put(operator, customer, f"key-{number}", "recognise")
    status, code, _ = operator.put_key(customer.subscription_id, "one-more", {"role": "recognise"}).error
    assert (status, code) == (403, "Forbidden")
    assert operator.put_key(customer.subscription_id, "key-7", {"role": "manage"}).status == 200


@pytest.mark.parametrize(
    ("name", "body", "named"),
    [
        *[
            (name, {"role": "enroll"}, "name")
            for name in ("primary", "secondary", "management", "timer", "Desk", "a_b")
        ],
        ("a" * 33, {"role": "enroll"}, "name"),
        ("desk", {"role": "owner"}, "role"),
        ("desk", {"role": ["enroll"]}, "role"),
        ("desk", {"role": "enroll", "expiresDateTime": "2026-01-01"}, "expiresDateTime"),
        ("desk", {"role": "enroll", "expiresDateTime": "soon"}, "expiresDateTime"),
        ("desk", {"role": "enroll", "expiresDateTime": 7}, "expiresDateTime"),
        ("desk", {"role": "enroll", "expires": None}, "expires"),
    ],
)
def test_what_is_no_key_is_refused_by_name(
    customer: Customer, operator: Operator, name: str, body: dict[str, object], named: str
) -> None:
    status, code, message = operator.put_key(customer.subscription_id, name, body).error
    assert (status, code) == (400, "InvalidArgument")
    assert named in message
    assert len(operator.keys(customer.subscription_id).json["value"]) == 2


def test_the_classic_keys_stay_and_a_role_is_needed(customer: Customer, operator: Operator) -> None:
    for slot in ("primary", "secondary"):
        assert operator.delete_key(customer.subscription_id, slot).error[:2] == (400, "InvalidArgument")
    assert operator.put_key(customer.subscription_id, "desk", {}).error[:2] == (400, "InvalidRequest")
    assert operator.keys("nobody").error[:2] == (404, "NotFound")
