"""What real clients do: facts 1 to 20 of ``docs/contract.md``, one test each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlsplit

import pytest

from tests.api.client import (
    DATE,
    GUID,
    KEY_HEADER,
    PREFIX,
    UNKNOWN,
    Client,
    Profiles,
    ask_to_identify,
    identified,
    operation,
    verify,
)
from tests.api.later import IDENTIFICATION, KINDS, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2, V2021, Speakers
from tests.voices import HOUSTON, PASSPORT, QUESTION, STORY, recording, takes

WAV_HEADER_BYTES = 44
JSON = {"Content-Type": "application/json"}
ENGLISH = b'{"locale":"en-us"}'


@pytest.fixture
def dependent(api: Client) -> Speakers:
    return Speakers(api, V2021, TEXT_DEPENDENT)


@pytest.mark.parametrize("label", ["multipart/form-data", "multipart/form-data, multipart/form-data", "text/plain"])
def test_1_the_media_type_lies(dependent: Speakers, label: str) -> None:
    path = f"/profiles/{dependent.new()}/enrollments"
    assert dependent.call("POST", path, recording(PASSPORT), content_type=label).status == 201


def test_2_pcm_without_a_header(dependent: Speakers) -> None:
    path = f"/profiles/{dependent.new()}/enrollments"
    pcm = recording(PASSPORT)[WAV_HEADER_BYTES:]
    answer = dependent.call("POST", path, pcm)
    assert (answer.status, answer.json["audioLengthInSec"]) == (201, round(len(pcm) / 32_000, 2))
    assert dependent.call("POST", path, pcm[:-1]).error[:2] == (400, "InvalidRequest")


def test_3_a_chunked_upload(verification: Profiles) -> None:
    audio = recording(PASSPORT)
    pieces = (audio[start : start + 4096] for start in range(0, len(audio), 4096))
    answer = verification.client.post(f"{verification.path}/{verification.create()}/enroll", pieces)
    assert answer.status == 200


def test_4_booleans_in_any_case(identification: Profiles, api: Client) -> None:
    later = Speakers(api, V2021, IDENTIFICATION)
    for text in ("True", "true", "False", "false"):
        status = "Enrolled" if text.lower() == "true" else "Enrolling"
        profile_id = identification.create()
        assert identification.enroll(profile_id, recording(QUESTION), f"?shortAudio={text}").status == 202
        assert identification.show(profile_id)["enrollmentStatus"] == status
        answer = later.enroll(later.new(), recording(QUESTION), f"&ignoreMinLength={text}")
        assert answer.json["enrollmentStatus"] == status


def test_5_a_comma_at_the_end_of_a_list(to_identify: Speakers, voices: Mapping[str, str]) -> None:
    answer = to_identify.identify(f"{voices['slt']}%2C", recording(QUESTION))
    assert answer.json["identifiedProfile"]["profileId"] == voices["slt"]
    both = f"{voices['slt']}%2C{voices['rms'].upper()},"
    accepted = ask_to_identify(to_identify.client, both, recording(QUESTION, "rms"))
    assert operation(to_identify.client, accepted)["processingResult"]["identifiedProfileId"] == voices["rms"]


@pytest.mark.local_host("Azure's host answers paths that begin with two slashes itself: 404 without a body")
def test_6_slashes_too_many_at_the_beginning(api: Client) -> None:
    for path in (V2021.path(TEXT_DEPENDENT), "/speaker//verification/v2.0/text-dependent/profiles/"):
        assert api.call("POST", f"/{path}", ENGLISH, JSON).status == 201


def test_6_a_slash_or_a_question_mark_at_the_end(api: Client, verification: Profiles) -> None:
    path = f"/speaker-recognition/{TEXT_DEPENDENT}/profiles/?api-version=2021-09-05"
    assert api.call("POST", path, ENGLISH, JSON).status == 201
    assert api.call("POST", f"{PREFIX}{verification.path}/", ENGLISH, JSON).status == 200
    profile_id = verification.create()
    for verb in ("reset?", "reset/", "RESET"):
        assert api.post(f"{verification.path}/{profile_id}/{verb}").status == 200
    assert api.get(f"{verification.path}/{profile_id}/").status == 200


def test_7_ignore_min_length_means_nothing_to_a_phrase(dependent: Speakers) -> None:
    profile_id = dependent.new()
    for take, value in zip(takes(PASSPORT), ("true", "True", "whatever"), strict=True):
        answer = dependent.enroll(profile_id, take, f"&ignoreMinLength={value}")
        assert answer.status == 201
    assert answer.json["remainingEnrollmentsCount"] == 0
    assert dependent.verify(profile_id, recording(PASSPORT), "&ignoreMinLength=True").status == 200


@pytest.mark.parametrize("label", ["application/json", "multipart/form-data", "audio/wav"])
def test_8_a_media_type_without_a_body(api: Client, dependent: Speakers, verification: Profiles, label: str) -> None:
    headers = {"Content-Type": label}
    later = V2021.path(TEXT_DEPENDENT, f"/profiles/{dependent.new()}")
    v1 = f"{PREFIX}{verification.path}/{verification.create()}"
    for path, reset, deleted in ((later, later.replace("?", ":reset?"), 204), (v1, f"{v1}/reset", 200)):
        assert api.call("GET", path, headers=headers).status == 200
        assert api.call("POST", reset, headers=headers).status == 200
        assert api.call("DELETE", path, headers=headers).status == deleted


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (ENGLISH, "application/json"),
        (b'{"locale":"en-us",}', "application/json"),
        (b"locale=en-us", "application/x-www-form-urlencoded"),
        (b"locale=en-us", "application/json"),
        (ENGLISH, "application/octet-stream"),
        (ENGLISH, "multipart/form-data"),
    ],
)
def test_9_the_ways_to_write_a_locale(verification: Profiles, body: bytes, label: str) -> None:
    answer = verification.client.post(verification.path, body, label)
    assert answer.status == 200
    assert verification.show(answer.json["verificationProfileId"])["locale"] == "en-us"


def test_10_operation_location_is_absolute_and_ends_with_the_id(identification: Profiles) -> None:
    accepted = identification.enroll(identification.create(), recording(STORY))
    address, _, operation_id = accepted.headers["operation-location"].rpartition("/")
    assert address == f"{identification.client.url}/spid/v1.0/operations"
    assert GUID.fullmatch(operation_id)


def test_11_the_status_of_an_operation_is_lower_case(api: Client, identification: Profiles) -> None:
    accepted = identification.enroll(identification.create(), recording(STORY))
    assert operation(api, accepted)["status"] == "succeeded"


def test_12_every_error_has_a_body(api: Client, verification: Profiles) -> None:
    stranger = replace(api, key="wrong")
    refused = [
        stranger.get(verification.path),
        replace(api, key=None).get(verification.path),
        stranger.call("GET", V2.path(TEXT_DEPENDENT)),
        stranger.call("GET", V2021.path(TEXT_DEPENDENT)),
        api.get(f"{verification.path}/{UNKNOWN}"),
        api.get(f"/operations/{UNKNOWN}"),
        api.call("GET", V2021.path(TEXT_DEPENDENT, f"/profiles/{UNKNOWN}")),
        api.call("GET", "/spid/v1.0/nothing"),
        api.call("GET", "/nothing"),
        api.call("PUT", PREFIX + verification.path),
        api.call("PUT", V2021.path(TEXT_DEPENDENT)),
        api.post(verification.path, b""),
    ]
    assert [answer.status for answer in refused] == [401] * 4 + [404] * 5 + [405] * 2 + [400]
    for answer in refused:
        error = answer.json["error"]
        assert set(error) == {"code", "message"}
        assert error["code"]
        assert error["message"]


def test_13_what_a_user_can_do_wrong_has_a_status_that_javascript_reads(api: Client, dependent: Speakers) -> None:
    """SDKs 1.18.1 to 1.26 reject their promise, without the message, for any status not among these."""
    by_voice = Speakers(api, V2021, TEXT_INDEPENDENT)
    bound = dependent.enrolled(recording(PASSPORT))
    seen = {
        Speakers(replace(api, key="wrong"), V2021, TEXT_DEPENDENT).create().status,
        dependent.create("xx-XX").status,
        dependent.enroll(bound, recording(HOUSTON)).status,
        dependent.enroll(bound, b"not audio").status,
        dependent.verify(bound, recording(PASSPORT)).status,
        dependent.get(UNKNOWN).status,
        dependent.get("nobody").status,
        by_voice.enroll(by_voice.new(), b"").status,
        by_voice.enroll(by_voice.new(), recording(PASSPORT), "&ignoreMinLength=maybe").status,
    }
    assert seen <= {400, 401, 402, 403, 404}


def test_14_dates_have_fractions_of_a_second(api: Client, verification: Profiles) -> None:
    dates = [verification.show(verification.create())[name] for name in ("createdDateTime", "lastActionDateTime")]
    for kind in KINDS:
        speakers = Speakers(api, V2021, kind)
        dates.append(speakers.show(speakers.new())["createdDateTime"])
    assert all(DATE.fullmatch(date) for date in dates)


@pytest.mark.parametrize("name", ["Data", "enrollmentData", "verificationData", "identificationData", "file", "x y"])
@pytest.mark.parametrize(
    ("boundary", "label", "part_type"),
    [
        ("Upload----2017-04-18 12:50:28Z", '"Upload----2017-04-18 12:50:28Z"', ""),
        ("----7MA4YWxk", "----7MA4YWxk", "Content-Type: multipart/form-data\r\n"),
        ("----7MA4YWxk", "----7MA4YWxk", "Content-Type: audio/wav\r\n"),
    ],
    ids=[".NET", "Android", "browser"],
)
def test_15_multipart_of_every_client(
    verification: Profiles, by_passport: str, name: str, boundary: str, label: str, part_type: str
) -> None:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{boundary}"'
    head = f"--{boundary}\r\n{disposition}\r\n{part_type}\r\n"
    body = head.encode() + recording(PASSPORT) + f"\r\n--{boundary}--\r\n".encode()
    path = f"/verify?verificationProfileId={by_passport}"
    answer = verification.client.post(path, body, f"multipart/form-data; boundary={label}")
    assert (answer.status, answer.json["phrase"]) == (200, PASSPORT)


PREFLIGHT = {
    "Origin": "https://app.example.com",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "ocp-apim-subscription-key,content-type",
}


@pytest.mark.parametrize(
    "path",
    [
        PREFIX + "/verificationProfiles",
        PREFIX + f"/verificationProfiles/{UNKNOWN}",
        PREFIX + f"/verificationProfiles/{UNKNOWN}/enroll",
        PREFIX + f"/identificationProfiles/{UNKNOWN}/reset",
        PREFIX + f"/identificationProfiles/{UNKNOWN}/enroll?shortAudio=true",
        PREFIX + f"/verify?verificationProfileId={UNKNOWN}",
        PREFIX + f"/identify?identificationProfileIds={UNKNOWN}",
        PREFIX + "/verificationPhrases?locale=en-US",
        PREFIX + f"/operations/{UNKNOWN}",
        V2.path(TEXT_DEPENDENT),
        V2021.path(TEXT_DEPENDENT),
    ],
)
def test_16_browsers_ask_first_and_without_a_key(api: Client, path: str) -> None:
    answer = replace(api, key=None).call("OPTIONS", path, headers=PREFLIGHT)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {KEY_HEADER.lower(), "authorization", "content-type"} <= listed(
        answer.headers["access-control-allow-headers"]
    )
    assert {"get", "post", "delete"} <= listed(answer.headers["access-control-allow-methods"])
    assert "operation-location" in listed(answer.headers["access-control-expose-headers"])


def test_16_every_answer_may_be_read_by_the_page(api: Client) -> None:
    nobody = replace(api, key=None)
    for client, path in ((api, "/verificationPhrases?locale=en-US"), (api, f"/operations/{UNKNOWN}"), (nobody, "/x")):
        answer = client.get(path)
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = listed(answer.headers["access-control-expose-headers"])
        assert {"operation-location", "apim-request-id", "retry-after"} <= exposed


def listed(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


def test_17_accept_and_reject_have_a_capital(api: Client, by_phrase: Speakers, by_passport: str) -> None:
    mine, other = recording(PASSPORT), recording(PASSPORT, "rms")
    assert [verify(api, by_passport, audio).json["result"] for audio in (mine, other)] == ["Accept", "Reject"]
    results = [by_phrase.verify(by_passport, audio).json["recognitionResult"] for audio in (mine, other)]
    assert results == ["Accept", "Reject"]


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_18_verbs_behind_a_colon(api: Client, dependent: Speakers, colon: str) -> None:
    path = V2021.path(TEXT_DEPENDENT, f"/profiles/{dependent.new()}{colon}reset")
    assert api.call("POST", path).status == 200


def test_19_links_name_the_host_that_the_client_named(api: Client) -> None:
    """The native core goes to port 80 whatever port it is told (see tests/clients): a proxy stands there, and what
    the service says of itself must be the proxy's address. TIMBRE_ALLOWED_HOSTS names it."""
    answer = api.call("POST", V2021.path(TEXT_DEPENDENT), ENGLISH, {**JSON, "Host": "voice.example.com"})
    assert urlsplit(answer.headers["location"]).netloc == "voice.example.com"


def test_20_ids_in_any_form_come_back_in_one(
    api: Client, to_identify: Speakers, identification: Profiles, by_passport: str, voices: Mapping[str, str]
) -> None:
    profile_id = voices["slt"]
    for form in (str.upper, lambda written: written.replace("-", ""), lambda written: written.replace("-", "").upper()):
        assert identification.show(form(profile_id))["identificationProfileId"] == profile_id
        assert to_identify.show(form(profile_id))["profileId"] == profile_id
        answer = to_identify.identify(quote(form(profile_id)), recording(QUESTION))
        assert answer.json["identifiedProfile"]["profileId"] == profile_id
        assert identified(api, [form(profile_id)], recording(QUESTION)) == profile_id
        assert verify(api, form(by_passport), recording(PASSPORT)).json["result"] == "Accept"
