"""Retention over HTTP: short policies, profiles that end on the second, and the timer that erases them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.client import SHORT, UNKNOWN, Answer, Client, Profiles
from tests.api.operator import Customer, Operator
from tests.api.stored import Stored
from tests.service import RunningService
from tests.voices import PASSPORT, QUESTION, recording, takes

DAY_SECONDS = 24 * 3600
TICK_SECONDS = 5 * 60
ROOM_SECONDS = 20
"""More than a test takes."""
IDENTIFIED = "identification/text-independent"
Fire = Callable[[], None]


@pytest.fixture
def fire(service: RunningService) -> Fire:
    """Run the timer, which does not run by itself meanwhile."""
    if service.is_azure_host:
        until_next = TICK_SECONDS - time.time() % TICK_SECONDS
        time.sleep(until_next + ROOM_SECONDS if until_next < ROOM_SECONDS else 0.0)
    return lambda: service.fire("retention")


@pytest.fixture
def customer(operator: Operator) -> Customer:
    """Whose retention may be as short as the tests want it."""
    return operator.customer(minRetentionDays=0)


def days(seconds: float) -> float:
    return seconds / DAY_SECONDS


def expires(profiles: Profiles, profile_id: str) -> datetime | None:
    shown = profiles.show(profile_id)["expiresDateTime"]
    return None if shown is None else datetime.fromisoformat(shown)


def wait_until(moment: datetime) -> None:
    """By the clock of the service, which is this machine's to a second."""
    left = moment + timedelta(seconds=1) - datetime.now(UTC)
    time.sleep(max(0.0, left.total_seconds()))


def eventually(holds: Callable[[], bool]) -> bool:
    """The host fires a timer at the same time as it serves requests: its work is awaited, for a while."""
    until = time.monotonic() + 30
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def rows(stored: Stored, customer: Customer, profile_id: str) -> list[str]:
    """Everything that names the profile, but for the trail, which outlives it."""
    return [name for name in stored.of_subscription(customer.subscription_id) if profile_id in name]


def retention(client: Client, method: str, profile_id: str, body: object = None) -> Answer:
    return client.send(method, f"/profiles/{IDENTIFIED}/{profile_id}/retention", body)


def every_use(profile_id: str) -> Iterator[tuple[str, str, bytes | None]]:
    """Each way to name an identification profile."""
    v1, v2021 = f"/spid/v1.0/identificationProfiles/{profile_id}", f"/speaker-recognition/{IDENTIFIED}/profiles"
    audio = recording(QUESTION)
    yield "GET", v1, None
    yield "POST", f"{v1}/reset", None
    yield "POST", f"{v1}/enroll{SHORT}", audio
    yield "POST", f"/spid/v1.0/identify?identificationProfileIds={profile_id}&shortAudio=true", audio
    yield "DELETE", v1, None
    yield "GET", f"{v2021}/{profile_id}", None
    yield "POST", f"{v2021}/{profile_id}/enrollments", audio
    yield "POST", f"{v2021}:identifySingleSpeaker?profileIds={profile_id}", audio
    yield "POST", f"{v2021}/{profile_id}:reset", None
    yield "DELETE", f"{v2021}/{profile_id}", None
    yield "GET", f"/profiles/{IDENTIFIED}/{profile_id}/consent", None
    yield "PUT", f"/profiles/{IDENTIFIED}/{profile_id}/consent", b'{"statementId":"s"}'
    yield "DELETE", f"/profiles/{IDENTIFIED}/{profile_id}/consent", None
    yield "GET", f"/profiles/{IDENTIFIED}/{profile_id}/retention", None
    yield "PUT", f"/profiles/{IDENTIFIED}/{profile_id}/retention", b'{"maxAgeDays":null}'


def test_a_profile_is_gone_on_the_second_and_erased_by_the_timer(
    operator: Operator, fire: Fire, stored: Stored
) -> None:
    kept = operator.customer()
    kept.identification.create()
    of_others = stored.of_subscription(kept.subscription_id)
    for seconds in (2, 20, 120):  # a busy machine may need them to enroll
        customer = operator.customer(minRetentionDays=0, retention={"maxAgeDays": days(seconds)})
        profiles = customer.identification
        profile_id = profiles.create()
        enrolled = profiles.enroll(profile_id, recording(QUESTION), SHORT)
        shown = profiles.client.get(f"{profiles.path}/{profile_id}")
        if shown.status == 200:
            break
    assert (enrolled.status, shown.status) == (202, 200)
    before = rows(stored, customer, profile_id)
    assert any(name.startswith("enrollment-audio/") for name in before)
    wait_until(datetime.fromisoformat(shown.json["expiresDateTime"]))
    for (method, path, body), (_, absent, _) in zip(every_use(profile_id), every_use(UNKNOWN), strict=True):
        answer, expected = (customer.primary.call(method, one, body) for one in (path, absent))
        assert expected.status in (400, 404), path
        assert answer.status == expected.status
        assert answer.body == expected.body.replace(UNKNOWN.encode(), profile_id.encode())
    assert customer.identification.list() == {}
    assert rows(stored, customer, profile_id) == before
    fire()
    assert eventually(lambda: rows(stored, customer, profile_id) == [])
    assert eventually(lambda: customer.trail()[-1]["action"] == "profile.expire")
    last = customer.trail()[-1]
    assert (last["caller"], last["profileId"], last["profileKind"]) == ("timer", profile_id, IDENTIFIED)
    assert stored.of_subscription(kept.subscription_id) == of_others


def test_use_moves_the_idle_clock_and_not_the_age_clock(operator: Operator) -> None:
    *enrolling, verifying = takes(PASSPORT, count=4)
    for clock, moved in (("maxIdleDays", True), ("maxAgeDays", False)):
        profiles = operator.customer(retention={clock: 1}).verification
        profile_id = profiles.enrolled(*enrolling)
        before = expires(profiles, profile_id)
        time.sleep(0.01)
        answer = profiles.client.post(f"/verify?verificationProfileId={profile_id}", verifying)
        assert answer.status == 200, answer.body
        after = expires(profiles, profile_id)
        assert before is not None
        assert after is not None
        assert (after > before) is moved


def test_a_policy_of_the_customers_own_counts_for_profiles_that_are_there(
    customer: Customer, fire: Fire, stored: Stored
) -> None:
    profiles = customer.identification
    profile_ids = [profiles.create() for _ in range(3)]
    assert [expires(profiles, profile_id) for profile_id in profile_ids] == [None] * 3
    assert customer.settings({"retention": {"maxIdleDays": days(0.001)}}).status == 200
    for profile_id in profile_ids:
        assert profiles.client.get(f"{profiles.path}/{profile_id}").status == 404

    def left() -> list[list[str]]:
        return [rows(stored, customer, profile_id) for profile_id in profile_ids]

    assert all(left())
    fire()  # the walk
    assert eventually(lambda: all(any("expire:" in name for name in names) for names in left()))
    fire()  # what the walk has found
    assert eventually(lambda: not any(left()))


def test_a_longer_policy_brings_a_profile_back_that_is_not_erased_yet(operator: Operator, fire: Fire) -> None:
    customer = operator.customer(minRetentionDays=0, retention={"maxAgeDays": days(0.001)})
    profiles = customer.identification
    profile_id = profiles.create()
    time.sleep(0.01)
    assert profiles.client.get(f"{profiles.path}/{profile_id}").status == 404
    customer.settings({"retention": {"maxAgeDays": None}})
    assert expires(profiles, profile_id) is None
    fire()
    time.sleep(0.2)
    assert expires(profiles, profile_id) is None


def test_a_profiles_own_retention_goes_first(operator: Operator) -> None:
    customer = operator.customer(retention={"maxAgeDays": 30, "maxIdleDays": 7})
    profiles = customer.identification
    profile_id = profiles.create()
    as_subscription = retention(customer.primary, "GET", profile_id).json
    shown = {"expiresDateTime": profiles.show(profile_id)["expiresDateTime"]}
    assert as_subscription == {"profileId": profile_id, "maxAgeDays": 30.0, "maxIdleDays": 7.0, "override": {}} | shown
    own = retention(customer.primary, "PUT", profile_id, {"maxIdleDays": None})
    assert (own.status, own.json["maxAgeDays"], own.json["maxIdleDays"]) == (200, 30.0, None)
    assert own.json["override"] == {"maxIdleDays": None}
    assert own.json["expiresDateTime"] == profiles.show(profile_id)["expiresDateTime"]
    kept = retention(customer.primary, "PUT", profile_id, {"maxAgeDays": None, "maxIdleDays": None}).json
    assert kept["expiresDateTime"] is None
    assert retention(customer.primary, "DELETE", profile_id).json == as_subscription
    assert customer.trail()[-1]["action"] == "profile.retention"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"maxAgeDays": 0}, "maxAgeDays"),
        ({"maxAgeDays": -1}, "maxAgeDays"),
        ({"maxIdleDays": "7"}, "maxIdleDays"),
        ({"maxAgeDays": 30, "maxIdleDays": 0.04}, "maxIdleDays"),
        ({"maxIdleDays": True}, "maxIdleDays"),
        ({"maxDays": 7}, "maxDays"),
    ],
)
def test_a_wrong_retention_is_refused_by_name(api: Client, identification: Profiles, body: object, named: str) -> None:
    profile_id = identification.create()
    status, code, message = retention(api, "PUT", profile_id, body).error
    assert (status, code) == (400, "InvalidArgument")
    assert named in message
    assert retention(api, "GET", profile_id).json["override"] == {}
