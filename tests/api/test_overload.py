"""Beyond what a subscription may send, and beyond what the service can do: quick refusals in the contract's shapes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest

from localhost.azurite import Azurite
from tests.api.client import Answer, Client, Profiles
from tests.api.later import IDENTIFICATION, IDENTIFY, V2, V2021
from tests.api.operator import Customer, Operator
from tests.service import running_service
from tests.voices import PASSPORT, QUESTION, recording

LISTS = ["/spid/v1.0/identificationProfiles", V2.path(IDENTIFICATION), V2021.path(IDENTIFICATION)]


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Iterator[Client]:
    """A service that works on one recording at once and lets one wait."""
    settings = {"TIMBRE_AT_ONCE": "1", "TIMBRE_WAITING": "1", "VOICE_STORAGE": azurite.connection_string}
    with running_service(tmp_path_factory.mktemp("narrow") / "service.log", environment=settings) as running:
        yield Client(running.url, running.key)


@pytest.fixture(scope="module")
def profile_id(narrow: Client) -> str:
    """Of the subscription that both services have."""
    return Profiles(narrow, "identification").enrolled(recording(PASSPORT))


def flood(client: Client, path: str, requests: int = 16) -> list[Answer]:
    """So many at once: more than one stands before the gate while one is inside."""
    with ThreadPoolExecutor(requests) as pool:
        return list(pool.map(lambda _: client.call("POST", path, recording(QUESTION)), range(requests)))


@pytest.mark.parametrize("path", LISTS, ids=["v1.0", "v2.0", "2021-09-05"])
def test_too_many_requests_of_a_subscription(operator: Operator, path: str) -> None:
    client = operator.customer(requestsPerSecond=0.1).primary
    assert client.call("GET", path).status == 200
    refused = client.call("GET", path)
    status, code, message = refused.error
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    if path == LISTS[0]:
        assert (status, code) == (429, "TooManyRequests")
        assert message.startswith("Rate limit is exceeded. Try again in ")
    else:
        assert refused.json["error"] == {"code": "RateLimit", "message": "Rate limit is exceeded."}
        assert status == 429


def test_another_subscription_is_not_held_up_and_a_raised_rate_is_in_effect_at_once(operator: Operator) -> None:
    busy, other = operator.customer(requestsPerSecond=0.1), operator.customer(requestsPerSecond=0.1)

    def status(customer: Customer) -> int:
        return customer.primary.call("GET", LISTS[1]).status

    assert [status(busy) for _ in range(3)] == [200, 429, 429]
    assert status(other) == 200
    assert operator.put(busy.subscription_id, {"requestsPerSecond": 100_000}).status == 200
    assert status(busy) == 200


@pytest.mark.parametrize("generation", IDENTIFY)
@pytest.mark.long_on_azure("a host of its own")
def test_more_at_once_than_the_service_can_do(narrow: Client, profile_id: str, generation: str) -> None:
    path = IDENTIFY[generation].format(profile_id)
    answers = flood(narrow, path)
    refused = [answer for answer in answers if answer.status == 503]
    assert {answer.status for answer in answers} <= {200, 202, 503}
    assert 0 < len(refused) < len(answers)
    message = "The service has as much work as it can do. Try again in 1 second."
    for answer in refused:
        assert answer.headers["retry-after"] == "1"
        assert answer.error == (503, "ServiceUnavailable", message)
    assert narrow.call("POST", path, recording(QUESTION)).status in (200, 202), "it answers as before"


@pytest.mark.long_on_azure("a host of its own")
def test_a_flood_keeps_no_other_subscription_out(narrow: Client, profile_id: str, operator: Operator) -> None:
    modest, over = operator.customer(), Event()
    own = modest.identification.enrolled(recording(PASSPORT))
    client = replace(narrow, key=modest.primary.key)

    def floods() -> set[int]:
        statuses = set()
        while not over.is_set():
            statuses.add(narrow.call("POST", IDENTIFY["v2.0"].format(profile_id), recording(QUESTION)).status)
        return statuses

    with ThreadPoolExecutor(8) as pool:
        flood = [pool.submit(floods) for _ in range(8)]
        try:
            answers = [client.call("POST", IDENTIFY["v2.0"].format(own), recording(QUESTION)) for _ in range(5)]
        finally:
            over.set()
    assert [answer.status for answer in answers] == [200] * 5
    assert set().union(*(caller.result() for caller in flood)) == {200, 503}


@pytest.mark.parametrize("path", LISTS, ids=["v1.0", "v2.0", "2021-09-05"])
def test_many_wrong_keys_from_one_address(operator: Operator, api: Client, path: str) -> None:
    address, known, new = f"2001:db8:0:{secrets.token_hex(2)}", operator.customer().primary, operator.customer().primary
    known.call("GET", path)

    def asked(client: Client, host: str = f"[{address}::1]:4711") -> Answer:
        return client.call("GET", path, headers={"X-Forwarded-For": f"192.0.2.1, {host}"})

    wrong = [asked(replace(new, key=secrets.token_hex(32)), f"[{address}::{n}]:1") for n in range(1, 22)]
    assert [answer.status for answer in wrong] == [401] * 20 + [429]
    assert 1 <= int(wrong[-1].headers["retry-after"]) <= 60
    status, code, message = asked(new).error
    assert (status, code) == (429, "TooManyRequests" if path == LISTS[0] else "RateLimit")
    assert message.startswith("Too many wrong keys came from this address. Try again in ")
    assert asked(replace(new, key="malformed")).status == 401
    assert [asked(known).status, asked(new, "192.0.2.2:1").status] == [200, 200]


def test_who_waits_for_its_turn_is_served(api: Client, profile_id: str) -> None:
    """The session's service has room for more than this in its queue."""
    assert {answer.status for answer in flood(api, IDENTIFY["v2.0"].format(profile_id), requests=4)} == {200}
