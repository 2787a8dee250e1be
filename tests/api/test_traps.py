"""What real clients do: facts 1 to 20 of ``docs/contract.md``, one test each."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

import pytest

from tests.api.client import PREFIX, Client, Profiles, operation
from tests.api.later import (
    IDENTIFICATION,
    KINDS,
    TEXT_DEPENDENT,
    TEXT_INDEPENDENT,
    V2,
    V2021,
    Speakers,
    refusal,
)
from tests.voices import HOUSTON, PASSPORT, QUESTION, STORY, recording, takes

UNKNOWN = "11111111-2222-3333-4444-555555555555"
WAV_HEADER_BYTES = 44


@pytest.fixture
def by_phrase(api: Client) -> Speakers:
    return Speakers(api, V2021, TEXT_DEPENDENT)


@pytest.fixture
def to_identify(api: Client) -> Speakers:
    return Speakers(api, V2021, IDENTIFICATION)


@pytest.mark.parametrize("label", ["multipart/form-data", "multipart/form-data, multipart/form-data", "text/plain"])
def test_trap_1_the_body_decides_not_its_label(by_phrase: Speakers, label: str) -> None:
    path = f"/profiles/{by_phrase.new()}/enrollments"
    assert by_phrase.call("POST", path, recording(PASSPORT), content_type=label).status == 201


def test_trap_2_pcm_without_a_header(by_phrase: Speakers) -> None:
    path = f"/profiles/{by_phrase.new()}/enrollments"
    pcm = recording(PASSPORT)[WAV_HEADER_BYTES:]
    answer = by_phrase.call("POST", path, pcm)
    assert answer.status == 201
    assert answer.json["audioLengthInSec"] == round(len(pcm) / 32_000, 2)
    assert refusal(by_phrase.call("POST", path, pcm[:-1]))[:2] == (400, "InvalidRequest")


def test_trap_3_a_chunked_upload(verification: Profiles) -> None:
    audio = recording(PASSPORT)
    pieces = (audio[start : start + 4096] for start in range(0, len(audio), 4096))
    answer = verification.client.post(f"{verification.path}/{verification.create()}/enroll", pieces)
    assert answer.status == 200


def test_trap_4_booleans_in_any_case(identification: Profiles, to_identify: Speakers) -> None:
    for text in ("True", "true", "False", "false"):
        waived = text.lower() == "true"
        profile_id = identification.create()
        assert identification.enroll(profile_id, recording(STORY), f"?shortAudio={text}").status == 202
        assert (identification.show(profile_id)["enrollmentStatus"] == "Enrolled") == waived
        enrolled = to_identify.enroll(to_identify.new(), recording(STORY), f"&ignoreMinLength={text}")
        assert (enrolled.json["enrollmentStatus"] == "Enrolled") == waived


def test_trap_5_a_list_that_ends_with_an_encoded_comma(to_identify: Speakers) -> None:
    profile_id = to_identify.enrolled(recording(STORY))
    answer = to_identify.identify(f"{profile_id}%2C", recording(QUESTION))
    assert answer.json["identifiedProfile"]["profileId"] == profile_id


@pytest.mark.local_host("Azure's host answers paths that begin with two slashes itself: 404 without a body")
@pytest.mark.parametrize(
    "path",
    [
        f"//speaker-recognition/{TEXT_DEPENDENT}/profiles?api-version=2021-09-05",
        "//speaker//verification/v2.0/text-dependent/profiles/",
    ],
)
def test_trap_6_slashes_too_many(api: Client, path: str) -> None:
    assert api.call("POST", path, b'{"locale":"en-us"}', {"Content-Type": "application/json"}).status == 201


def test_trap_6_a_slash_or_a_question_mark_at_the_end(api: Client, verification: Profiles) -> None:
    path = f"/speaker-recognition/{TEXT_DEPENDENT}/profiles/?api-version=2021-09-05"
    assert api.call("POST", path, b'{"locale":"en-us"}', {"Content-Type": "application/json"}).status == 201
    profile_id = verification.create()
    assert api.call("POST", f"{PREFIX}{verification.path}/{profile_id}/reset?").status == 200


def test_trap_7_ignore_min_length_means_nothing_to_a_phrase(by_phrase: Speakers) -> None:
    profile_id = by_phrase.new()
    for take, value in zip(takes(PASSPORT), ("true", "True", "whatever"), strict=True):
        answer = by_phrase.enroll(profile_id, take, f"&ignoreMinLength={value}")
        assert answer.status == 201
    assert answer.json["remainingEnrollmentsCount"] == 0
    assert by_phrase.verify(profile_id, recording(PASSPORT), "&ignoreMinLength=True").status == 200


@pytest.mark.parametrize("label", ["application/json", "multipart/form-data", "audio/wav"])
def test_trap_8_a_label_without_a_body(api: Client, by_phrase: Speakers, label: str) -> None:
    headers = {"Content-Type": label}
    path = V2021.path(TEXT_DEPENDENT, f"/profiles/{by_phrase.new()}")
    assert api.call("GET", path, headers=headers).status == 200
    assert api.call("POST", path.replace("?", ":reset?"), headers=headers).status == 200
    assert api.call("DELETE", path, headers=headers).status == 204


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (b'{"locale":"en-us"}', "application/json"),
        (b'{"locale":"en-us",}', "application/json"),
        (b"locale=en-us", "application/x-www-form-urlencoded"),
        (b"locale=en-us", "application/json"),
        (b'{"locale":"en-us"}', "application/octet-stream"),
    ],
)
def test_trap_9_the_ways_to_say_a_locale(api: Client, verification: Profiles, body: bytes, label: str) -> None:
    answer = api.post(verification.path, body, label)
    assert answer.status == 200
    assert verification.show(answer.json["verificationProfileId"])["locale"] == "en-us"


def test_trap_10_operation_location_is_absolute_and_ends_with_the_id(identification: Profiles) -> None:
    accepted = identification.enroll(identification.create(), recording(STORY))
    location = accepted.headers["operation-location"]
    here = re.escape(identification.client.url)
    assert re.fullmatch(rf"{here}/spid/v1\.0/operations/[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}", location)


def test_trap_11_the_status_of_an_operation_is_lower_case(api: Client, identification: Profiles) -> None:
    accepted = identification.enroll(identification.create(), recording(STORY))
    assert operation(api, accepted)["status"] == "succeeded"


def test_trap_12_every_error_has_a_body(api: Client, verification: Profiles) -> None:
    stranger = Client(api.url, "wrong")
    refused = [
        stranger.get(verification.path),
        Client(api.url, None).get(verification.path),
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


def test_trap_13_what_a_user_can_do_wrong_has_a_status_that_javascript_reads(api: Client) -> None:
    """SDKs 1.18.1 to 1.26 reject their promise, without the message, for any status not among these."""
    by_phrase, by_voice = Speakers(api, V2021, TEXT_DEPENDENT), Speakers(api, V2021, TEXT_INDEPENDENT)
    bound = by_phrase.enrolled(recording(PASSPORT))
    seen = {
        Speakers(Client(api.url, "wrong"), V2021, TEXT_DEPENDENT).create().status,
        by_phrase.create("xx-XX").status,
        by_phrase.enroll(bound, recording(HOUSTON)).status,
        by_phrase.enroll(bound, b"not audio").status,
        by_phrase.verify(bound, recording(PASSPORT)).status,
        by_phrase.get(UNKNOWN).status,
        by_phrase.get("nobody").status,
        by_voice.enroll(by_voice.new(), b"").status,
        by_voice.enroll(by_voice.new(), recording(PASSPORT), "&ignoreMinLength=maybe").status,
    }
    assert seen <= {400, 401, 402, 403, 404}


def test_trap_14_dates_have_fractions_of_a_second(api: Client, verification: Profiles) -> None:
    dates = [verification.show(verification.create())[name] for name in ("createdDateTime", "lastActionDateTime")]
    for kind in KINDS:
        speakers = Speakers(api, V2021, kind)
        dates.append(speakers.show(speakers.new())["createdDateTime"])
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", date) for date in dates)


@pytest.mark.parametrize("name", ["Data", "enrollmentData", "verificationData", "identificationData", "file"])
@pytest.mark.parametrize(
    ("boundary", "label", "part_type"),
    [
        ("Upload----2017-04-18 12:50:28Z", '"Upload----2017-04-18 12:50:28Z"', ""),
        ("----7MA4YWxk", "----7MA4YWxk", "Content-Type: multipart/form-data\r\n"),
        ("----7MA4YWxk", "----7MA4YWxk", "Content-Type: audio/wav\r\n"),
    ],
    ids=[".NET", "Android", "browser"],
)
def test_trap_15_multipart_of_every_client(
    verification: Profiles, name: str, boundary: str, label: str, part_type: str
) -> None:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{boundary}"'
    head = f"--{boundary}\r\n{disposition}\r\n{part_type}\r\n"
    body = head.encode() + recording(PASSPORT) + f"\r\n--{boundary}--\r\n".encode()
    path = f"{verification.path}/{verification.create()}/enroll"
    answer = verification.client.post(path, body, f"multipart/form-data; boundary={label}")
    assert answer.status == 200
    assert answer.json["phrase"] == PASSPORT


@pytest.mark.parametrize("path", [PREFIX + "/verify", V2.path(TEXT_DEPENDENT), V2021.path(TEXT_DEPENDENT)])
def test_trap_16_browsers_ask_first(api: Client, path: str) -> None:
    answer = Client(api.url, None).call("OPTIONS", path, headers={"Origin": "https://app.example.com"})
    assert answer.status == 204
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "ocp-apim-subscription-key" in allowed
    assert "content-type" in allowed
    assert "operation-location" in answer.headers["access-control-expose-headers"].lower()


def test_trap_17_accept_and_reject_begin_with_a_capital(verification: Profiles, by_phrase: Speakers) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    path = f"/verify?verificationProfileId={profile_id}"
    mine, other = recording(PASSPORT, pace=1.08), recording(PASSPORT, voice="rms")
    assert [verification.client.post(path, audio).json["result"] for audio in (mine, other)] == ["Accept", "Reject"]
    results = [by_phrase.verify(profile_id, audio).json["recognitionResult"] for audio in (mine, other)]
    assert results == ["Accept", "Reject"]


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_trap_18_verbs_behind_a_colon(api: Client, by_phrase: Speakers, colon: str) -> None:
    path = V2021.path(TEXT_DEPENDENT, f"/profiles/{by_phrase.new()}{colon}reset")
    assert api.call("POST", path).status == 200


def test_trap_19_links_name_the_host_that_the_client_named(api: Client) -> None:
    """The native core goes to port 80 whatever port it is told (see tests/clients): a proxy stands there, and what
    the service says of itself must be the proxy's address. TIMBRE_ALLOWED_HOSTS names it."""
    headers = {"Content-Type": "application/json", "Host": "voice.example.com"}
    answer = api.call("POST", V2021.path(TEXT_DEPENDENT), b'{"locale":"en-us"}', headers)
    assert urlsplit(answer.headers["location"]).netloc == "voice.example.com"


def test_trap_20_ids_in_any_form_come_back_in_one(api: Client, to_identify: Speakers) -> None:
    profile_id = to_identify.enrolled(recording(STORY))
    for form in (profile_id.upper(), profile_id.replace("-", ""), profile_id.replace("-", "").upper()):
        assert to_identify.show(form)["profileId"] == profile_id
        answer = to_identify.identify(quote(form), recording(QUESTION))
        assert answer.json["identifiedProfile"]["profileId"] == profile_id
