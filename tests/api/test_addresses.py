"""Addresses that the service gives, and takes: the same on every host, behind TLS too.

The front end of Azure ends TLS and says so in ``X-Forwarded-Proto``.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.api.client import UNKNOWN, Answer, Client, Profiles
from tests.api.later import IDENTIFICATION, TEXT_INDEPENDENT, Generation
from tests.api.operator import Operator
from tests.voices import QUESTION, recording


@dataclass(frozen=True)
class Caller:
    """A client whose requests reach the host by ``scheme``, and say so."""

    client: Client
    scheme: str

    @property
    def base(self) -> str:
        """What every address begins with."""
        return f"{self.scheme}://{urlsplit(self.client.url).netloc}"

    def call(self, method: str, path: str, body: bytes | None = None) -> Answer:
        forwarded = {"X-Forwarded-Proto": "https"} if self.scheme == "https" else {}
        return self.client.call(method, path, body, {"Content-Type": "application/json", **forwarded})

    def follow(self, address: str) -> Answer:
        assert address.startswith(f"{self.base}/"), address
        return self.call("GET", address.removeprefix(self.base))


@pytest.fixture(params=["http", "https"])
def caller(request: pytest.FixtureRequest, operator: Operator) -> Caller:
    """Of a subscription that nobody else writes to."""
    return Caller(operator.customer().primary, request.param)


@pytest.mark.long_on_azure("its recording is heard in seconds")
def test_operation_location(caller: Caller) -> None:
    profile_id = Profiles(caller.client, "identification").create()
    path = f"/spid/v1.0/identificationProfiles/{profile_id}/enroll?shortAudio=true"
    accepted = caller.call("POST", path, recording(QUESTION))
    assert accepted.status == 202, accepted.body
    assert caller.follow(accepted.headers["operation-location"]).json["status"] == "succeeded"


def test_location(caller: Caller, generation: Generation) -> None:
    path = generation.path(TEXT_INDEPENDENT)
    created = caller.call("POST", path, b'{"locale":"en-us"}')
    profile_id = created.json["profileId"]
    assert created.headers["location"] == f"{caller.base}{path.partition('?')[0]}/{profile_id}"
    assert caller.follow(created.headers["location"]).json["profileId"] == profile_id


def test_the_next_page_of_profiles(caller: Caller, generation: Generation) -> None:
    path = generation.path(IDENTIFICATION)
    ids = {caller.call("POST", path, b'{"locale":"en-us"}').json["profileId"] for _ in range(3)}
    first = caller.call("GET", generation.path(IDENTIFICATION, query=f"&{generation.page_size}=2")).json
    rest = caller.follow(first[generation.next_link]).json
    pages = first[generation.list_name] + rest[generation.list_name]
    assert [profile["profileId"] for profile in pages] == sorted(ids)


def test_the_next_page_of_groups_and_of_the_audit(caller: Caller) -> None:
    for name in ("b", "a", "c"):
        assert caller.call("PUT", f"/groups/{name}").status == 201
    first = caller.call("GET", "/groups?maxpagesize=2").json
    rest = caller.follow(first["nextLink"]).json
    assert [group["name"] for group in (*first["value"], *rest["value"])] == ["a", "b", "c"]
    assert "nextLink" not in rest
    first = caller.call("GET", "/audit?maxpagesize=1&to=2100-01-01T00:00:00%2B01:00").json
    assert len(caller.follow(first["nextLink"]).json["value"]) == 1


@pytest.mark.parametrize(
    ("written", "read"), [("a%2Cb", "a,b"), ("a%20b", "a b"), ("a%C3%A9", "aé"), ("a+b", "a+b"), ("a%3Fb", "a?b")]
)
def test_an_encoded_name_in_a_path_is_decoded_once(api: Client, written: str, read: str) -> None:
    status, _, message = api.call("GET", f"/groups/{written}").error
    assert (status, message.rpartition("Received ")[2]) == (400, f'"{read}".')


@pytest.mark.parametrize(
    "path",
    [
        f"/SPEAKER-Recognition/Identification/TEXT-independent/Profiles/{UNKNOWN}?api-version=2021-09-05",
        f"/speaker-recognition/identification/text-independent/profiles/{UNKNOWN}/?api-version=2021-09-05",
        f"/speaker-recognition/identification/text%2Dindependent/profiles/{UNKNOWN.replace('-', '%2D')}",
    ],
    ids=["any case", "a slash at the end", "encoded needlessly"],
)
def test_a_path_in_another_spelling(api: Client, path: str) -> None:
    status, _, message = api.call("GET", path).error
    assert status == 404
    assert UNKNOWN in message
