"""Enroll with a phrase and verify, over HTTP, with synthetic voices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.api.client import Answer, Profiles
from tests.voices import HOUSTON, OUTSIDE, PASSPORT, recording, takes

VOICES = ["slt", "awb", "rms"]


def verify(verification: Profiles, profile_id: str, audio: bytes) -> Answer:
    return verification.client.post(f"/verify?verificationProfileId={profile_id}", audio)


def test_three_recordings_of_one_phrase_enroll_a_speaker(verification: Profiles) -> None:
    profile_id = verification.create()
    answers = [verification.enroll(profile_id, audio) for audio in takes(PASSPORT)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [answer.json for answer in answers] == [
        {"enrollmentStatus": "Enrolling", "enrollmentsCount": 1, "remainingEnrollments": 2, "phrase": PASSPORT},
        {"enrollmentStatus": "Enrolling", "enrollmentsCount": 2, "remainingEnrollments": 1, "phrase": PASSPORT},
        {"enrollmentStatus": "Enrolled", "enrollmentsCount": 3, "remainingEnrollments": 0, "phrase": PASSPORT},
    ]
    shown = verification.show(profile_id)
    assert shown["enrollmentStatus"] == "Enrolled"
    assert (shown["enrollmentsCount"], shown["remainingEnrollmentsCount"]) == (3, 0)
    assert shown["lastActionDateTime"] > shown["createdDateTime"]


def test_more_than_three_recordings_are_taken(verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    answer = verification.enroll(profile_id, recording(PASSPORT))
    assert answer.json == {
        "enrollmentStatus": "Enrolled",
        "enrollmentsCount": 4,
        "remainingEnrollments": 0,
        "phrase": PASSPORT,
    }


@pytest.mark.parametrize("voice", VOICES)
def test_the_same_voice_with_the_same_phrase_is_accepted(verification: Profiles, voice: str) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT, voice))
    answer = verify(verification, profile_id, recording(PASSPORT, voice))
    assert answer.status == 200
    assert set(answer.json) == {"result", "confidence", "phrase", "score"}
    assert (answer.json["result"], answer.json["phrase"]) == ("Accept", PASSPORT)
    assert answer.json["confidence"] in ("Low", "Normal", "High")
    assert 0.5 <= answer.json["score"] <= 1.0


@pytest.mark.parametrize("other", ["awb", "rms", "kal16"])
def test_another_voice_with_the_same_phrase_is_rejected(verification: Profiles, other: str) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT, "slt"))
    answer = verify(verification, profile_id, recording(PASSPORT, other))
    assert answer.status == 200
    assert (answer.json["result"], answer.json["phrase"]) == ("Reject", PASSPORT)
    assert answer.json["score"] < 0.5


def test_the_same_voice_with_another_phrase_is_rejected_and_the_phrase_is_told(verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    answer = verify(verification, profile_id, recording(HOUSTON))
    assert answer.status == 200
    assert (answer.json["result"], answer.json["phrase"]) == ("Reject", HOUSTON)


def test_a_sentence_outside_the_list_is_an_invalid_phrase_at_verify(verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    status, code, message = verify(verification, profile_id, recording(OUTSIDE)).error
    assert (status, code) == (400, "BadRequest")
    assert message.startswith("InvalidPhrase: None of the allowed phrases was recognised in the recording.")


def test_a_sentence_outside_the_list_is_an_invalid_phrase_at_enroll(verification: Profiles) -> None:
    profile_id = verification.create()
    status, code, message = verification.enroll(profile_id, recording(OUTSIDE)).error
    assert (status, code) == (400, "BadRequest")
    assert message.startswith("InvalidPhrase: None of the allowed phrases was recognised in the recording.")
    assert verification.show(profile_id)["enrollmentsCount"] == 0


def test_half_a_phrase_is_an_invalid_phrase(verification: Profiles) -> None:
    profile_id = verification.create()
    status, _, message = verification.enroll(profile_id, recording("my voice is my passport")).error
    assert status == 400
    assert message.startswith("InvalidPhrase: ")
    assert verification.show(profile_id)["enrollmentsCount"] == 0


def test_a_second_phrase_at_enroll_is_refused_and_both_are_named(verification: Profiles) -> None:
    profile_id = verification.enrolled(recording(PASSPORT))
    assert verification.enroll(profile_id, recording(HOUSTON)).error == (
        400,
        "BadRequest",
        f'InvalidPhrase: The profile is bound to the phrase "{PASSPORT}". Heard "{HOUSTON}".',
    )
    assert verification.show(profile_id)["enrollmentsCount"] == 1


def test_a_reset_unbinds_the_phrase(verification: Profiles) -> None:
    profile_id = verification.enrolled(recording(PASSPORT))
    verification.client.post(f"{verification.path}/{profile_id}/reset")
    assert verification.enroll(profile_id, recording(HOUSTON)).json["phrase"] == HOUSTON


def test_a_profile_that_is_not_enrolled_cannot_be_verified(verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT, count=2))
    assert verify(verification, profile_id, recording(PASSPORT)).error == (
        400,
        "BadRequest",
        f"IncompleteEnrollment: Profile is not enrolled. Profile {profile_id} still needs "
        "1 more recording(s) of the phrase.",
    )


def test_a_verification_is_a_use_of_the_profile(verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    before = verification.show(profile_id)
    verify(verification, profile_id, recording(PASSPORT))
    after = verification.show(profile_id)
    assert after["lastActionDateTime"] > before["lastActionDateTime"]
    assert {**after, "lastActionDateTime": ""} == {**before, "lastActionDateTime": ""}


def test_the_profile_may_be_named_in_any_spelling(verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    for name, value in (
        ("verificationProfileId", profile_id.upper()),
        ("verificationProfileId", profile_id.replace("-", "")),
        ("VERIFICATIONPROFILEID", profile_id),
    ):
        answer = verification.client.post(f"/verify?{name}={value}", recording(PASSPORT))
        assert answer.json["result"] == "Accept"


def test_two_enrollments_at_once_both_count_or_one_is_told(verification: Profiles) -> None:
    profile_id = verification.create()
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(partial(verification.enroll, profile_id), takes(PASSPORT, count=2)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses in ([200, 200], [200, 409])
    assert verification.show(profile_id)["enrollmentsCount"] == statuses.count(200)


def test_an_enroll_that_races_a_delete_never_brings_the_profile_back(verification: Profiles) -> None:
    profile_id = verification.create()
    with ThreadPoolExecutor(3) as threads:
        enrolling = [threads.submit(verification.enroll, profile_id, audio) for audio in takes(PASSPORT, count=2)]
        deleting = threads.submit(verification.client.delete, f"{verification.path}/{profile_id}")
    assert deleting.result().status == 200
    assert {one.result().status for one in enrolling} <= {200, 404, 409}
    assert verification.client.get(f"{verification.path}/{profile_id}").status == 404
