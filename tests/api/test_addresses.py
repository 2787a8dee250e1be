"""Addresses that the service gives, and takes: the same on every host, behind TLS too.

The front end of Azure ends TLS and says so in ``X-Forwarded-Proto``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.api.client import Answer, Client, Profiles
from tests.api.later import IDENTIFICATION, TEXT_INDEPENDENT, V2, V2021, Generation
from tests.api.operator import Operator
from tests.voices import QUESTION, recording

GENERATIONS = pytest.mark.parametrize("generation", [V2, V2021], ids=lambda one: one.name)
PUPIL = "11111111-2222-3333-4444-555555555555"


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
def caller(request: pytest.FixtureRequest, api: Client) -> Caller:
    return Caller(api, request.param)


@pytest.fixture(params=["http", "https"])
def fresh(request: pytest.FixtureRequest, operator: Operator) -> Caller:
    """Of a subscription that nobody else writes to."""
    return Caller(operator.customer().primary, request.param)


def test_operation_location(caller: Caller) -> None:
    profile_id = Profiles(caller.client, "identification").create()
    path = f"/spid/v1.0/identificationProfiles/{profile_id}/enroll?shortAudio=true"
    accepted = caller.call("POST", path, recording(QUESTION))
    assert accepted.status == 202, accepted.body
    assert caller.follow(accepted.headers["operation-location"]).json["status"] == "succeeded"


@GENERATIONS
def test_location(caller: Caller, generation: Generation) -> None:
    path = generation.path(TEXT_INDEPENDENT)
    created = caller.call("POST", path, b'{"locale":"en-us"}')
    profile_id = created.json["profileId"]
    assert created.headers["location"] == f"{caller.base}{path.partition('?')[0]}/{profile_id}"
    assert caller.follow(created.headers["location"]).json["profileId"] == profile_id


@GENERATIONS
def test_the_next_page_of_profiles(fresh: Caller, generation: Generation) -> None:
    path = generation.path(IDENTIFICATION)
    ids = {fresh.call("POST", path, b'{"locale":"en-us"}').json["profileId"] for _ in range(3)}
    first = fresh.call("GET", generation.path(IDENTIFICATION, query=f"&{generation.page_size}=2")).json
    rest = fresh.follow(first[generation.next_link]).json
    pages = first[generation.list_name] + rest[generation.list_name]
    assert [profile["profileId"] for profile in pages] == sorted(ids)


def test_the_next_page_of_groups(fresh: Caller) -> None:
    for name in ("a", "b", "c"):
        assert fresh.call("PUT", f"/groups/{name}").status == 201
    first = fresh.call("GET", "/groups?maxpagesize=2").json
    assert [group["name"] for group in fresh.follow(first["nextLink"]).json["value"]] == ["c"]


def test_the_next_page_of_the_audit(fresh: Caller) -> None:
    for name in ("a", "b"):
        assert fresh.call("PUT", f"/groups/{name}").status == 201
    first = fresh.call("GET", "/audit?maxpagesize=1&to=2100-01-01T00:00:00%2B01:00").json
    assert len(fresh.follow(first["nextLink"]).json["value"]) == 1


def test_an_encoded_comma_between_ids(api: Client) -> None:
    identification = Profiles(api, "identification")
    ids = [identification.enrolled(recording(QUESTION), query="?shortAudio=true") for _ in range(2)]
    path = f"/spid/v1.0/identify?shortAudio=true&identificationProfileIds={'%2C'.join(ids)}"
    assert api.call("POST", path, recording(QUESTION)).status == 202


def test_ids_in_repeated_parameters_are_one_list(api: Client) -> None:
    identification = Profiles(api, "identification")
    ids = [identification.enrolled(recording(QUESTION), query="?shortAudio=true") for _ in range(2)]
    path = f"/spid/v1.0/identify?shortAudio=true&identificationProfileIds={'&identificationProfileIds='.join(ids)}"
    assert api.call("POST", path, recording(QUESTION)).status == 202


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_a_verb_after_a_colon_however_that_is_written(api: Client, colon: str) -> None:
    created = api.call(
        "POST", V2021.path(TEXT_INDEPENDENT), b'{"locale":"en-us"}', {"Content-Type": "application/json"}
    )
    path = V2021.path(TEXT_INDEPENDENT, f"/profiles/{created.json['profileId']}{colon}reset")
    assert api.call("POST", path).status == 200


@pytest.mark.parametrize(
    ("written", "read"), [("a%2Cb", "a,b"), ("a%20b", "a b"), ("a%C3%A9", "aé"), ("a+b", "a+b"), ("a%3Fb", "a?b")]
)
def test_an_encoded_name_in_a_path_is_decoded_once(api: Client, written: str, read: str) -> None:
    answer = api.call("GET", f"/groups/{written}")
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["message"].endswith(f'Received "{read}".')


@pytest.mark.parametrize(
    "path",
    [
        f"/SPEAKER-Recognition/Identification/TEXT-independent/Profiles/{PUPIL}?api-version=2021-09-05",
        f"/speaker-recognition/identification/text-independent/profiles/{PUPIL}/?api-version=2021-09-05",
        f"/speaker-recognition/identification/text%2Dindependent/profiles/{PUPIL.replace('-', '%2D')}",
    ],
    ids=["any case", "a slash at the end", "encoded needlessly"],
)
def test_a_path_in_another_spelling(api: Client, path: str) -> None:
    answer = api.call("GET", path)
    assert answer.status == 404
    assert PUPIL in json.loads(answer.body)["error"]["message"]
