"""Enroll with any speech and identify, over HTTP, with synthetic voices."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import pytest

from tests.api.client import Client, Profiles, identify, operation
from tests.service import RunningService
from tests.voices import HOUSTON, PASSPORT, QUESTION, STORY, recording

NOBODY = "00000000-0000-0000-0000-000000000000"
SHORT = "?shortAudio=true"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def speakers(service: RunningService) -> dict[str, str]:
    """Voice to the id of its profile."""
    identification = Profiles(Client(service.url, service.key), "identification")
    return {voice: identification.enrolled(recording(STORY, voice), query=SHORT) for voice in ("slt", "awb", "rms")}


def test_an_enroll_is_accepted_with_the_address_of_its_operation(
    identification: Profiles, service: RunningService
) -> None:
    answer = identification.enroll(identification.create(), recording(STORY))
    assert (answer.status, answer.body) == (202, b"")
    assert answer.headers["content-length"] == "0"
    assert GUID.fullmatch(answer.headers["apim-request-id"])
    address, _, operation_id = answer.headers["operation-location"].rpartition("/")
    assert address == f"{service.url}/spid/v1.0/operations"
    assert GUID.fullmatch(operation_id)


def test_the_operation_of_an_enroll_says_how_much_speech_there_is(identification: Profiles) -> None:
    profile_id = identification.create()
    done = operation(identification.client, identification.enroll(profile_id, recording(STORY)))
    assert set(done) == {"status", "createdDateTime", "lastActionDateTime", "processingResult"}
    assert done["status"] == "succeeded"
    assert DATE.fullmatch(done["createdDateTime"])
    assert done["lastActionDateTime"] >= done["createdDateTime"]
    result = done["processingResult"]
    assert set(result) == {"enrollmentStatus", "remainingEnrollmentSpeechTime", "speechTime", "enrollmentSpeechTime"}
    assert result["enrollmentStatus"] == "Enrolling"
    assert 8.0 < result["speechTime"] < 20.0
    assert result["enrollmentSpeechTime"] == result["speechTime"]
    assert result["remainingEnrollmentSpeechTime"] == pytest.approx(30.0 - result["speechTime"], abs=0.011)


def test_thirty_seconds_of_speech_make_a_profile_enrolled(identification: Profiles) -> None:
    profile_id = identification.create()
    speech_seconds = 0.0
    for number in range(10):
        audio = recording(STORY)
        result = operation(identification.client, identification.enroll(profile_id, audio))["processingResult"]
        speech_seconds += result["speechTime"]
        assert result["enrollmentSpeechTime"] == pytest.approx(speech_seconds, abs=0.011 * (number + 1))
        assert (result["enrollmentStatus"] == "Enrolled") == (result["enrollmentSpeechTime"] >= 30.0)
        if result["enrollmentStatus"] == "Enrolled":
            break
    assert result["remainingEnrollmentSpeechTime"] == 0.0
    shown = identification.show(profile_id)
    assert shown["enrollmentStatus"] == "Enrolled"
    assert shown["enrollmentSpeechTime"] == result["enrollmentSpeechTime"]
    assert shown["remainingEnrollmentSpeechTime"] == 0.0


@pytest.mark.parametrize("short_audio", ["true", "True", "TRUE"])
def test_short_audio_enrolls_at_once(identification: Profiles, short_audio: str) -> None:
    profile_id = identification.create()
    answer = identification.enroll(profile_id, recording(HOUSTON), f"?shortAudio={short_audio}")
    result = operation(identification.client, answer)["processingResult"]
    assert result["enrollmentStatus"] == "Enrolled"
    assert result["speechTime"] < 3.0


@pytest.mark.parametrize("query", ["", "?shortAudio=false", "?shortAudio=False"])
def test_without_short_audio_five_seconds_are_needed(identification: Profiles, query: str) -> None:
    profile_id = identification.create()
    status, code, message = identification.enroll(profile_id, recording(PASSPORT), query).error
    assert (status, code) == (400, "BadRequest")
    assert re.fullmatch(
        r"AudioTooShort: Invalid audio length\. Minimum allowed length is 5 second\(s\)\. "
        r"The recording has 2\.\d\d seconds\.",
        message,
    )
    assert identification.show(profile_id)["enrollmentSpeechTime"] == 0.0


def test_short_audio_must_be_a_boolean(identification: Profiles) -> None:
    answer = identification.enroll(identification.create(), recording(STORY), "?shortAudio=maybe")
    assert answer.error == (
        400,
        "BadRequest",
        'Invalid shortAudio parameter value. Valid values are "true" and "false". Received "maybe".',
    )


@pytest.mark.parametrize("voice", ["slt", "awb", "rms"])
def test_each_voice_is_identified_among_the_others(api: Client, speakers: dict[str, str], voice: str) -> None:
    done = identify(api, speakers.values(), recording(QUESTION, voice))
    assert set(done) == {"status", "createdDateTime", "lastActionDateTime", "processingResult"}
    assert done["status"] == "succeeded"
    assert set(done["processingResult"]) == {"identifiedProfileId", "confidence"}
    assert done["processingResult"]["identifiedProfileId"] == speakers[voice]
    assert done["processingResult"]["confidence"] in ("Low", "Normal", "High")


def test_a_stranger_is_the_zero_guid(api: Client, speakers: dict[str, str]) -> None:
    done = identify(api, [speakers["slt"], speakers["rms"]], recording(QUESTION, "kal16"))
    assert done["status"] == "succeeded"
    assert done["processingResult"]["identifiedProfileId"] == NOBODY


def test_without_short_audio_a_long_recording_is_identified(api: Client, speakers: dict[str, str]) -> None:
    done = identify(api, speakers.values(), recording(QUESTION, "awb"), query="")
    assert done["processingResult"]["identifiedProfileId"] == speakers["awb"]


def test_commas_may_be_encoded_and_one_may_stand_at_the_end(api: Client, speakers: dict[str, str]) -> None:
    for ids in (f"{speakers['slt']}%2C{speakers['rms']}%2C", f"{speakers['slt'].upper()},{speakers['rms']},"):
        answer = api.post(f"/identify?identificationProfileIds={ids}&shortAudio=True", recording(QUESTION, "rms"))
        assert operation(api, answer)["processingResult"]["identifiedProfileId"] == speakers["rms"]


def test_more_than_ten_candidates_are_allowed(api: Client, identification: Profiles, speakers: dict[str, str]) -> None:
    more = [identification.enrolled(recording(PASSPORT, "kal16"), query=SHORT) for _ in range(10)]
    done = identify(api, [*more, speakers["slt"]], recording(QUESTION))
    assert done["processingResult"]["identifiedProfileId"] == speakers["slt"]


def test_more_than_fifty_candidates_are_not(api: Client) -> None:
    ids = ",".join(str(uuid4()) for _ in range(51))
    assert api.post(f"/identify?identificationProfileIds={ids}&shortAudio=true", recording(QUESTION)).error == (
        400,
        "BadRequest",
        "InvalidProfileCount: Maximum number of profiles allowed per request is 50. Received 51.",
    )


def test_a_candidate_that_is_not_enrolled_fails_the_operation(
    api: Client, identification: Profiles, speakers: dict[str, str]
) -> None:
    fresh = identification.create()
    done = identify(api, [speakers["slt"], fresh], recording(QUESTION))
    assert set(done) == {"status", "createdDateTime", "lastActionDateTime", "message"}
    assert done["status"] == "failed"
    assert done["message"].startswith("IncompleteEnrollment: ")
    assert fresh in done["message"]


def test_an_operation_can_be_asked_for_again(api: Client, speakers: dict[str, str]) -> None:
    answer = api.post(f"/identify?identificationProfileIds={speakers['slt']}&shortAudio=true", recording(QUESTION))
    assert operation(api, answer) == operation(api, answer)


def test_identifying_stores_the_result_and_no_recording(
    api: Client, speakers: dict[str, str], stored: Callable[[], dict[str, str]]
) -> None:
    before = stored()
    answer = api.post(
        f"/identify?identificationProfileIds={speakers['awb']}&shortAudio=true", recording(QUESTION, "slt")
    )
    operation_id = answer.headers["operation-location"].rpartition("/")[2]
    new = {name for name in stored() if name not in before}
    (name,) = new
    assert f"operation:{operation_id}" in name


def test_two_enrollments_at_once_both_count_or_one_is_told(identification: Profiles) -> None:
    profile_id = identification.create()
    recordings = [recording(STORY), recording(QUESTION)]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(partial(identification.enroll, profile_id), recordings))
    statuses = sorted(answer.status for answer in answers)
    assert statuses in ([202, 202], [202, 409])
    spoken = [operation(identification.client, one)["processingResult"] for one in answers if one.status == 202]
    total = sum(one["speechTime"] for one in spoken)
    assert identification.show(profile_id)["enrollmentSpeechTime"] == pytest.approx(total, abs=0.021)
