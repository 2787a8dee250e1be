"""Identify among everybody, or a group, in every generation; groups over HTTP; with synthetic voices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.api.client import UNKNOWN, Client, ask_to_identify, identified, identify
from tests.api.later import IDENTIFICATION, TEXT_INDEPENDENT, V2, V2021, Generation, Speakers
from tests.api.operator import Customer, Operator
from tests.service import RunningService
from tests.voices import PASSPORT, QUESTION, STORY, recording

VOICES = ("slt", "awb", "rms")


@pytest.fixture(scope="module")
def customer(operator: Operator) -> Customer:
    """A subscription of its own: everybody is who this module enrolls."""
    return operator.customer()


@pytest.fixture(scope="module")
def voices(customer: Customer) -> Mapping[str, str]:
    """Voice to the id of its profile."""
    return {voice: customer.identification.enrolled(recording(STORY, voice)) for voice in VOICES}


@pytest.fixture
def later(generation: Generation, customer: Customer, voices: Mapping[str, str]) -> Speakers:
    return Speakers(customer.primary, generation, IDENTIFICATION)


def group(customer: Customer, name: str, *profile_ids: str) -> str:
    assert customer.primary.call("PUT", f"/groups/{name}").status in (200, 201)
    for profile_id in profile_ids:
        assert customer.primary.call("PUT", f"/groups/{name}/profiles/{profile_id}").status == 204
    return f"group:{name}"


@pytest.mark.parametrize("voice", VOICES)
def test_the_speaker_is_found_among_everybody(later: Speakers, voices: Mapping[str, str], voice: str) -> None:
    everybody = later.identify("*", recording(QUESTION, voice)).json
    assert everybody["identifiedProfile"]["profileId"] == voices[voice]
    scores = [candidate["score"] for candidate in everybody["profilesRanking"]]
    assert scores == sorted(scores, reverse=True)
    listed = later.identify(",".join(voices.values()), recording(QUESTION, voice)).json["profilesRanking"]
    assert [candidate["score"] for candidate in listed] == pytest.approx(scores, abs=1e-4)
    ids = [candidate["profileId"] for candidate in everybody["profilesRanking"]]
    assert ids == [candidate["profileId"] for candidate in listed]
    assert set(ids) == set(voices.values())


def test_only_the_group_is_asked(later: Speakers, customer: Customer, voices: Mapping[str, str]) -> None:
    two = group(customer, "two", voices["slt"], voices["rms"])
    answer = later.identify(two, recording(QUESTION, "rms"))
    assert answer.json["identifiedProfile"]["profileId"] == voices["rms"]
    ranking = {candidate["profileId"] for candidate in answer.json["profilesRanking"]}
    assert ranking == {voices["slt"], voices["rms"]}
    assert identified(customer.primary, [two], recording(QUESTION)) == voices["slt"]


def test_a_change_is_seen_by_the_next_identify(later: Speakers) -> None:
    """Enrolled, reset, enrolled again, deleted."""
    profile_id = later.enrolled(recording(PASSPORT, "kal16"))

    def is_ranked() -> bool:
        answer = later.identify("*", recording(QUESTION, "kal16")).json
        return profile_id in [candidate["profileId"] for candidate in answer["profilesRanking"]]

    assert is_ranked()
    assert later.reset(profile_id).status in (200, 204)
    assert not is_ranked()
    assert later.enroll(profile_id, recording(PASSPORT, "kal16"), "&ignoreMinLength=true").status == 201
    assert is_ranked()
    assert later.delete(profile_id).status == 204
    assert not is_ranked()


def test_nobody_enrolled_is_a_bad_request(operator: Operator) -> None:
    empty = operator.customer().primary
    reason = "There is no enrolled identification profile in this subscription."
    for generation in (V2, V2021):
        status, code, message = Speakers(empty, generation, IDENTIFICATION).identify("*", recording(QUESTION)).error
        assert (status, code) == (400, "InvalidRequest")
        assert reason in message
    done = identify(empty, ["*"], recording(QUESTION))
    assert done["status"] == "failed"
    assert done["message"] == f"IncompleteEnrollment: Profile is not enrolled. {reason}"


def test_a_group_that_is_not_there(later: Speakers) -> None:
    assert later.identify("group:nowhere", recording(QUESTION)).error[:2] == (404, "NotFound")
    answer = ask_to_identify(later.client, "group:nowhere", recording(QUESTION))
    assert answer.error == (400, "BadRequest", "Requested group doesn't exist: nowhere.")


@pytest.mark.parametrize("candidates", ["**", "*,*", "group:", "group:a_b", "group:a,group:b", f"group:{'x' * 65}"])
def test_what_names_neither_everybody_nor_a_group(later: Speakers, candidates: str) -> None:
    assert later.identify(candidates, recording(QUESTION)).error[:2] == (400, "InvalidArgument")


def test_everybody_is_no_candidate_of_a_verification(later: Speakers) -> None:
    assert replace(later, kind=TEXT_INDEPENDENT).identify("*", recording(QUESTION)).status == 404


def test_a_group_is_made_shown_listed_and_deleted(customer: Customer, voices: Mapping[str, str]) -> None:
    client = customer.primary
    made = client.call("PUT", "/groups/Night-Shift")
    assert (made.status, made.json["name"]) == (201, "Night-Shift")
    again = client.call("PUT", "/groups/Night-Shift")
    assert (again.status, again.json) == (200, made.json)
    ids = sorted(voices.values())
    group(customer, "Night-Shift", *ids, ids[0])
    assert client.call("GET", "/groups/Night-Shift").json == {**made.json, "profileIds": ids}
    first = client.call("GET", "/groups/Night-Shift?maxpagesize=2").json
    assert first["profileIds"] == ids[:2]
    assert client.call("GET", first["nextLink"].removeprefix(client.url)).json["profileIds"] == ids[2:]
    assert "Night-Shift" in [listed["name"] for listed in client.call("GET", "/groups").json["value"]]
    assert client.call("DELETE", f"/groups/Night-Shift/profiles/{ids[0]}").status == 204
    assert client.call("GET", "/groups/Night-Shift").json["profileIds"] == ids[1:]
    assert client.call("DELETE", "/groups/Night-Shift").status == 204
    for method in ("GET", "DELETE"):
        answer = client.call(method, "/groups/Night-Shift")
        assert answer.error == (404, "NotFound", "Requested group doesn't exist: Night-Shift.")


@pytest.mark.parametrize("name", ["a_b", "a.b", "%C3%BC", "x" * 65])
def test_a_name_that_is_none(api: Client, name: str) -> None:
    status, code, message = api.call("PUT", f"/groups/{name}").error
    assert (status, code) == (400, "InvalidArgument")
    assert "A group's name has 1 to 64 letters, digits and dashes." in message


def test_groups_are_a_subscriptions_own(customer: Customer, operator: Operator) -> None:
    group(customer, "mine")
    other = operator.customer()
    for profile_id in (UNKNOWN, other.identification.create()):
        answer = customer.primary.call("PUT", f"/groups/mine/profiles/{profile_id}")
        assert answer.error == (404, "Not Found", f"Requested profile doesn't exist: {profile_id}.")
    assert other.primary.call("GET", "/groups/mine").status == 404
    assert other.primary.call("GET", "/groups").json["value"] == []
    assert replace(other.primary, key=None).call("GET", "/groups").error[0] == 401


def test_the_compaction_timer_is_fired_and_changes_no_answer(
    service: RunningService, customer: Customer, voices: Mapping[str, str]
) -> None:
    service.fire("compaction")
    assert identified(customer.primary, ["*"], recording(QUESTION, "rms")) == voices["rms"]
