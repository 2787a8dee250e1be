"""Create, list, get, delete and reset, of both families of profiles."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest

from tests.api.client import Client, Profiles
from tests.voices import PASSPORT, QUESTION, STORY, recording, takes

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(params=["verification", "identification"])
def family(api: Client, request: pytest.FixtureRequest) -> Profiles:
    return Profiles(api, request.param)


def test_create_answers_the_new_id_and_nothing_else(family: Profiles) -> None:
    answer = family.client.post(family.path, b'{"locale":"en-us"}', "application/json")
    assert answer.status == 200
    assert list(answer.json) == [family.id_name]
    assert GUID.fullmatch(answer.json[family.id_name])


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"locale":"en-us",}', "application/json"),
        (b"locale=en-us", "application/x-www-form-urlencoded"),
        (b'{"locale":"en-us"}', "multipart/form-data"),
    ],
)
def test_create_takes_every_body_that_clients_send(family: Profiles, body: bytes, content_type: str) -> None:
    answer = family.client.post(family.path, body, content_type)
    assert answer.status == 200
    assert family.show(answer.json[family.id_name])["locale"] == "en-us"


@pytest.mark.parametrize("locale", ["en-us", "en-US", "EN-US"])
def test_a_locale_is_echoed_as_it_was_given(family: Profiles, locale: str) -> None:
    assert family.show(family.create(locale))["locale"] == locale


def test_a_verification_profile_knows_english_only(verification: Profiles) -> None:
    answer = verification.client.post(verification.path, b'{"locale":"zh-cn"}', "application/json")
    assert answer.error == (
        400,
        "BadRequest",
        'Invalid locale value. Supported locales are en-US. Received "zh-cn".',
    )


def test_an_identification_profile_may_be_chinese(identification: Profiles) -> None:
    assert identification.show(identification.create("zh-cn"))["locale"] == "zh-cn"


def test_a_fresh_verification_profile(verification: Profiles) -> None:
    profile_id = verification.create()
    shown = verification.show(profile_id)
    created, last = shown.pop("createdDateTime"), shown.pop("lastActionDateTime")
    assert DATE.fullmatch(created)
    assert last == created
    assert shown == {
        "verificationProfileId": profile_id,
        "enrollmentsCount": 0,
        "remainingEnrollmentsCount": 3,
        "locale": "en-us",
        "enrollmentStatus": "Enrolling",
        "expiresDateTime": None,
    }


def test_a_fresh_identification_profile(identification: Profiles) -> None:
    profile_id = identification.create()
    answer = identification.client.get(f"{identification.path}/{profile_id}")
    shown = answer.json
    created, last = shown.pop("createdDateTime"), shown.pop("lastActionDateTime")
    assert DATE.fullmatch(created)
    assert last == created
    assert shown == {
        "identificationProfileId": profile_id,
        "enrollmentSpeechTime": 0.0,
        "remainingEnrollmentSpeechTime": 30.0,
        "locale": "en-us",
        "enrollmentStatus": "Enrolling",
        "expiresDateTime": None,
    }
    assert b'"enrollmentSpeechTime":0.0,' in answer.body, "a number with a dot"


def test_the_list_is_a_bare_array_of_what_get_shows(family: Profiles) -> None:
    mine = {family.create(), family.create()}
    listed = family.client.get(family.path)
    assert listed.status == 200
    assert isinstance(listed.json, list)
    ids = [one[family.id_name] for one in listed.json]
    assert ids == sorted(ids)
    assert mine <= set(ids)
    for one in listed.json:
        if one[family.id_name] in mine:
            assert one == family.show(one[family.id_name])


def test_the_families_do_not_see_each_other(verification: Profiles, identification: Profiles) -> None:
    profile_id = verification.create()
    assert identification.client.get(f"{identification.path}/{profile_id}").error[:2] == (404, "NotFound")
    assert profile_id not in {one["identificationProfileId"] for one in identification.client.get(
        identification.path
    ).json}  # fmt: skip


def test_delete_answers_an_empty_200_and_the_profile_is_gone(family: Profiles) -> None:
    profile_id = family.create()
    answer = family.client.delete(f"{family.path}/{profile_id}")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "0"
    assert family.client.get(f"{family.path}/{profile_id}").error == (
        404,
        "NotFound",
        f"SpeakerInvalid: Requested profile doesn't exist: {profile_id}.",
    )
    assert profile_id not in {one[family.id_name] for one in family.client.get(family.path).json}


def test_a_second_delete_finds_nothing(family: Profiles) -> None:
    profile_id = family.create()
    family.client.delete(f"{family.path}/{profile_id}")
    assert family.client.delete(f"{family.path}/{profile_id}").error[:2] == (404, "NotFound")


def test_nothing_can_be_enrolled_into_a_deleted_profile(family: Profiles) -> None:
    profile_id = family.create()
    family.client.delete(f"{family.path}/{profile_id}")
    assert family.enroll(profile_id, recording(PASSPORT), "?shortAudio=true").error[:2] == (404, "NotFound")
    assert family.client.get(f"{family.path}/{profile_id}").status == 404


@pytest.mark.parametrize("path", ["reset", "reset?", "reset/", "RESET"])
def test_reset_brings_a_verification_profile_back_to_its_start(verification: Profiles, path: str) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    assert verification.show(profile_id)["enrollmentStatus"] == "Enrolled"
    answer = verification.client.post(f"{verification.path}/{profile_id}/{path}")
    assert (answer.status, answer.body) == (200, b"")
    shown = verification.show(profile_id)
    assert shown["enrollmentStatus"] == "Enrolling"
    assert (shown["enrollmentsCount"], shown["remainingEnrollmentsCount"]) == (0, 3)
    assert shown["lastActionDateTime"] > shown["createdDateTime"]


def test_reset_brings_an_identification_profile_back_to_its_start(identification: Profiles) -> None:
    profile_id = identification.enrolled(recording(STORY), query="?shortAudio=true")
    answer = identification.client.post(f"{identification.path}/{profile_id}/reset")
    assert (answer.status, answer.body) == (200, b"")
    shown = identification.show(profile_id)
    assert shown["enrollmentStatus"] == "Enrolling"
    assert (shown["enrollmentSpeechTime"], shown["remainingEnrollmentSpeechTime"]) == (0.0, 30.0)


def test_a_reset_profile_cannot_be_identified(identification: Profiles) -> None:
    profile_id = identification.enrolled(recording(STORY), query="?shortAudio=true")
    identification.client.post(f"{identification.path}/{profile_id}/reset")
    answer = identification.client.post(
        f"/identify?identificationProfileIds={profile_id}&shortAudio=true", recording(QUESTION)
    )
    operation = identification.client.get("/operations/" + answer.headers["operation-location"].rsplit("/", 1)[1])
    assert operation.json["status"] == "failed"


def test_reset_of_an_unknown_profile_finds_nothing(family: Profiles) -> None:
    assert family.client.post(f"{family.path}/{uuid4()}/reset").error[:2] == (404, "NotFound")


def test_ids_are_taken_without_dashes_and_in_upper_case(family: Profiles) -> None:
    profile_id = family.create()
    for written in (profile_id.upper(), profile_id.replace("-", "")):
        assert family.client.get(f"{family.path}/{written}").json[family.id_name] == profile_id


def test_a_trailing_slash_does_not_matter(family: Profiles) -> None:
    answer = family.client.post(f"{family.path}/", b'{"locale":"en-us"}', "application/json")
    assert answer.status == 200
    profile_id = answer.json[family.id_name]
    assert family.client.get(f"{family.path}/{profile_id}/").json[family.id_name] == profile_id
    assert family.client.get(f"{family.path}/").status == 200


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "audio/wav; codecs=audio/pcm"])
def test_a_content_type_on_a_call_without_a_body_is_ignored(family: Profiles, content_type: str) -> None:
    profile_id = family.create()
    path = f"/spid/v1.0{family.path}"
    sent = {"Content-Type": content_type}
    assert family.client.call("GET", path, headers=sent).status == 200
    assert family.client.call("GET", f"{path}/{profile_id}", headers=sent).status == 200
    assert family.client.call("POST", f"{path}/{profile_id}/reset", headers=sent).status == 200
    assert family.client.call("DELETE", f"{path}/{profile_id}", headers=sent).status == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Invalid Http Request: Request body is missing."),
        (b"{", "Invalid Http Request: Invalid JSON format."),
        (json.dumps({"language": "en-us"}).encode(), "Locale parameter is missing."),
        (b'{"locale":"tlh"}', "Invalid locale value. Supported locales are en-US."),
    ],
)
def test_a_create_that_cannot_be_read_makes_no_profile(verification: Profiles, body: bytes, message: str) -> None:
    before = len(verification.client.get(verification.path).json)
    answer = verification.client.post(verification.path, body, "application/json")
    assert answer.error[:2] == (400, "BadRequest")
    assert answer.error[2].startswith(message)
    assert len(verification.client.get(verification.path).json) == before
