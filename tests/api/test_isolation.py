"""Another subscription's profile answers like an absent one, byte for byte, in every operation of every API."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.api.client import Answer, Client
from tests.api.every_route import ID, Spot, spots
from tests.api.two_subscriptions import Owner, new_subscription, owner
from tests.service import RunningService
from tests.voices import PASSPORT, recording

SPOTS = spots()
WITH_BODY = ("POST", "PUT", "PATCH")


@pytest.fixture(scope="module")
def victim(service: RunningService) -> Owner:
    """In a subscription of its own, so that its lists and trail fit on a page whatever other tests have made."""
    return owner(new_subscription(service)[1])


@pytest.fixture(scope="module")
def strange(service: RunningService) -> tuple[str, Client]:
    """Another subscription: its id, and a client of it."""
    return new_subscription(service)


@pytest.fixture(scope="module")
def stranger(strange: tuple[str, Client]) -> Client:
    return strange[1]


def bodies(spot: Spot) -> list[bytes]:
    if spot.method not in WITH_BODY:
        return [b""]
    consent = {"statementId": "s-1", "recordedDateTime": "2026-01-01T00:00:00Z", "channel": "web", "reference": "r"}
    return [
        b"",
        b"not audio",
        recording(PASSPORT),
        json.dumps(consent).encode(),
        b'{"maxAgeDays":1}',
        b'{"locale":"en-us"}',
    ]


def seen(answer: Answer, named: str) -> tuple[int, dict[str, str], bytes]:
    """Everything that the caller gets, without what no two answers have in common, and with the id blotted out."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "apim-request-id")}
    blotted = {name: value.replace(named, ID) for name, value in headers.items()}
    return answer.status, blotted, answer.body.replace(named.encode(), ID.encode())


@pytest.mark.parametrize("spot", SPOTS, ids=str)
def test_a_foreign_id_answers_like_an_absent_one(
    spot: Spot, victim: Owner, strange: tuple[str, Client], stored: Callable[[], dict[str, str]]
) -> None:
    stranger_id, stranger = strange
    before = about(stored(), stranger_id, *victim.ids)
    for body in bodies(spot):
        absent = str(uuid4())
        expected = seen(stranger.call(spot.method, spot.at(absent), body), absent)
        for foreign in victim.ids:
            assert seen(stranger.call(spot.method, spot.at(foreign), body), foreign) == expected
    assert about(stored(), stranger_id, *victim.ids) == before


def about(stored: dict[str, str], *ids: str) -> dict[str, str]:
    """The rows and blobs that belong to one of these ids, each with its ETag."""
    return {name: etag for name, etag in stored.items() if any(one in name for one in ids)}


def answers_its_owner(spot: Spot, victim: Owner, named: str) -> Answer:
    """An answer that changes nothing: a body that no operation takes."""
    return victim.client.call(spot.method, spot.at(named), b"not audio" if spot.method in WITH_BODY else None)


def has_profiles(spot: Spot) -> bool:
    """Identification is text-independent, verify is not for its profiles, and identify for no others."""
    identification = "identification" in spot.path
    if identification and "text-dependent" in spot.path:
        return False
    return not (spot.function.startswith("verify") and identification) and not (
        spot.function.startswith("identify_") and "/verification/" in spot.path
    )


HARMLESS = [
    spot
    for spot in SPOTS
    if spot.method in ("GET", "POST", "PUT") and "reset" not in spot.function and has_profiles(spot)
]


@pytest.mark.parametrize("spot", HARMLESS, ids=str)
def test_the_owner_does_get_another_answer(spot: Spot, victim: Owner) -> None:
    """So that the test above compares something: of the owner's ids, one at least is no absent one at this place."""
    absent = str(uuid4())
    expected = seen(answers_its_owner(spot, victim, absent), absent)
    assert any(seen(answers_its_owner(spot, victim, one), one) != expected for one in victim.ids)


def test_every_generation_is_among_the_routes() -> None:
    generations = {spot.path.split("/")[1] for spot in SPOTS}
    assert {"spid", "speaker", "speaker-recognition", "profiles"} <= generations
    assert {spot.method for spot in SPOTS} >= {"GET", "POST", "PUT", "DELETE", "OPTIONS"}


@pytest.mark.parametrize(
    "path",
    [
        "/spid/v1.0/verificationProfiles",
        "/spid/v1.0/identificationProfiles",
        "/speaker/verification/v2.0/text-dependent/profiles",
        "/speaker/verification/v2.0/text-independent/profiles",
        "/speaker/identification/v2.0/text-independent/profiles",
        "/speaker-recognition/verification/text-dependent/profiles",
        "/speaker-recognition/verification/text-independent/profiles",
        "/speaker-recognition/identification/text-independent/profiles",
        "/audit",
    ],
)
def test_a_list_holds_nothing_of_anybody_else(path: str, victim: Owner, stranger: Client) -> None:
    """The owner's own lists do name what it has."""
    answer = stranger.call("GET", path)
    assert answer.status == 200
    assert not any(one.encode() in answer.body for one in victim.ids)
    assert any(one.encode() in victim.client.call("GET", path).body for one in victim.ids)


def test_a_foreign_profile_joins_no_group_and_is_identified_in_none(victim: Owner, stranger: Client) -> None:
    """Unlike in the tests above there is a group to join."""
    own, absent = owner(stranger), str(uuid4())
    assert stranger.call("PUT", f"/groups/a-group/profiles/{own.identified}").status == 204
    expected = seen(stranger.call("PUT", f"/groups/a-group/profiles/{absent}"), absent)
    found = stranger.call("PUT", f"/groups/a-group/profiles/{victim.identified}")
    assert seen(found, victim.identified) == expected
    assert found.status == 404
    assert victim.identified.encode() not in stranger.call("GET", "/groups/a-group").body
    assert own.identified.encode() in stranger.call("GET", "/groups/a-group").body


def test_one_foreign_candidate_among_own_ones_is_an_absent_one(victim: Owner, stranger: Client) -> None:
    own = owner(stranger)
    for path in (
        "/spid/v1.0/identify?shortAudio=true&identificationProfileIds=",
        "/speaker/identification/v2.0/text-independent/profiles/identifySingleSpeaker?profileIds=",
        "/speaker-recognition/identification/text-independent/profiles:identifySingleSpeaker?profileIds=",
    ):
        absent = str(uuid4())
        expected = seen(stranger.call("POST", f"{path}{own.identified},{absent}", recording(PASSPORT)), absent)
        found = seen(
            stranger.call("POST", f"{path}{own.identified},{victim.identified}", recording(PASSPORT)), victim.identified
        )
        assert found == expected
        assert 400 <= found[0] < 500
