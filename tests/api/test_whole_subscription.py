"""Identify among everybody, or a group, in every generation; groups over HTTP; with synthetic voices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.api.client import Answer, Client, Profiles, identify, operation
from tests.api.later import IDENTIFICATION, TEXT_INDEPENDENT, V2, V2021, Generation, Speakers, refusal
from tests.api.operator import Customer, Operator
from tests.service import RunningService
from tests.voices import QUESTION, STORY, recording, wav_bytes

VOICES = ("slt", "awb", "rms")
UNKNOWN = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def customer(service: RunningService) -> Customer:
    """A subscription of its own: everybody is who this module enrolls."""
    return Operator(service.url, service.management_key).customer()


@pytest.fixture(scope="module")
def speakers(customer: Customer) -> Mapping[str, str]:
    """Voice to the id of its profile."""
    of_v1 = Profiles(customer.primary, "identification")
    return {voice: of_v1.enrolled(recording(STORY, voice), query="?shortAudio=true") for voice in VOICES}


@pytest.fixture(params=[V2, V2021], ids=lambda one: one.name)
def later(request: pytest.FixtureRequest, customer: Customer) -> Speakers:
    generation: Generation = request.param
    return Speakers(customer.primary, generation, IDENTIFICATION)


def put(client: Client, path: str) -> Answer:
    return client.call("PUT", path)


def v1(client: Client, candidates: str, audio: bytes) -> Any:
    return identify(client, [candidates], audio)


def group_of(customer: Customer, name: str, *profile_ids: str) -> str:
    assert put(customer.primary, f"/groups/{name}").status in (200, 201)
    for one in profile_ids:
        assert put(customer.primary, f"/groups/{name}/profiles/{one}").status == 204
    return f"group:{name}"


@pytest.mark.parametrize("voice", VOICES)
def test_the_speaker_is_found_among_everybody(later: Speakers, speakers: Mapping[str, str], voice: str) -> None:
    answer = later.identify("*", recording(QUESTION, voice))
    assert answer.status == 200
    assert answer.json["identifiedProfile"]["profileId"] == speakers[voice]
    ranking = answer.json["profilesRanking"]
    assert {one["profileId"] for one in ranking} == set(speakers.values())
    assert [one["score"] for one in ranking] == sorted((one["score"] for one in ranking), reverse=True)


def test_everybody_is_what_a_list_of_all_is(later: Speakers, speakers: Mapping[str, str]) -> None:
    everybody = later.identify("*", recording(QUESTION)).json
    listed = later.identify(",".join(speakers.values()), recording(QUESTION)).json
    assert [one["profileId"] for one in everybody["profilesRanking"]] == [
        one["profileId"] for one in listed["profilesRanking"]
    ]
    assert [one["score"] for one in everybody["profilesRanking"]] == pytest.approx(
        [one["score"] for one in listed["profilesRanking"]], abs=1e-4
    )


def test_everybody_in_v1(customer: Customer, speakers: Mapping[str, str]) -> None:
    done = v1(customer.primary, "*", recording(QUESTION, "awb"))
    assert done["processingResult"]["identifiedProfileId"] == speakers["awb"]


def test_only_the_group_is_asked(later: Speakers, customer: Customer, speakers: Mapping[str, str]) -> None:
    group = group_of(customer, "two", speakers["slt"], speakers["rms"])
    answer = later.identify(group, recording(QUESTION, "rms"))
    assert answer.json["identifiedProfile"]["profileId"] == speakers["rms"]
    assert {one["profileId"] for one in answer.json["profilesRanking"]} == {speakers["slt"], speakers["rms"]}
    done = v1(customer.primary, group, recording(QUESTION, "slt"))
    assert done["processingResult"]["identifiedProfileId"] == speakers["slt"]


def test_a_change_is_seen_by_the_next_identify(customer: Customer, later: Speakers) -> None:
    """Enrolled, reset, enrolled again, deleted."""
    client = Speakers(customer.primary, later.generation, IDENTIFICATION)
    profile_id = client.enrolled(recording(STORY, "kal16"))

    def ranked() -> set[str]:
        return {one["profileId"] for one in client.identify("*", recording(QUESTION, "kal16")).json["profilesRanking"]}

    assert profile_id in ranked()
    assert client.reset(profile_id).status in (200, 204)
    assert profile_id not in ranked()
    assert client.enroll(profile_id, recording(STORY, "kal16"), "&ignoreMinLength=true").status == 201
    assert profile_id in ranked()
    assert client.delete(profile_id).status == 204
    assert profile_id not in ranked()


def test_nobody_enrolled_is_a_bad_request(operator: Operator) -> None:
    empty = operator.customer().primary
    for generation in (V2, V2021):
        status, code, message = refusal(Speakers(empty, generation, IDENTIFICATION).identify("*", recording(QUESTION)))
        assert (status, code) == (400, "InvalidRequest")
        assert "There is no enrolled identification profile in this subscription." in message
    answer = empty.post("/identify?identificationProfileIds=*&shortAudio=true", recording(QUESTION))
    done = operation(empty, answer)
    assert done["status"] == "failed"
    assert done["message"] == (
        "IncompleteEnrollment: Profile is not enrolled. "
        "There is no enrolled identification profile in this subscription."
    )


def test_a_group_that_is_not_there(later: Speakers, customer: Customer, speakers: Mapping[str, str]) -> None:
    assert speakers
    assert refusal(later.identify("group:nowhere", recording(QUESTION)))[:2] == (404, "NotFound")
    answer = customer.primary.post(
        "/identify?identificationProfileIds=group:nowhere&shortAudio=true", recording(QUESTION)
    )
    assert answer.error == (400, "BadRequest", "Requested group doesn't exist: nowhere.")


@pytest.mark.parametrize("candidates", ["**", "*,*", "group:", "group:a_b", "group:a,group:b", f"group:{'x' * 65}"])
def test_what_names_neither_everybody_nor_a_group(later: Speakers, candidates: str) -> None:
    assert refusal(later.identify(candidates, recording(QUESTION)))[:2] == (400, "InvalidArgument")


def test_everybody_is_no_candidate_of_a_verification(customer: Customer, later: Speakers) -> None:
    assert (
        Speakers(customer.primary, later.generation, TEXT_INDEPENDENT).identify("*", recording(QUESTION)).status == 404
    )


def test_silence_is_refused_as_ever(later: Speakers, speakers: Mapping[str, str]) -> None:
    assert speakers
    silence = wav_bytes(np.zeros(5 * 16_000, np.float32))
    assert refusal(later.identify("*", silence))[0] == 400


def test_a_group_is_made_shown_listed_and_deleted(customer: Customer, speakers: Mapping[str, str]) -> None:
    client = customer.primary
    made = put(client, "/groups/Night-Shift")
    assert made.status == 201
    assert made.json["name"] == "Night-Shift"
    again = put(client, "/groups/Night-Shift")
    assert (again.status, again.json) == (200, made.json)
    ids = sorted(speakers.values())
    for one in (*ids, ids[0]):
        assert put(client, f"/groups/Night-Shift/profiles/{one}").status == 204
    shown = client.call("GET", "/groups/Night-Shift")
    assert shown.json == {**made.json, "profileIds": ids}
    first = client.call("GET", "/groups/Night-Shift?maxpagesize=2").json
    assert first["profileIds"] == ids[:2]
    assert client.call("GET", first["nextLink"].removeprefix(client.url)).json["profileIds"] == ids[2:]
    assert "Night-Shift" in [one["name"] for one in client.call("GET", "/groups").json["value"]]
    assert client.call("DELETE", f"/groups/Night-Shift/profiles/{ids[0]}").status == 204
    assert client.call("GET", "/groups/Night-Shift").json["profileIds"] == ids[1:]
    assert client.call("DELETE", "/groups/Night-Shift").status == 204
    for method in ("GET", "DELETE"):
        answer = client.call(method, "/groups/Night-Shift")
        assert answer.error == (404, "NotFound", "Requested group doesn't exist: Night-Shift.")


def test_groups_come_in_pages(operator: Operator) -> None:
    client = operator.customer().primary
    for name in ("b", "a", "c"):
        put(client, f"/groups/{name}")
    first = client.call("GET", "/groups?maxpagesize=2").json
    assert [one["name"] for one in first["value"]] == ["a", "b"]
    rest = client.call("GET", first["nextLink"].removeprefix(client.url)).json
    assert [one["name"] for one in rest["value"]] == ["c"]
    assert "nextLink" not in rest


@pytest.mark.parametrize("name", ["a_b", "a.b", "%C3%BC", "x" * 65])
def test_a_name_that_is_none(customer: Customer, name: str) -> None:
    status, code, message = put(customer.primary, f"/groups/{name}").error
    assert (status, code) == (400, "InvalidArgument")
    assert "A group's name has 1 to 64 letters, digits and dashes." in message


def test_a_profile_that_is_not_there_cannot_be_added(customer: Customer, operator: Operator) -> None:
    group_of(customer, "some")
    foreign = Profiles(operator.customer().primary, "identification").create()
    for one in (UNKNOWN, foreign):
        answer = put(customer.primary, f"/groups/some/profiles/{one}")
        assert answer.error == (404, "Not Found", f"Requested profile doesn't exist: {one}.")


def test_groups_are_a_subscriptions_own(customer: Customer, operator: Operator) -> None:
    group_of(customer, "mine")
    other = operator.customer().primary
    assert other.call("GET", "/groups/mine").status == 404
    assert other.call("GET", "/groups").json["value"] == []
    assert Client(other.url, None).call("GET", "/groups").error[0] == 401


def test_the_compaction_timer_is_fired_and_changes_no_answer(
    service: RunningService, customer: Customer, speakers: Mapping[str, str]
) -> None:
    service.fire("compaction")
    answer = Speakers(customer.primary, V2021, IDENTIFICATION).identify("*", recording(QUESTION, "rms"))
    assert answer.json["identifiedProfile"]["profileId"] == speakers["rms"]
