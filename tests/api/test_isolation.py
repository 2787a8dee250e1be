"""Another subscription's profile answers like an absent one, byte for byte, in every operation of every API.

The places are those of openapi.json. Ways to write an id, parameters, headers and bodies are drawn by chance.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from _pytest.mark import ParameterSet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.client import PREFIX, Answer, Client, verify
from tests.api.every_route import ID, Spot, spots
from tests.api.later import KINDS, V2, V2021
from tests.api.operator import Customer, Operator, Owner, owner
from tests.api.stored import Stored
from tests.api.test_long_recordings import begun
from tests.recording_host import RecordingHost
from tests.service import RunningService
from tests.voices import PASSPORT, recording

SPOTS = spots()
WITH_BODY = ("POST", "PUT", "PATCH")
WRITINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda profile_id: profile_id,
    "in capitals": str.upper,
    "without dashes": lambda profile_id: profile_id.replace("-", ""),
    "with spaces": lambda profile_id: f"%20{profile_id}%20",
    "percent-encoded": lambda profile_id: quote(profile_id).replace("-", "%2D"),
    "with a comma": lambda profile_id: f"{profile_id}%2C",
    "twice": lambda profile_id: f"{profile_id},{profile_id}",
    "with a letter more": lambda profile_id: f"{profile_id}a",
}
PATHS: dict[str, Callable[[str], str]] = {
    "as it is": lambda path: path,
    "in capitals": lambda path: path.upper().replace(ID.upper(), ID),
    "with a slash more": lambda path: path.replace("/", "//", 1),
}
QUERIES = ("", "ignoreMinLength=true", "shortAudio=true", "api-version=2021-09-05", "maxpagesize=1", "$top=0")
TYPES = (None, "application/json", "audio/wav; codecs=audio/pcm", "multipart/form-data; boundary=x")
CONSENT = {"statementId": "s-1", "recordedDateTime": "2026-01-01T00:00:00Z", "channel": "web", "reference": "r"}
JSON = [json.dumps(value).encode() for value in (CONSENT, {"maxAgeDays": 1, "maxIdleDays": None}, {"locale": "en-us"})]


@pytest.fixture(scope="module")
def victims(operator: Operator) -> Customer:
    """A subscription of its own, so that its lists and trail fit on a page whatever other tests have made."""
    return operator.customer()


@pytest.fixture(scope="module")
def victim(victims: Customer, recordings: RecordingHost, service: RunningService) -> Owner:
    """Its long recording has come to an end, so that no timer changes anything."""
    victim = owner(victims.unchecked)
    long_operation = begun(victims.primary, "*", recordings.put("/page.html", b"<html>")).rpartition("/")[2]
    service.fire("turns")
    return replace(victim, long_operation=long_operation)


@pytest.fixture(scope="module")
def strangers(operator: Operator) -> Customer:
    return operator.customer()


@pytest.fixture(scope="module")
def stranger(strangers: Customer) -> Client:
    return strangers.unchecked


def seen(answer: Answer, profile_id: str) -> tuple[int, dict[str, str], bytes]:
    """Everything that the caller gets, without what no two answers have in common, the id blotted out in each form."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "apim-request-id")}
    body = answer.body
    forms = [*(writing(profile_id) for writing in WRITINGS.values()), profile_id.replace("-", "").upper()]
    forms += [f"{profile_id[:length]}…" for length in range(1, len(profile_id))]  # a long echo is cut off
    for form in sorted(forms, key=len, reverse=True):
        body = body.replace(form.encode(), ID.encode())
        headers = {name: value.replace(form, ID) for name, value in headers.items()}
    return answer.status, headers, body


def some_on_azure(places: list[Spot]) -> list[ParameterSet]:
    """Every eighth in the short form there: all answer from the same place."""
    rest = pytest.mark.long_on_azure("every eighth of the operations is tried")
    return [pytest.param(spot, marks=rest if number % 8 else (), id=str(spot)) for number, spot in enumerate(places)]


def fitting_bodies(spot: Spot) -> list[bytes]:
    """No audio, and what the operation does take."""
    if spot.method not in WITH_BODY:
        return [b""]
    takes_json = {"consent": JSON[0], "retention": JSON[1], "challenges": b"{}"}
    fitting = [body for name, body in takes_json.items() if name in spot.path]
    return [b"not audio", *(fitting or [recording(PASSPORT)])]


@pytest.mark.parametrize("spot", some_on_azure(SPOTS))
def test_a_foreign_id_answers_like_an_absent_one(
    spot: Spot, victims: Customer, victim: Owner, strangers: Customer, stored: Stored
) -> None:
    stranger = strangers.unchecked
    before = [stored.of_subscription(customer.subscription_id) for customer in (victims, strangers)]
    for body in fitting_bodies(spot):
        absent = str(uuid4())
        expected = seen(stranger.call(spot.method, spot.at(absent), body), absent)
        for foreign in victim.ids:
            assert seen(stranger.call(spot.method, spot.at(foreign), body), foreign) == expected
    assert [stored.of_subscription(customer.subscription_id) for customer in (victims, strangers)] == before


HARMLESS = [spot for spot in SPOTS if spot.method in ("GET", "POST", "PUT") and "reset" not in spot.path]


@pytest.mark.parametrize("spot", some_on_azure(HARMLESS))
def test_the_owner_does_get_another_answer(spot: Spot, victim: Owner) -> None:
    """So that the test above compares something: of the owner's ids, one at least is no absent one at this place."""

    def answer(profile_id: str) -> tuple[int, dict[str, str], bytes]:
        """To a body that no operation takes, so that nothing is changed."""
        body = b"not audio" if spot.method in WITH_BODY else None
        return seen(victim.client.call(spot.method, spot.at(profile_id), body), profile_id)

    expected = answer(str(uuid4()))
    assert any(answer(profile_id) != expected for profile_id in victim.ids)


def test_every_generation_is_among_the_routes() -> None:
    assert {spot.path.split("/")[1] for spot in SPOTS} >= {"spid", "speaker", "speaker-recognition", "profiles"}
    assert {spot.method for spot in SPOTS} >= {"GET", "POST", "PUT", "DELETE", "OPTIONS"}


@dataclass(frozen=True)
class Request:
    """How the id is written, and everything else about the request."""

    spot: Spot
    writing: str
    path: str
    query: str
    content_type: str | None
    body: bytes

    def sent_by(self, client: Client, profile_id: str) -> Answer:
        path = PATHS[self.path](self.spot.path).replace(ID, WRITINGS[self.writing](profile_id))
        separator = "&" if "?" in path else "?"
        headers = {"Content-Type": self.content_type} if self.content_type else {}
        return client.call(self.spot.method, path + (separator + self.query if self.query else ""), self.body, headers)


FIELDS = st.dictionaries(st.sampled_from(["statementId", "maxAgeDays", "locale"]), st.none() | st.integers())
CALLED = [spot for spot in SPOTS if spot.method != "OPTIONS"]
REQUESTS = st.builds(
    Request,
    st.sampled_from(CALLED),
    st.sampled_from(sorted(WRITINGS)),
    st.sampled_from(sorted(PATHS)),
    st.sampled_from(QUERIES),
    st.sampled_from(TYPES),
    st.binary(max_size=200) | st.sampled_from([b"", *JSON]) | FIELDS.map(lambda fields: json.dumps(fields).encode()),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REQUESTS, st.integers(0, 4), st.uuids(version=4))
def test_however_it_is_asked_for_a_foreign_id_is_an_absent_one(
    victim: Owner, stranger: Client, request_: Request, which: int, absent: UUID
) -> None:
    foreign = victim.ids[which]
    expected = seen(request_.sent_by(stranger, str(absent)), str(absent))
    assert seen(request_.sent_by(stranger, foreign), foreign) == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CALLED), st.integers(0, 3), st.uuids(version=4), st.sampled_from([None, "no-such-key"]))
def test_without_a_key_every_id_is_the_same(
    victim: Owner, spot: Spot, which: int, absent: UUID, key: str | None
) -> None:
    nobody, foreign = replace(victim.client, key=key), victim.ids[which]
    expected = seen(nobody.call(spot.method, spot.at(str(absent))), str(absent))
    assert seen(nobody.call(spot.method, spot.at(foreign)), foreign) == expected
    assert expected[0] == 401


@pytest.mark.parametrize(
    "path",
    [
        PREFIX + "/verificationProfiles",
        PREFIX + "/identificationProfiles",
        *(generation.path(kind) for generation in (V2, V2021) for kind in KINDS),
        "/audit",
    ],
)
def test_a_list_holds_nothing_of_anybody_else(path: str, victim: Owner, stranger: Client) -> None:
    """The owner's own lists do name what it has."""
    answer = stranger.call("GET", path)
    assert answer.status == 200
    assert not any(profile_id.encode() in answer.body for profile_id in victim.ids)
    own = victim.client.call("GET", path).body
    assert any(profile_id.encode() in own for profile_id in victim.ids)


def test_a_foreign_profile_joins_no_group_and_is_identified_in_none(victim: Owner, stranger: Client) -> None:
    """Unlike in the tests above there is a group to join, and there are candidates of its own."""
    own, absent = owner(stranger), str(uuid4())
    assert stranger.call("PUT", f"/groups/a-group/profiles/{own.identified}").status == 204
    expected = seen(stranger.call("PUT", f"/groups/a-group/profiles/{absent}"), absent)
    answer = stranger.call("PUT", f"/groups/a-group/profiles/{victim.identified}")
    assert seen(answer, victim.identified) == expected
    assert answer.status == 404
    members = stranger.call("GET", "/groups/a-group").body
    assert (victim.identified.encode() in members, own.identified.encode() in members) == (False, True)
    for spot in (spot for spot in HARMLESS if "/identify" in spot.path or ":identify" in spot.path):
        expected = seen(stranger.call("POST", spot.at(f"{own.identified},{absent}"), recording(PASSPORT)), absent)
        foreign = f"{own.identified},{victim.identified}"
        answer = stranger.call("POST", spot.at(foreign), recording(PASSPORT))
        assert seen(answer, victim.identified) == expected
        assert 400 <= answer.status < 500


def test_after_all_of_that_the_voices_of_the_victim_are_as_they_were(victims: Customer, victim: Owner) -> None:
    """Runs last in this file: nothing that was sent has changed a thing."""
    assert victims.identification.show(victim.identified)["enrollmentStatus"] == "Enrolled"
    assert verify(victims.primary, victim.by_phrase, recording(PASSPORT)).json["result"] == "Accept"
