"""Beyond what a subscription may send, and beyond what the service can do: quick refusals in the contract's shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from localhost.azurite import Azurite
from tests.api.client import Answer, Client, Profiles
from tests.api.operator import Operator
from tests.service import RunningService, running_service
from tests.voices import QUESTION, recording

V2021 = "/speaker-recognition/identification/text-independent/profiles?api-version=2021-09-05"
V2 = "/speaker/identification/v2.0/text-independent/profiles"
V1 = "/spid/v1.0/identificationProfiles"
IDENTIFY_V2 = "/speaker/identification/v2.0/text-independent/profiles/identifySingleSpeaker?ignoreMinLength=true"
IDENTIFY_V2021 = (
    "/speaker-recognition/identification/text-independent/profiles:identifySingleSpeaker"
    "?api-version=2021-09-05&ignoreMinLength=true"
)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Iterator[RunningService]:
    """Works on one recording at once and lets nobody wait."""
    settings = {"TIMBRE_AT_ONCE": "1", "TIMBRE_WAITING": "0", "VOICE_STORAGE": azurite.connection_string}
    with running_service(tmp_path_factory.mktemp("narrow") / "service.log", environment=settings) as running:
        yield running


def flood(client: Client, profile_id: str, path: str, requests: int = 16) -> list[Answer]:
    """So many at once: more than one stands before the gate while one is inside."""
    audio = recording(QUESTION)
    with ThreadPoolExecutor(requests) as pool:
        return list(pool.map(lambda _: client.call("POST", path.format(profile_id), audio), range(requests)))


@pytest.mark.parametrize("path", [V1, V2, V2021])
def test_too_many_requests_of_a_subscription(operator: Operator, path: str) -> None:
    client = operator.customer(requestsPerSecond=0.1).primary
    assert client.call("GET", path).status == 200
    refused = client.call("GET", path)
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    body = json.loads(refused.body)["error"]
    if path == V1:
        assert body["code"] == "TooManyRequests"
        assert body["message"].startswith("Rate limit is exceeded. Try again in ")
    else:
        assert body == {"code": "RateLimit", "message": "Rate limit is exceeded."}


def test_another_subscription_is_not_held_up(operator: Operator) -> None:
    busy, other = operator.customer(requestsPerSecond=0.1).primary, operator.customer(requestsPerSecond=0.1).primary
    assert [busy.call("GET", V2).status for _ in range(3)] == [200, 429, 429]
    assert other.call("GET", V2).status == 200


def test_a_raised_rate_is_in_effect_on_this_instance_at_once(operator: Operator) -> None:
    customer = operator.customer(requestsPerSecond=0.1)
    assert [customer.primary.call("GET", V2).status for _ in range(2)] == [200, 429]
    assert operator.put(customer.subscription_id, {"requestsPerSecond": 100_000}).status == 200
    assert customer.primary.call("GET", V2).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/spid/v1.0/identify?shortAudio=true&identificationProfileIds={}",
        IDENTIFY_V2 + "&profileIds={}",
        IDENTIFY_V2021 + "&profileIds={}",
    ],
)
def test_more_at_once_than_the_service_can_do(narrow: RunningService, path: str) -> None:
    client = Client(narrow.url, narrow.key)
    profile_id = Profiles(client, "identification").enrolled(recording(QUESTION), query="?shortAudio=true")
    answers = flood(client, profile_id, path)
    refused = [one for one in answers if one.status == 503]
    assert {one.status for one in answers} <= {200, 202, 503}
    assert refused
    assert len(refused) < len(answers)
    for one in refused:
        assert one.headers["retry-after"] == "1"
        error = json.loads(one.body)["error"]
        assert error["code"] == "ServiceUnavailable"
        assert error["message"] == "The service has as much work as it can do. Try again in 1 second."


def test_after_the_flood_it_answers_as_before(narrow: RunningService) -> None:
    client = Client(narrow.url, narrow.key)
    profile_id = Profiles(client, "identification").enrolled(recording(QUESTION), query="?shortAudio=true")
    flood(client, profile_id, IDENTIFY_V2 + "&profileIds={}")
    answer = client.call("POST", IDENTIFY_V2 + f"&profileIds={profile_id}", recording(QUESTION))
    assert answer.status == 200


def test_who_waits_for_its_turn_is_served(service: RunningService) -> None:
    """The session's service has room for more than this in its queue."""
    client = Client(service.url, service.key)
    profile_id = Profiles(client, "identification").enrolled(recording(QUESTION), query="?shortAudio=true")
    assert {one.status for one in flood(client, profile_id, IDENTIFY_V2 + "&profileIds={}", requests=4)} == {200}
