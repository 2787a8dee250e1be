"""Profiles over v2.0 and 2021-09-05: create, list, get, reset, delete, phrases."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE, EN_US_PASSPHRASES
from tests.api.client import Client
from tests.api.later import (
    IDENTIFICATION,
    KINDS,
    TEXT_DEPENDENT,
    TEXT_INDEPENDENT,
    V2,
    V2021,
    Generation,
    Speakers,
    refusal,
)
from tests.voices import PASSPORT, recording

UNKNOWN = "11111111-2222-3333-4444-555555555555"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(params=[V2, V2021], ids=lambda one: one.name)
def generation(request: pytest.FixtureRequest) -> Generation:
    one: Generation = request.param
    return one


@pytest.fixture(params=KINDS)
def speakers(api: Client, generation: Generation, request: pytest.FixtureRequest) -> Speakers:
    return Speakers(api, generation, request.param)


def test_a_fresh_profile(speakers: Speakers) -> None:
    answer = speakers.create("en-US")
    profile = answer.json
    assert answer.status == 201
    lengths = ("enrollmentsLength", "enrollmentsSpeechLength")
    expected = {
        "profileId": profile["profileId"],
        "locale": "en-US",
        "enrollmentStatus": "Enrolling",
        "expiresDateTime": None,
        "createdDateTime": profile["createdDateTime"],
        "lastUpdatedDateTime": None,
        "enrollmentsCount": 0,
        "modelVersion": None,
        **{name + speakers.generation.unit: 0.0 for name in lengths},
    }
    if speakers.kind == TEXT_DEPENDENT:
        expected |= {"remainingEnrollmentsCount": 3}
    else:
        expected |= {f"remainingEnrollmentsSpeechLength{speakers.generation.unit}": 20.0}
    if speakers.generation is V2021 and speakers.kind != TEXT_DEPENDENT:
        expected |= {"profileStatus": "Inactive"}
    assert profile == expected
    assert DATE.fullmatch(profile["createdDateTime"])


def test_the_location_of_a_new_profile_is_where_it_is(speakers: Speakers) -> None:
    answer = speakers.create()
    location = answer.headers["location"]
    assert location.startswith(speakers.client.url)
    assert speakers.client.call("GET", urlsplit(location).path).json == answer.json


def test_the_list_is_in_id_order_and_in_pages(speakers: Speakers) -> None:
    created = {speakers.new() for _ in range(3)}
    generation = speakers.generation
    found: list[str] = []
    answer = speakers.call("GET", "/profiles", query=f"&{generation.page_size}=2")
    while True:
        page = [one["profileId"] for one in answer.json[generation.list_name]]
        assert 1 <= len(page) <= 2
        found += page
        link = answer.json.get(generation.next_link)
        if link is None:
            break
        assert link.startswith(speakers.client.url)
        split = urlsplit(link)
        answer = speakers.client.call("GET", f"{split.path}?{split.query}")
    assert found == sorted(found)
    assert len(found) == len(set(found))
    assert created <= set(found)


@pytest.mark.parametrize("size", ["0", "501", "-1", "many", "1.5", ""])
def test_a_page_size_outside_its_range_is_refused(speakers: Speakers, size: str) -> None:
    name = speakers.generation.page_size
    assert refusal(speakers.call("GET", "/profiles", query=f"&{name}={size}")) == (
        400,
        "InvalidArgument",
        f'Invalid {name} parameter value. Value should be positive integer in the range [1, 500]. Received "{size}".',
    )


def test_a_made_up_continuation_token_is_refused(speakers: Speakers) -> None:
    name = {"v2.0": "$continuationToken", "2021-09-05": "continuationToken"}[speakers.generation.name]
    assert refusal(speakers.call("GET", "/profiles", query=f"&{name}=bm9ib2R5")) == (
        400,
        "InvalidArgument",
        f"Invalid {name} value. {name} must be generated form a prior API call.",
    )


@pytest.mark.parametrize("name", ["$filter", "$skip", "$orderBy", "$delta"])
def test_what_lists_cannot_do_is_refused(speakers: Speakers, name: str) -> None:
    answer = speakers.call("GET", "/profiles", query=f"&{name}=1")
    assert refusal(answer) == (400, "InvalidArgument", f"{name} parameter is not supported.")


def test_reset_unbinds_and_empties(api: Client, generation: Generation) -> None:
    speakers = Speakers(api, generation, TEXT_DEPENDENT)
    profile_id = speakers.enrolled(recording(PASSPORT))
    before = speakers.show(profile_id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", before["modelVersion"])
    answer = speakers.reset(profile_id)
    after = speakers.show(profile_id)
    assert (after["enrollmentsCount"], after["enrollmentStatus"], after["modelVersion"]) == (0, "Enrolling", None)
    assert after["lastUpdatedDateTime"] > before["lastUpdatedDateTime"]
    if generation is V2:
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
    assert refusal(speakers.get(profile_id)) == (
        404,
        "Not Found",
        f"Requested profile doesn't exist: {profile_id}.",
    )


def test_deleting_what_is_not_there(speakers: Speakers) -> None:
    answer = speakers.delete(UNKNOWN)
    assert answer.status == (204 if speakers.generation is V2 else 404)


def test_a_profile_is_of_one_kind(api: Client, generation: Generation) -> None:
    profile_id = Speakers(api, generation, TEXT_INDEPENDENT).new()
    assert Speakers(api, generation, IDENTIFICATION).get(profile_id).status == 404


def test_pass_phrases(api: Client, generation: Generation) -> None:
    found = Speakers(api, generation, TEXT_DEPENDENT).call("GET", "/phrases/en-us").json
    phrases = found if generation is V2 else found["value"]
    assert phrases == [{"passPhrase": phrase} for phrase in EN_US_PASSPHRASES]


@pytest.mark.parametrize("kind", [TEXT_INDEPENDENT, IDENTIFICATION])
@pytest.mark.parametrize(("locale", "known"), [("en-US", ACTIVATION_PHRASES_BY_LOCALE["en-US"]), ("fr-FR", ())])
def test_activation_phrases(
    api: Client, generation: Generation, kind: str, locale: str, known: tuple[str, ...]
) -> None:
    found = Speakers(api, generation, kind).call("GET", f"/phrases/{locale}").json
    phrases = found if generation is V2 else found["value"]
    assert phrases == [{"activationPhrase": phrase} for phrase in known]


def test_a_locale_that_is_not_supported(speakers: Speakers) -> None:
    status, code, message = refusal(speakers.create("tlh-QO"))
    assert (status, code) == (400, "InvalidArgument")
    assert message.startswith("Invalid locale value. Supported locales are en-US")
    assert refusal(speakers.call("GET", "/phrases/tlh-QO"))[:2] == (400, "InvalidArgument")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Request body is missing."),
        (b"{", "Invalid JSON format."),
        (b"{}", "Locale parameter is missing."),
        (b'{"locale":null}', "Locale parameter is missing."),
    ],
)
def test_a_create_body_that_says_nothing(speakers: Speakers, body: bytes, message: str) -> None:
    answer = speakers.call("POST", "/profiles", body, content_type="application/json")
    assert refusal(answer) == (400, "InvalidRequest", message)


def test_a_wrong_key(service: object, speakers: Speakers) -> None:
    stranger = Speakers(Client(speakers.client.url, "wrong"), speakers.generation, speakers.kind)
    assert refusal(stranger.create()) == (
        401,
        "Unauthorized",
        "Request is not authorized. Make sure subscription key is included and valid.",
    )


def test_there_is_no_text_dependent_identification(api: Client, generation: Generation) -> None:
    answer = Speakers(api, generation, "identification/text-dependent").create()
    assert refusal(answer)[:2] == (404, "NotFound")


class TestIn2021:
    """What 2021-09-05 has of its own."""

    @pytest.mark.parametrize("query", ["", "?api-version=", "?api-version=2021-09-05"])
    def test_the_api_version_may_be_absent(self, api: Client, query: str) -> None:
        answer = api.call("GET", f"/speaker-recognition/{IDENTIFICATION}/profiles{query}")
        assert answer.status == 200

    def test_another_api_version_is_refused(self, api: Client) -> None:
        answer = api.call("GET", f"/speaker-recognition/{IDENTIFICATION}/profiles?api-version=2030-01-01")
        assert refusal(answer) == (
            400,
            "InvalidArgument",
            'Invalid api-version parameter value. The supported version is 2021-09-05. Received "2030-01-01".',
        )

    def test_a_refusal_has_its_code_in_a_header(self, api: Client) -> None:
        answer = Speakers(api, V2021, IDENTIFICATION).get("nobody")
        assert answer.headers["x-ms-error-code"] == refusal(answer)[1] == "InvalidArgument"

    def test_the_deletion_of_an_unknown_profile_names_it(self, api: Client) -> None:
        answer = Speakers(api, V2021, IDENTIFICATION).delete(UNKNOWN)
        assert refusal(answer) == (404, "Not Found", f"Requested profile doesn't exist: {UNKNOWN}.")
