"""Enroll, verify and identify over v2.0 and 2021-09-05."""

from __future__ import annotations

import numpy as np
import pytest

from tests.api.client import Client, Profiles
from tests.api.later import IDENTIFICATION, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2, V2021, Generation, Speakers, refusal
from tests.voices import HOUSTON, OUTSIDE, PASSPORT, QUESTION, STORY, flite, recording, takes, wav_bytes

UNKNOWN = "11111111-2222-3333-4444-555555555555"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(params=[V2, V2021], ids=lambda one: one.name)
def generation(request: pytest.FixtureRequest) -> Generation:
    one: Generation = request.param
    return one


@pytest.fixture
def by_phrase(api: Client, generation: Generation) -> Speakers:
    return Speakers(api, generation, TEXT_DEPENDENT)


@pytest.fixture
def by_voice(api: Client, generation: Generation) -> Speakers:
    return Speakers(api, generation, TEXT_INDEPENDENT)


@pytest.fixture
def to_identify(api: Client, generation: Generation) -> Speakers:
    return Speakers(api, generation, IDENTIFICATION)


def test_a_text_dependent_enrollment(by_phrase: Speakers) -> None:
    profile_id = by_phrase.new()
    answer = by_phrase.enroll(profile_id, recording(PASSPORT))
    unit = by_phrase.generation.unit
    assert answer.status == 201
    assert set(answer.json) == {
        "profileId",
        "enrollmentStatus",
        "enrollmentsCount",
        f"enrollmentsLength{unit}",
        f"enrollmentsSpeechLength{unit}",
        "remainingEnrollmentsCount",
        "passPhrase",
        f"audioLength{unit}",
        f"audioSpeechLength{unit}",
    }
    assert answer.json["profileId"] == profile_id
    assert answer.json["passPhrase"] == PASSPORT
    assert (answer.json["enrollmentsCount"], answer.json["remainingEnrollmentsCount"]) == (1, 2)


def test_a_text_independent_enrollment(by_voice: Speakers) -> None:
    answer = by_voice.enroll(by_voice.new(), recording(STORY))
    unit = by_voice.generation.unit
    assert answer.status == 201
    assert set(answer.json) == {
        "profileId",
        "enrollmentStatus",
        "enrollmentsCount",
        f"enrollmentsLength{unit}",
        f"enrollmentsSpeechLength{unit}",
        f"remainingEnrollmentsSpeechLength{unit}",
        f"audioLength{unit}",
        f"audioSpeechLength{unit}",
    }
    speech = answer.json[f"audioSpeechLength{unit}"]
    assert speech > 10
    assert answer.json[f"remainingEnrollmentsSpeechLength{unit}"] == pytest.approx(20 - speech, abs=0.02)
    assert answer.json["enrollmentStatus"] == "Enrolling"


def test_twenty_seconds_of_speech_are_enough(by_voice: Speakers) -> None:
    profile_id = by_voice.new()
    by_voice.enroll(profile_id, recording(STORY))
    answer = by_voice.enroll(profile_id, recording(STORY))
    assert answer.json["enrollmentStatus"] == "Enrolled"
    assert answer.json[f"remainingEnrollmentsSpeechLength{by_voice.generation.unit}"] == 0.0


def test_accept_and_reject(by_phrase: Speakers) -> None:
    profile_id = by_phrase.enrolled(*takes(PASSPORT))
    accepted = by_phrase.verify(profile_id, recording(PASSPORT))
    assert accepted.status == 200
    assert set(accepted.json) == {"recognitionResult", "score"}
    assert accepted.json["recognitionResult"] == "Accept"
    assert 0.5 <= accepted.json["score"] <= 1
    rejected = by_phrase.verify(profile_id, recording(PASSPORT, voice="rms"))
    assert rejected.json["recognitionResult"] == "Reject"
    assert 0 <= rejected.json["score"] < 0.5


def test_another_phrase_at_verify_is_a_reject(by_phrase: Speakers) -> None:
    profile_id = by_phrase.enrolled(*takes(PASSPORT))
    for sentence in (HOUSTON, OUTSIDE):
        answer = by_phrase.verify(profile_id, recording(sentence))
        assert (answer.status, answer.json) == (200, {"recognitionResult": "Reject", "score": 0.0})


def test_a_score_is_a_number_with_a_dot(by_phrase: Speakers) -> None:
    """Clients in locales with a decimal comma parse the text."""
    answer = by_phrase.verify(by_phrase.enrolled(*takes(PASSPORT)), recording(HOUSTON))
    assert b'"score":0.0}' in answer.body


def test_another_phrase_at_enroll_is_refused(by_phrase: Speakers) -> None:
    profile_id = by_phrase.enrolled(recording(PASSPORT))
    assert refusal(by_phrase.enroll(profile_id, recording(HOUSTON))) == (
        400,
        "InvalidRequest",
        f'Invalid passphrase. The profile is bound to the phrase "{PASSPORT}". Heard "{HOUSTON}".',
    )
    status, code, message = refusal(by_phrase.enroll(profile_id, recording(OUTSIDE)))
    assert (status, code) == (400, "InvalidRequest")
    assert message.startswith("Invalid passphrase. None of the allowed phrases was recognised in the recording.")


def test_verify_by_voice_needs_four_seconds_of_speech_unless_waived(by_voice: Speakers) -> None:
    profile_id = by_voice.enrolled(recording(STORY))
    short = recording(PASSPORT)
    status, code, message = refusal(by_voice.verify(profile_id, short, query=""))
    assert (status, code) == (400, "InvalidRequest")
    assert message.startswith("Invalid audio length. Minimum allowed speech length is 4 second(s). The recording has ")
    assert by_voice.verify(profile_id, short).json["recognitionResult"] == "Accept"
    assert by_voice.verify(profile_id, recording(QUESTION), query="").json["recognitionResult"] == "Accept"


def test_the_ranking_holds_the_best_five_best_first(to_identify: Speakers) -> None:
    wanted = to_identify.enrolled(recording(STORY))
    others = [to_identify.enrolled(recording(STORY, voice=voice)) for voice in ("rms", "awb", "kal16", "rms", "awb")]
    answer = to_identify.identify(",".join([*others, wanted]), recording(QUESTION))
    assert answer.status == 200
    assert set(answer.json) == {"identifiedProfile", "profilesRanking"}
    ranking = answer.json["profilesRanking"]
    assert len(ranking) == 5
    assert ranking[0] == answer.json["identifiedProfile"] == {"profileId": wanted, "score": ranking[0]["score"]}
    scores = [one["score"] for one in ranking]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_stranger_has_the_zero_guid(to_identify: Speakers) -> None:
    other = to_identify.enrolled(recording(STORY, voice="rms"))
    answer = to_identify.identify(other, recording(QUESTION))
    assert answer.json["identifiedProfile"]["profileId"] == NOBODY
    assert [one["profileId"] for one in answer.json["profilesRanking"]] == [other]


def test_candidates_must_share_a_locale(to_identify: Speakers) -> None:
    one = to_identify.enrolled(recording(STORY), locale="en-us")
    same = to_identify.enrolled(recording(STORY, voice="rms"), locale="en-US")
    french = to_identify.enrolled(recording(STORY, voice="awb"), locale="fr-FR")
    assert to_identify.identify(f"{one},{same}", recording(QUESTION)).status == 200
    assert refusal(to_identify.identify(f"{one},{french}", recording(QUESTION))) == (
        400,
        "InvalidRequest",
        "Invalid group of profiles. Profiles must have the same locale. Received en-US, fr-FR.",
    )


def test_at_most_fifty_candidates(to_identify: Speakers) -> None:
    many = ",".join(f"11111111-2222-3333-4444-{number:012d}" for number in range(51))
    assert refusal(to_identify.identify(many, recording(QUESTION))) == (
        400,
        "InvalidRequest",
        "Maximum number of profiles allowed per request is 50. Received 51.",
    )


def test_candidates_must_be_named(to_identify: Speakers) -> None:
    rule = "It should be comma-delimited list of IDs containing at least one ID."
    path = f"/profiles{to_identify.generation.colon}identifySingleSpeaker"
    assert refusal(to_identify.call("POST", path, recording(QUESTION))) == (
        400,
        "InvalidRequest",
        f"profileIds parameter is missing. {rule}",
    )
    for received in (",", "nobody", f"{UNKNOWN},nobody"):
        status, code, message = refusal(to_identify.identify(received, recording(QUESTION)))
        assert (status, code) == (400, "InvalidArgument")
        assert message.startswith(f"Invalid profileIds parameter value. {rule} Received ")


def test_an_unknown_candidate_is_named(to_identify: Speakers) -> None:
    known = to_identify.enrolled(recording(STORY))
    assert refusal(to_identify.identify(f"{known},{UNKNOWN}", recording(QUESTION))) == (
        404,
        "Not Found",
        f"Requested profile doesn't exist: {UNKNOWN}.",
    )


def test_an_unenrolled_profile_recognises_nobody(by_phrase: Speakers, to_identify: Speakers) -> None:
    profile_id = by_phrase.enrolled(recording(PASSPORT))
    for answer in (
        by_phrase.verify(profile_id, recording(PASSPORT)),
        to_identify.identify(to_identify.new(), recording(STORY)),
    ):
        status, code, message = refusal(answer)
        assert (status, code) == (400, "InvalidRequest")
        assert message.startswith("Profile is not enrolled. ")


class TestLengths:
    """Each kind of request has its limits, and its words for them."""

    @staticmethod
    def seconds(count: float) -> bytes:
        return wav_bytes(np.zeros(int(count * 16_000), dtype=np.float32))

    def test_of_a_phrase(self, by_phrase: Speakers) -> None:
        profile_id = by_phrase.new()
        for audio, message in (
            (self.seconds(0.5), "Minimum allowed length is 1 second(s). The recording has 0.50 seconds."),
            (self.seconds(10.5), "Maximum allowed length is 10 seconds. The recording has 10.50 seconds."),
        ):
            assert refusal(by_phrase.enroll(profile_id, audio)) == (
                400,
                "InvalidRequest",
                f"Invalid audio length. {message}",
            )

    def test_of_an_enrollment(self, by_voice: Speakers) -> None:
        profile_id = by_voice.new()
        for audio, message in (
            (self.seconds(0.5), "Minimum allowed length per enrollment request is 1 second."),
            (self.seconds(120.5), "Maximum allowed length per enrollment request is 120 seconds."),
        ):
            status, code, seen = refusal(by_voice.enroll(profile_id, audio))
            assert (status, code) == (400, "InvalidRequest")
            assert seen.startswith(f"Invalid audio length. {message} The recording has ")

    def test_of_a_recognition(self, by_voice: Speakers, to_identify: Speakers) -> None:
        one, other = by_voice.enrolled(recording(STORY)), to_identify.enrolled(recording(STORY))
        for answer in (by_voice.verify(one, self.seconds(0.5)), to_identify.identify(other, self.seconds(0.5))):
            assert refusal(answer) == (
                400,
                "InvalidRequest",
                "Invalid audio length. Minimum allowed length per recognition request is 1 second. "
                "The recording has 0.50 seconds.",
            )

    def test_of_all_enrollments_together(self, by_voice: Speakers) -> None:
        two_minutes = wav_bytes(np.tile(flite(STORY), 11)[: 110 * 16_000])
        profile_id = by_voice.enrolled(two_minutes, two_minutes)
        assert refusal(by_voice.enroll(profile_id, two_minutes)) == (
            403,
            "InvalidRequest",
            "Maximum allowed length across all profile enrollments is 300 seconds. "
            "With this recording the profile would have 330.00 seconds.",
        )


def test_noise_is_refused_with_what_was_measured(by_phrase: Speakers) -> None:
    minimum = 10 if by_phrase.generation is V2 else 2
    voice = flite(PASSPORT)
    level = float(np.sqrt(np.mean(voice**2))) * 10 ** (-(minimum - 2) / 20)
    noisy = voice + np.random.default_rng(1).normal(0, level, len(voice)).astype(np.float32)
    status, code, message = refusal(by_phrase.enroll(by_phrase.new(), wav_bytes(np.clip(noisy, -1, 1))))
    assert (status, code) == (400, "InvalidRequest")
    assert message.startswith(
        f"Audio is too noisy. The minimum allowed Signal-to-noise ratio (SNR) is {minimum}dB. The recording has "
    )


@pytest.mark.parametrize("received", ["yes", "1", "true,true"])
def test_a_flag_is_true_or_false(by_voice: Speakers, received: str) -> None:
    assert refusal(by_voice.enroll(by_voice.new(), recording(PASSPORT), f"&ignoreMinLength={received}")) == (
        400,
        "InvalidArgument",
        f'Invalid ignoreMinLength parameter value. Valid values are "true" and "false". Received "{received}".',
    )


def test_text_in_place_of_audio(by_voice: Speakers) -> None:
    status, code, message = refusal(by_voice.enroll(by_voice.new(), b"recording.wav"))
    assert (status, code) == (400, "InvalidRequest")
    assert message.startswith("Invalid audio format. Not a valid WAVE file - No RIFF header. Received ")


def test_a_profile_of_v1_is_the_same_profile(api: Client, generation: Generation) -> None:
    first = takes(PASSPORT)
    profile_id = Profiles(api, "verification").enrolled(*first)
    later = Speakers(api, generation, TEXT_DEPENDENT)
    assert later.show(profile_id)["enrollmentStatus"] == "Enrolled"
    assert later.verify(profile_id, recording(PASSPORT)).json["recognitionResult"] == "Accept"
    assert later.verify(profile_id, recording(PASSPORT, voice="rms")).json["recognitionResult"] == "Reject"


def test_an_identification_profile_of_v1_is_the_same_profile(api: Client, generation: Generation) -> None:
    profile_id = Profiles(api, "identification").enrolled(recording(STORY), query="?shortAudio=true")
    answer = Speakers(api, generation, IDENTIFICATION).identify(profile_id, recording(QUESTION))
    assert answer.json["identifiedProfile"]["profileId"] == profile_id
