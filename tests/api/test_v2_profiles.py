"""Profiles over v2.0 and 2021-09-05: create, list, get, reset, delete, phrases."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE, EN_US_PASSPHRASES
from tests.api.client import DATE, UNKNOWN, Client
from tests.api.later import IDENTIFICATION, KINDS, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2, V2021, Generation, Speakers
from tests.api.operator import Customer
from tests.voices import PASSPORT, recording


@pytest.fixture(params=KINDS)
def speakers(api: Client, generation: Generation, request: pytest.FixtureRequest) -> Speakers:
    return Speakers(api, generation, request.param)


def test_a_fresh_profile(speakers: Speakers) -> None:
    answer = speakers.create("en-US")
    profile, unit = answer.json, speakers.generation.unit
    assert answer.status == 201
    expected = {
        "profileId": profile["profileId"],
        "locale": "en-US",
        "enrollmentStatus": "Enrolling",
        "expiresDateTime": None,
        "createdDateTime": profile["createdDateTime"],
        "lastUpdatedDateTime": None,
        "enrollmentsCount": 0,
        "modelVersion": None,
        f"enrollmentsLength{unit}": 0.0,
        f"enrollmentsSpeechLength{unit}": 0.0,
    }
    if speakers.kind == TEXT_DEPENDENT:
        expected |= {"remainingEnrollmentsCount": 3}
    else:
        expected |= {f"remainingEnrollmentsSpeechLength{unit}": 20.0}
    if speakers.generation is V2021 and speakers.kind != TEXT_DEPENDENT:
        expected |= {"profileStatus": "Inactive"}
    assert profile == expected
    assert DATE.fullmatch(profile["createdDateTime"])


def test_the_list_is_in_id_order_and_in_pages(speakers: Speakers, customer: Customer) -> None:
    speakers, generation = replace(speakers, client=customer.primary), speakers.generation
    created = {speakers.new() for _ in range(3)}
    pages: list[list[str]] = []
    path = generation.path(speakers.kind, query=f"&{generation.page_size}=2")
    while path:
        answer = customer.primary.call("GET", path).json
        pages.append([profile["profileId"] for profile in answer[generation.list_name]])
        path = answer.get(generation.next_link, "").removeprefix(customer.primary.url)
    assert [len(page) for page in pages] == [2, 1]
    assert pages[0] + pages[1] == sorted(created)


@pytest.mark.parametrize("size", ["0", "501", "-1", "many", "1.5", ""])
def test_a_page_size_outside_its_range_is_refused(speakers: Speakers, size: str) -> None:
    name = speakers.generation.page_size
    message = f"Invalid {name} parameter value. Value should be positive integer in the range [1, 500]."
    answer = speakers.call("GET", "/profiles", query=f"&{name}={size}")
    assert answer.error == (400, "InvalidArgument", f'{message} Received "{size}".')


def test_a_made_up_continuation_token_is_refused(speakers: Speakers) -> None:
    name = {"v2.0": "$continuationToken", "2021-09-05": "continuationToken"}[speakers.generation.name]
    message = f"Invalid {name} value. {name} must be generated form a prior API call."
    assert speakers.call("GET", "/profiles", query=f"&{name}=bm9ib2R5").error == (400, "InvalidArgument", message)


@pytest.mark.parametrize("name", ["$filter", "$skip", "$orderBy", "$delta"])
def test_what_lists_cannot_do_is_refused(speakers: Speakers, name: str) -> None:
    answer = speakers.call("GET", "/profiles", query=f"&{name}=1")
    assert answer.error == (400, "InvalidArgument", f"{name} parameter is not supported.")


def test_reset_unbinds_and_empties(by_phrase: Speakers) -> None:
    profile_id = by_phrase.enrolled(recording(PASSPORT))
    before = by_phrase.show(profile_id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", before["modelVersion"])
    answer = by_phrase.reset(profile_id)
    after = by_phrase.show(profile_id)
    assert (after["enrollmentsCount"], after["enrollmentStatus"], after["modelVersion"]) == (0, "Enrolling", None)
    assert after["lastUpdatedDateTime"] > before["lastUpdatedDateTime"]
    if by_phrase.generation is V2:
        assert (answer.status, answer.body) == (204, b"")
    else:
        assert (answer.status, answer.json) == (200, after)
        assert answer.headers["location"].endswith(f"/profiles/{profile_id}")


def test_a_text_independent_profile_is_active_from_its_first_enrollment_to_its_reset(api: Client) -> None:
    speakers = Speakers(api, V2021, TEXT_INDEPENDENT)
    profile_id = speakers.enrolled(recording(PASSPORT))
    assert speakers.show(profile_id)["profileStatus"] == "Active"
    assert speakers.reset(profile_id).json["profileStatus"] == "Inactive"


def test_a_deleted_profile_is_gone(speakers: Speakers) -> None:
    profile_id = speakers.new()
    answer = speakers.delete(profile_id)
    assert (answer.status, answer.body) == (204, b"")
    assert speakers.get(profile_id).error == (404, "Not Found", f"Requested profile doesn't exist: {profile_id}.")
    unknown = speakers.delete(UNKNOWN)
    if speakers.generation is V2:
        assert unknown.status == 204
    else:
        assert unknown.error == (404, "Not Found", f"Requested profile doesn't exist: {UNKNOWN}.")


def test_a_profile_is_of_one_kind(by_voice: Speakers, to_identify: Speakers) -> None:
    assert to_identify.get(by_voice.new()).status == 404


def test_pass_phrases(by_phrase: Speakers) -> None:
    answer = by_phrase.call("GET", "/phrases/en-us").json
    phrases = answer if by_phrase.generation is V2 else answer["value"]
    assert phrases == [{"passPhrase": phrase} for phrase in EN_US_PASSPHRASES]


@pytest.mark.parametrize(("locale", "known"), [("en-US", ACTIVATION_PHRASES_BY_LOCALE["en-US"]), ("fr-FR", ())])
def test_activation_phrases(by_voice: Speakers, to_identify: Speakers, locale: str, known: tuple[str, ...]) -> None:
    for speakers in (by_voice, to_identify):
        answer = speakers.call("GET", f"/phrases/{locale}").json
        phrases = answer if speakers.generation is V2 else answer["value"]
        assert phrases == [{"activationPhrase": phrase} for phrase in known]


def test_a_locale_that_is_not_supported(speakers: Speakers) -> None:
    status, code, message = speakers.create("tlh-QO").error
    assert (status, code) == (400, "InvalidArgument")
    assert message.startswith("Invalid locale value. Supported locales are en-US")
    assert speakers.call("GET", "/phrases/tlh-QO").error[:2] == (400, "InvalidArgument")


def test_identification_is_of_no_phrase_and_verifies_nobody(
    api: Client, generation: Generation, to_identify: Speakers
) -> None:
    answers = (
        Speakers(api, generation, "identification/text-dependent").create(),
        to_identify.verify(to_identify.enrolled(recording(PASSPORT)), recording(PASSPORT)),
    )
    assert [answer.error[:2] for answer in answers] == [(404, "NotFound")] * 2


@pytest.mark.parametrize("query", ["", "?api-version=", "?api-version=2021-09-05"])
def test_in_2021_the_api_version_may_be_absent(api: Client, query: str) -> None:
    assert api.call("GET", f"/speaker-recognition/{IDENTIFICATION}/profiles{query}").status == 200


def test_in_2021_another_api_version_is_refused(api: Client) -> None:
    answer = api.call("GET", f"/speaker-recognition/{IDENTIFICATION}/profiles?api-version=2030-01-01")
    supported = 'The supported version is 2021-09-05. Received "2030-01-01".'
    assert answer.error == (400, "InvalidArgument", f"Invalid api-version parameter value. {supported}")
