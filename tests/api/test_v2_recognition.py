"""Enroll, verify and identify over v2.0 and 2021-09-05."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tests.api.client import NOBODY, UNKNOWN, Client
from tests.api.later import IDENTIFICATION, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2, V2021, Generation, Speakers
from tests.voices import HOUSTON, OUTSIDE, PASSPORT, QUESTION, STORY, flite, recording, takes, wav_bytes

ENROLLED = {"profileId", "enrollmentStatus", "enrollmentsCount"}
LENGTHS = ("enrollmentsLength", "enrollmentsSpeechLength", "audioLength", "audioSpeechLength")
LIST = "It should be comma-delimited list of IDs containing at least one ID."


def test_a_text_dependent_enrollment(by_phrase: Speakers) -> None:
    profile_id = by_phrase.new()
    answer = by_phrase.enroll(profile_id, recording(PASSPORT))
    assert answer.status == 201
    lengths = {name + by_phrase.generation.unit for name in LENGTHS}
    assert set(answer.json) == {*ENROLLED, *lengths, "remainingEnrollmentsCount", "passPhrase"}
    assert (answer.json["profileId"], answer.json["passPhrase"]) == (profile_id, PASSPORT)
    assert (answer.json["enrollmentsCount"], answer.json["remainingEnrollmentsCount"]) == (1, 2)


def test_text_independent_enrollments_until_there_are_twenty_seconds(by_voice: Speakers) -> None:
    profile_id, unit = by_voice.new(), by_voice.generation.unit
    answer = by_voice.enroll(profile_id, recording(STORY))
    remaining = f"remainingEnrollmentsSpeechLength{unit}"
    assert answer.status == 201
    assert set(answer.json) == {*ENROLLED, *(name + unit for name in LENGTHS), remaining}
    speech = answer.json[f"audioSpeechLength{unit}"]
    assert speech > 10
    assert answer.json[remaining] == pytest.approx(20 - speech, abs=0.02)
    assert answer.json["enrollmentStatus"] == "Enrolling"
    answer = by_voice.enroll(profile_id, recording(STORY))
    assert (answer.json["enrollmentStatus"], answer.json[remaining]) == ("Enrolled", 0.0)


def test_accept_and_reject(by_phrase: Speakers) -> None:
    profile_id = by_phrase.enrolled(*takes(PASSPORT))
    accepted = by_phrase.verify(profile_id, recording(PASSPORT))
    assert accepted.status == 200
    assert set(accepted.json) == {"recognitionResult", "score"}
    assert accepted.json["recognitionResult"] == "Accept"
    assert 0.5 <= accepted.json["score"] <= 1
    rejected = by_phrase.verify(profile_id, recording(PASSPORT, "rms"))
    assert rejected.json["recognitionResult"] == "Reject"
    assert 0 <= rejected.json["score"] < 0.5


def test_another_phrase_at_verify_is_a_reject(by_phrase: Speakers, by_passport: str) -> None:
    for sentence in (HOUSTON, OUTSIDE):
        answer = by_phrase.verify(by_passport, recording(sentence))
        assert (answer.status, answer.json) == (200, {"recognitionResult": "Reject", "score": 0.0})
        assert b'"score":0.0}' in answer.body, "clients in locales with a decimal comma parse the text"


def test_another_phrase_at_enroll_is_refused(by_phrase: Speakers) -> None:
    profile_id = by_phrase.enrolled(recording(PASSPORT))
    message = f'Invalid passphrase. The profile is bound to the phrase "{PASSPORT}". Heard "{HOUSTON}".'
    assert by_phrase.enroll(profile_id, recording(HOUSTON)).error == (400, "InvalidRequest", message)
    status, code, message = by_phrase.enroll(profile_id, recording(OUTSIDE)).error
    assert (status, code) == (400, "InvalidRequest")
    assert message.startswith("Invalid passphrase. None of the allowed phrases was recognised in the recording.")


def test_verify_by_voice_needs_four_seconds_of_speech_unless_waived(by_voice: Speakers) -> None:
    profile_id, short = by_voice.enrolled(recording(STORY)), recording(PASSPORT)
    status, code, message = by_voice.verify(profile_id, short, query="").error
    assert (status, code) == (400, "InvalidRequest")
    assert message.startswith("Invalid audio length. Minimum allowed speech length is 4 second(s). The recording has ")
    assert by_voice.verify(profile_id, short).json["recognitionResult"] == "Accept"
    assert by_voice.verify(profile_id, recording(QUESTION), query="").json["recognitionResult"] == "Accept"


def test_the_ranking_holds_the_best_five_best_first(to_identify: Speakers, voices: Mapping[str, str]) -> None:
    more = [to_identify.enrolled(recording(PASSPORT, voice)) for voice in ("kal16", "rms", "awb")]
    answer = to_identify.identify(",".join([*more, *voices.values()]), recording(QUESTION))
    assert answer.status == 200
    assert set(answer.json) == {"identifiedProfile", "profilesRanking"}
    ranking = answer.json["profilesRanking"]
    assert len(ranking) == 5
    best = {"profileId": voices["slt"], "score": ranking[0]["score"]}
    assert ranking[0] == answer.json["identifiedProfile"] == best
    scores = [candidate["score"] for candidate in ranking]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_stranger_is_nobody(to_identify: Speakers, voices: Mapping[str, str]) -> None:
    answer = to_identify.identify(voices["rms"], recording(QUESTION))
    assert answer.json["identifiedProfile"]["profileId"] == NOBODY
    assert [candidate["profileId"] for candidate in answer.json["profilesRanking"]] == [voices["rms"]]


def test_candidates_must_share_a_locale(to_identify: Speakers, voices: Mapping[str, str]) -> None:
    same = to_identify.enrolled(recording(PASSPORT, "rms"), locale="en-US")
    french = to_identify.enrolled(recording(PASSPORT, "awb"), locale="fr-FR")
    assert to_identify.identify(f"{voices['slt']},{same}", recording(QUESTION)).status == 200
    message = "Invalid group of profiles. Profiles must have the same locale. Received en-US, fr-FR."
    answer = to_identify.identify(f"{voices['slt']},{french}", recording(QUESTION))
    assert answer.error == (400, "InvalidRequest", message)


def test_at_most_fifty_candidates(to_identify: Speakers) -> None:
    many = ",".join(f"11111111-2222-3333-4444-{number:012d}" for number in range(51))
    message = "Maximum number of profiles allowed per request is 50. Received 51."
    assert to_identify.identify(many, recording(QUESTION)).error == (400, "InvalidRequest", message)


def test_candidates_must_be_named(to_identify: Speakers, voices: Mapping[str, str]) -> None:
    path = f"/profiles{to_identify.generation.colon}identifySingleSpeaker"
    answer = to_identify.call("POST", path, recording(QUESTION))
    assert answer.error == (400, "InvalidRequest", f"profileIds parameter is missing. {LIST}")
    for received in (",", "nobody", f"{UNKNOWN},nobody"):
        status, code, message = to_identify.identify(received, recording(QUESTION)).error
        assert (status, code) == (400, "InvalidArgument")
        assert message.startswith(f"Invalid profileIds parameter value. {LIST} Received ")
    answer = to_identify.identify(f"{voices['slt']},{UNKNOWN}", recording(QUESTION))
    assert answer.error == (404, "Not Found", f"Requested profile doesn't exist: {UNKNOWN}.")


def test_a_profile_that_is_not_enrolled_recognises_nobody(by_phrase: Speakers, to_identify: Speakers) -> None:
    profile_id = by_phrase.enrolled(recording(PASSPORT))
    for answer in (
        by_phrase.verify(profile_id, recording(PASSPORT)),
        to_identify.identify(to_identify.new(), recording(QUESTION)),
    ):
        status, code, message = answer.error
        assert (status, code) == (400, "InvalidRequest")
        assert message.startswith("Profile is not enrolled. ")


@pytest.mark.parametrize(
    ("kind", "use", "seconds", "expected"),
    [
        (TEXT_DEPENDENT, "enroll", 0.5, "Minimum allowed length is 1 second(s)."),
        (TEXT_DEPENDENT, "enroll", 10.5, "Maximum allowed length is 10 seconds."),
        (TEXT_INDEPENDENT, "enroll", 0.5, "Minimum allowed length per enrollment request is 1 second."),
        (TEXT_INDEPENDENT, "enroll", 120.5, "Maximum allowed length per enrollment request is 120 seconds."),
        (TEXT_INDEPENDENT, "verify", 0.5, "Minimum allowed length per recognition request is 1 second."),
        (IDENTIFICATION, "identify", 0.5, "Minimum allowed length per recognition request is 1 second."),
    ],
)
def test_lengths(api: Client, generation: Generation, kind: str, use: str, seconds: float, expected: str) -> None:
    """Each kind of request has its limits, and its words for them."""
    speakers = Speakers(api, generation, kind)
    profile_id = speakers.new() if use == "enroll" else speakers.enrolled(recording(PASSPORT))
    answer = getattr(speakers, use)(profile_id, wav_bytes(np.zeros(int(seconds * 16_000), np.float32)))
    message = f"Invalid audio length. {expected} The recording has {seconds:.2f} seconds."
    assert answer.error == (400, "InvalidRequest", message)


def test_the_length_of_all_enrollments_together(api: Client) -> None:
    by_voice = Speakers(api, V2021, TEXT_INDEPENDENT)
    two_minutes = wav_bytes(np.tile(flite(STORY), 11)[: 110 * 16_000])
    profile_id = by_voice.enrolled(two_minutes, two_minutes)
    maximum = "Maximum allowed length across all profile enrollments is 300 seconds."
    message = f"{maximum} With this recording the profile would have 330.00 seconds."
    assert by_voice.enroll(profile_id, two_minutes).error == (403, "InvalidRequest", message)


def test_noise_is_refused_with_what_was_measured(by_phrase: Speakers) -> None:
    minimum = 10 if by_phrase.generation is V2 else 2
    voice = flite(PASSPORT)
    level = float(np.sqrt(np.mean(voice**2))) * 10 ** (-(minimum - 2) / 20)
    noisy = voice + np.random.default_rng(1).normal(0, level, len(voice)).astype(np.float32)
    status, code, message = by_phrase.enroll(by_phrase.new(), wav_bytes(np.clip(noisy, -1, 1))).error
    assert (status, code) == (400, "InvalidRequest")
    ratio = f"The minimum allowed Signal-to-noise ratio (SNR) is {minimum}dB."
    assert message.startswith(f"Audio is too noisy. {ratio} The recording has ")
