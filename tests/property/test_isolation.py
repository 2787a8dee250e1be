"""Isolation over routes, ways to write an id, parameters, headers and bodies: a foreign id is an absent id.

The routes are the app's own, and the requests go over HTTP to the running service.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.client import KEY_HEADER, Answer, Client
from tests.api.every_route import ID, Spot, spots
from tests.api.two_subscriptions import Owner, PlainClient, new_subscription, owner
from tests.service import RunningService
from tests.voices import PASSPORT, recording

SPOTS = [spot for spot in spots() if spot.method != "OPTIONS"]
WRITINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda named: named,
    "in capitals": str.upper,
    "without dashes": lambda named: named.replace("-", ""),
    "with spaces": lambda named: f"%20{named}%20",
    "percent-encoded": lambda named: quote(named).replace("-", "%2D"),
    "with a comma": lambda named: f"{named}%2C",
    "twice": lambda named: f"{named},{named}",
    "with a letter more": lambda named: f"{named}a",
}
PATHS: dict[str, Callable[[str], str]] = {
    "as it is": lambda path: path,
    "in capitals": lambda path: path.upper().replace(ID.upper(), ID),
    "with a slash more": lambda path: path.replace("/", "//", 1),
}
QUERIES = ("", "ignoreMinLength=true", "shortAudio=true", "api-version=2021-09-05", "maxpagesize=1", "$top=0")
TYPES = (None, "application/json", "audio/wav; codecs=audio/pcm", "multipart/form-data; boundary=x")


@dataclass(frozen=True)
class Request:
    """How the id is written, and everything else about the request."""

    spot: Spot
    writing: str
    path: str
    query: str
    content_type: str | None
    body: bytes

    def sent_by(self, client: Client, named: str) -> Answer:
        path = PATHS[self.path](self.spot.path).replace(ID, WRITINGS[self.writing](named))
        separator = "&" if "?" in path else "?"
        headers = {"Content-Type": self.content_type} if self.content_type else {}
        return client.call(self.spot.method, path + (separator + self.query if self.query else ""), self.body, headers)


def written(value: object) -> bytes:
    return json.dumps(value).encode()


BODIES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([b"", written({"locale": "en-us"}), written({"maxAgeDays": 1, "maxIdleDays": None})]),
    st.just(written({"statementId": "s", "recordedDateTime": "2026-01-01T00:00:00Z", "channel": "web"})),
    st.dictionaries(st.sampled_from(["statementId", "maxAgeDays", "locale"]), st.none() | st.integers()).map(written),
)
REQUESTS = st.builds(
    Request,
    st.sampled_from(SPOTS),
    st.sampled_from(sorted(WRITINGS)),
    st.sampled_from(sorted(PATHS)),
    st.sampled_from(QUERIES),
    st.sampled_from(TYPES),
    BODIES,
)


@pytest.fixture(scope="module")
def victim(service: RunningService) -> Owner:
    return owner(new_subscription(service)[1])


@pytest.fixture(scope="module")
def stranger(service: RunningService) -> Client:
    return new_subscription(service)[1]


def seen(answer: Answer, named: str) -> tuple[int, dict[str, str], bytes]:
    """Everything that the caller gets, without what no two answers have in common, the id blotted out in each form."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "apim-request-id")}
    body = answer.body
    forms = [*(writing(named) for writing in WRITINGS.values()), named.replace("-", "").upper()]
    forms += [f"{named[:length]}…" for length in range(1, len(named))]  # an echo is cut off where it gets long
    for form in sorted(forms, key=len, reverse=True):
        body = body.replace(form.encode(), ID.encode())
        headers = {name: value.replace(form, ID) for name, value in headers.items()}
    return answer.status, headers, body


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REQUESTS, st.integers(0, 3), st.uuids(version=4))
def test_whatever_is_asked_a_foreign_id_is_an_absent_one(
    victim: Owner, stranger: Client, request_: Request, which: int, absent: UUID
) -> None:
    foreign = victim.ids[which]
    expected = seen(request_.sent_by(stranger, str(absent)), str(absent))
    assert seen(request_.sent_by(stranger, foreign), foreign) == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SPOTS), st.integers(0, 3), st.uuids(version=4), st.sampled_from([None, "no-such-key"]))
def test_without_a_key_every_id_is_the_same(
    service: RunningService, victim: Owner, spot: Spot, which: int, absent: UUID, key: str | None
) -> None:
    nobody = PlainClient(service.url, key)
    foreign = victim.ids[which]
    expected = seen(nobody.call(spot.method, spot.at(str(absent))), str(absent))
    assert seen(nobody.call(spot.method, spot.at(foreign)), foreign) == expected
    assert expected[0] == 401


def test_after_all_of_that_the_voices_of_the_victim_are_as_they_were(victim: Owner) -> None:
    """Runs behind the properties above: nothing that they sent has changed a thing."""
    speech = victim.client.call("GET", f"/spid/v1.0/identificationProfiles/{victim.identified}")
    phrase = victim.client.call(
        "POST", f"/spid/v1.0/verify?verificationProfileId={victim.by_phrase}", recording(PASSPORT)
    )
    assert speech.json["enrollmentStatus"] == "Enrolled"
    assert phrase.json["result"] == "Accept"
    assert KEY_HEADER not in phrase.headers
