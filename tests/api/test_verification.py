"""Enroll with a phrase and verify, in v1.0, with synthetic voices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.api.client import Client, Profiles, verify
from tests.voices import HOUSTON, OUTSIDE, PASSPORT, recording, takes

NOT_RECOGNISED = "InvalidPhrase: None of the allowed phrases was recognised in the recording."


def test_three_recordings_of_one_phrase_enroll_a_speaker_and_more_are_taken(verification: Profiles) -> None:
    profile_id = verification.create()
    answers = [verification.enroll(profile_id, audio) for audio in (*takes(PASSPORT), recording(PASSPORT))]
    assert [answer.status for answer in answers] == [200] * 4
    expected = [("Enrolling", 1, 2), ("Enrolling", 2, 1), ("Enrolled", 3, 0), ("Enrolled", 4, 0)]
    names = ("enrollmentStatus", "enrollmentsCount", "remainingEnrollments")
    assert [answer.json for answer in answers] == [
        {**dict(zip(names, values, strict=True)), "phrase": PASSPORT} for values in expected
    ]
    shown = verification.show(profile_id)
    assert shown["enrollmentStatus"] == "Enrolled"
    assert (shown["enrollmentsCount"], shown["remainingEnrollmentsCount"]) == (4, 0)
    assert shown["lastActionDateTime"] > shown["createdDateTime"]


@pytest.mark.parametrize("voice", ["slt", "rms"])
def test_the_same_voice_with_the_same_phrase_is_accepted(verification: Profiles, voice: str) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT, voice))
    answer = verify(verification.client, profile_id, recording(PASSPORT, voice))
    assert answer.status == 200
    assert set(answer.json) == {"result", "confidence", "phrase", "score"}
    assert (answer.json["result"], answer.json["phrase"]) == ("Accept", PASSPORT)
    assert answer.json["confidence"] in ("Low", "Normal", "High")
    assert 0.5 <= answer.json["score"] <= 1.0


@pytest.mark.parametrize(("other", "pace"), [("awb", 1.04), ("rms", 1.0)])
def test_another_voice_with_the_same_phrase_is_rejected(api: Client, by_passport: str, other: str, pace: float) -> None:
    answer = verify(api, by_passport, recording(PASSPORT, other, pace))
    assert (answer.status, answer.json["result"], answer.json["phrase"]) == (200, "Reject", PASSPORT)
    assert answer.json["score"] < 0.5


def test_the_same_voice_with_another_phrase_is_rejected_and_the_phrase_is_told(api: Client, by_passport: str) -> None:
    answer = verify(api, by_passport, recording(HOUSTON))
    assert (answer.status, answer.json["result"], answer.json["phrase"]) == (200, "Reject", HOUSTON)


@pytest.mark.parametrize("sentence", [OUTSIDE, "my voice is my passport"], ids=["another sentence", "half a phrase"])
def test_a_sentence_outside_the_list_is_an_invalid_phrase(
    verification: Profiles, by_passport: str, sentence: str
) -> None:
    profile_id = verification.create()
    for answer in (
        verification.enroll(profile_id, recording(sentence)),
        verify(verification.client, by_passport, recording(sentence)),
    ):
        status, code, message = answer.error
        assert (status, code) == (400, "BadRequest")
        assert message.startswith(NOT_RECOGNISED)
    assert verification.show(profile_id)["enrollmentsCount"] == 0


def test_a_second_phrase_at_enroll_is_refused_until_a_reset_unbinds_the_first(verification: Profiles) -> None:
    profile_id = verification.enrolled(recording(PASSPORT))
    message = f'InvalidPhrase: The profile is bound to the phrase "{PASSPORT}". Heard "{HOUSTON}".'
    assert verification.enroll(profile_id, recording(HOUSTON)).error == (400, "BadRequest", message)
    assert verification.show(profile_id)["enrollmentsCount"] == 1
    verification.reset(profile_id)
    assert verification.enroll(profile_id, recording(HOUSTON)).json["phrase"] == HOUSTON


def test_a_profile_that_is_not_enrolled_cannot_be_verified(verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT, count=2))
    status, code, message = verify(verification.client, profile_id, recording(PASSPORT)).error
    assert (status, code) == (400, "BadRequest")
    needs = f"Profile {profile_id} still needs 1 more recording(s) of the phrase."
    assert message == f"IncompleteEnrollment: Profile is not enrolled. {needs}"


def test_a_verification_is_a_use_of_the_profile(verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    before = verification.show(profile_id)
    verify(verification.client, profile_id, recording(PASSPORT))
    after = verification.show(profile_id)
    assert after["lastActionDateTime"] > before["lastActionDateTime"]
    assert {**after, "lastActionDateTime": ""} == {**before, "lastActionDateTime": ""}


def test_two_enrollments_at_once_both_count_or_one_is_told(verification: Profiles) -> None:
    profile_id = verification.create()
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(partial(verification.enroll, profile_id), takes(PASSPORT, count=2)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses in ([200, 200], [200, 409])
    assert verification.show(profile_id)["enrollmentsCount"] == statuses.count(200)
