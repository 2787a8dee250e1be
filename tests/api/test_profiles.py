"""Create, list, get, delete and reset, of both families of profiles of v1.0; its phrases."""

from __future__ import annotations

import pytest

from shared.domain.passphrase import EN_US_PASSPHRASES
from tests.api.client import DATE, GUID, PREFIX, UNKNOWN, Client, Profiles
from tests.voices import PASSPORT, STORY, recording, takes

FRESH: dict[str, dict[str, float]] = {
    "verification": {"enrollmentsCount": 0, "remainingEnrollmentsCount": 3},
    "identification": {"enrollmentSpeechTime": 0.0, "remainingEnrollmentSpeechTime": 30.0},
}


@pytest.fixture(params=["verification", "identification"])
def family(api: Client, request: pytest.FixtureRequest) -> Profiles:
    return Profiles(api, request.param)


def test_create_answers_the_new_id_and_nothing_else(family: Profiles) -> None:
    answer = family.client.send("POST", PREFIX + family.path, {"locale": "en-us"})
    assert answer.status == 200
    assert list(answer.json) == [family.id_name]
    assert GUID.fullmatch(answer.json[family.id_name])


def test_a_profile_has_the_locale_as_it_was_written(family: Profiles) -> None:
    assert family.show(family.create("zh-cn"))["locale"] == "zh-cn"


def test_a_fresh_profile(family: Profiles) -> None:
    profile_id = family.create()
    answer = family.client.get(f"{family.path}/{profile_id}")
    shown = answer.json
    created, last = shown.pop("createdDateTime"), shown.pop("lastActionDateTime")
    assert DATE.fullmatch(created)
    assert last == created
    common = {"locale": "en-us", "enrollmentStatus": "Enrolling", "expiresDateTime": None}
    assert shown == {family.id_name: profile_id, **FRESH[family.family], **common}
    if family.family == "identification":
        assert b'"enrollmentSpeechTime":0.0,' in answer.body, "a number with a dot"


def test_the_list_is_in_id_order_and_of_what_get_shows(family: Profiles) -> None:
    mine = [family.create(), family.create()]
    listed = family.list()
    assert list(listed) == sorted(listed)
    for profile_id in mine:
        assert listed[profile_id] == family.show(profile_id)


def test_the_families_do_not_see_each_other(verification: Profiles, identification: Profiles) -> None:
    profile_id = verification.create()
    assert identification.client.get(f"{identification.path}/{profile_id}").error[:2] == (404, "NotFound")
    assert profile_id not in identification.list()


def test_a_deleted_profile_is_gone(family: Profiles) -> None:
    profile_id = family.create()
    answer = family.delete(profile_id)
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")
    assert family.enroll(profile_id, recording(PASSPORT), "?shortAudio=true").error[:2] == (404, "NotFound")
    message = f"SpeakerInvalid: Requested profile doesn't exist: {profile_id}."
    assert family.client.get(f"{family.path}/{profile_id}").error == (404, "NotFound", message)
    assert profile_id not in family.list()
    assert family.delete(profile_id).error[:2] == (404, "NotFound")


def test_reset_brings_a_profile_back_to_its_start(family: Profiles) -> None:
    profile_id = family.enrolled(*(takes(PASSPORT) if family.family == "verification" else [recording(STORY)]))
    assert family.show(profile_id)["enrollmentStatus"] == "Enrolled"
    answer = family.reset(profile_id)
    assert (answer.status, answer.body) == (200, b"")
    shown = family.show(profile_id)
    assert shown["enrollmentStatus"] == "Enrolling"
    assert FRESH[family.family].items() <= shown.items()
    assert shown["lastActionDateTime"] > shown["createdDateTime"]
    assert family.reset(UNKNOWN).error[:2] == (404, "NotFound")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Invalid Http Request: Request body is missing."),
        (b"{", "Invalid Http Request: Invalid JSON format."),
        (b'{"language":"en-us"}', "Locale parameter is missing."),
        (b'{"locale":"tlh"}', "Invalid locale value. Supported locales are en-US, es-ES"),
    ],
)
def test_a_create_that_cannot_be_read_makes_no_profile(verification: Profiles, body: bytes, message: str) -> None:
    before = verification.list()
    status, code, seen = verification.client.post(verification.path, body, "application/json").error
    assert (status, code) == (400, "BadRequest")
    assert seen.startswith(message)
    assert verification.list() == before


@pytest.mark.parametrize("locale", ["en-US", "en-us", "enus"])
def test_the_ten_phrases_come_as_a_bare_array_in_order(api: Client, locale: str) -> None:
    answer = api.get(f"/verificationPhrases?locale={locale}")
    assert (answer.status, answer.json) == (200, [{"phrase": phrase} for phrase in EN_US_PASSPHRASES])


def test_phrases_need_a_locale_and_where_speakers_choose_there_are_none(api: Client) -> None:
    assert api.get("/verificationPhrases").error == (400, "BadRequest", "Locale parameter is missing.")
    assert api.get("/verificationPhrases?locale=de-AT").error[:2] == (400, "BadRequest")
    assert api.get("/verificationPhrases?locale=de-DE").json == []


def test_every_answer_has_a_request_id_of_its_own(api: Client) -> None:
    ids = {api.get("/verificationPhrases?locale=en-US").headers["apim-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(GUID.fullmatch(request_id) for request_id in ids)
