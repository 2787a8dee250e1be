"""Enroll with any speech and identify, in v1.0, with synthetic voices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import uuid4

import pytest

from tests.api.client import (
    DATE,
    GUID,
    NOBODY,
    Client,
    Profiles,
    ask_to_identify,
    identified,
    identify,
    operation,
)
from tests.api.operator import Customer
from tests.api.stored import Stored
from tests.voices import PASSPORT, QUESTION, STORY, recording


def test_an_enroll_becomes_an_operation_that_says_how_much_speech_there_is(identification: Profiles) -> None:
    answer = identification.enroll(identification.create(), recording(STORY))
    assert (answer.status, answer.body, answer.headers["content-length"]) == (202, b"", "0")
    assert GUID.fullmatch(answer.headers["apim-request-id"])
    done = operation(identification.client, answer)
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
    for number in range(4):
        answer = identification.enroll(profile_id, recording(STORY))
        result = operation(identification.client, answer)["processingResult"]
        speech_seconds += result["speechTime"]
        assert result["enrollmentSpeechTime"] == pytest.approx(speech_seconds, abs=0.011 * (number + 1))
        assert (result["enrollmentStatus"] == "Enrolled") == (result["enrollmentSpeechTime"] >= 30.0)
    assert result["remainingEnrollmentSpeechTime"] == 0.0
    shown = identification.show(profile_id)
    assert shown["enrollmentStatus"] == "Enrolled"
    assert shown["enrollmentSpeechTime"] == result["enrollmentSpeechTime"]
    assert shown["remainingEnrollmentSpeechTime"] == 0.0


def test_without_short_audio_five_seconds_are_needed(identification: Profiles) -> None:
    profile_id = identification.create()
    status, code, message = identification.enroll(profile_id, recording(PASSPORT)).error
    assert (status, code) == (400, "BadRequest")
    needed = r"AudioTooShort: Invalid audio length\. Minimum allowed length is 5 second\(s\)\."
    assert re.fullmatch(rf"{needed} The recording has 2\.\d\d seconds\.", message)
    assert identification.show(profile_id)["enrollmentSpeechTime"] == 0.0


def test_short_audio_must_be_a_boolean(identification: Profiles) -> None:
    message = 'Invalid shortAudio parameter value. Valid values are "true" and "false". Received "maybe".'
    answer = identification.enroll(identification.create(), recording(STORY), "?shortAudio=maybe")
    assert answer.error == (400, "BadRequest", message)


@pytest.mark.parametrize("voice", ["slt", "awb", "rms"])
def test_each_voice_is_identified_among_the_others(api: Client, voices: Mapping[str, str], voice: str) -> None:
    accepted = ask_to_identify(api, ",".join(voices.values()), recording(QUESTION, voice))
    done = operation(api, accepted)
    assert set(done) == {"status", "createdDateTime", "lastActionDateTime", "processingResult"}
    assert done["status"] == "succeeded"
    assert set(done["processingResult"]) == {"identifiedProfileId", "confidence"}
    assert done["processingResult"]["identifiedProfileId"] == voices[voice]
    assert done["processingResult"]["confidence"] in ("Low", "Normal", "High")
    assert operation(api, accepted) == done, "an operation can be asked for again"


def test_a_stranger_is_nobody(api: Client, voices: Mapping[str, str]) -> None:
    assert identified(api, [voices["slt"], voices["rms"]], recording(QUESTION, "kal16")) == NOBODY


def test_without_short_audio_a_long_recording_is_identified(api: Client, voices: Mapping[str, str]) -> None:
    assert identified(api, voices.values(), recording(QUESTION, "awb"), query="") == voices["awb"]


def test_more_than_ten_candidates_are_allowed(api: Client, identification: Profiles, voices: Mapping[str, str]) -> None:
    more = [identification.enrolled(recording(PASSPORT, "kal16")) for _ in range(10)]
    assert identified(api, [*more, voices["slt"]], recording(QUESTION)) == voices["slt"]


def test_more_than_fifty_candidates_are_not(api: Client) -> None:
    message = "InvalidProfileCount: Maximum number of profiles allowed per request is 50. Received 51."
    many = ",".join(str(uuid4()) for _ in range(51))
    assert ask_to_identify(api, many, recording(QUESTION)).error == (400, "BadRequest", message)


def test_a_candidate_that_is_not_enrolled_fails_the_operation(
    api: Client, identification: Profiles, voices: Mapping[str, str]
) -> None:
    fresh, reset = identification.create(), identification.enrolled(recording(PASSPORT))
    identification.reset(reset)
    for candidate in (fresh, reset):
        done = identify(api, [voices["slt"], candidate], recording(QUESTION))
        assert set(done) == {"status", "createdDateTime", "lastActionDateTime", "message"}
        assert done["status"] == "failed"
        assert done["message"].startswith("IncompleteEnrollment: ")
        assert candidate in done["message"]


def test_identifying_stores_the_result_and_no_recording(customer: Customer, stored: Stored) -> None:
    profile_id = customer.identification.enrolled(recording(STORY))
    before = stored.of_subscription(customer.subscription_id)
    answer = ask_to_identify(customer.primary, profile_id, recording(QUESTION))
    (name,) = set(stored.of_subscription(customer.subscription_id)) - set(before)
    assert f"operation:{answer.headers['operation-location'].rpartition('/')[2]}" in name
