"""The wire format of v1.0, apart from what needs a recording (that is tried over HTTP in `tests/api`)."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime

import azure.functions as func
import pytest

from shared import config
from shared.bootstrap import Services, assemble
from shared.domain.audit import Actor, Caller, Via
from shared.domain.decision import Confidence, Decision
from shared.domain.errors import (
    IdMalformed,
    OperationNotFound,
    ParameterMissing,
    PassphraseNotHeard,
    ProfileNotEnrolled,
    ProfileNotFound,
)
from shared.domain.limits import V1_IDENTIFICATION, V1_IDENTIFICATION_ENROLL, V1_SHORT_AUDIO, V1_VERIFICATION
from shared.domain.operation import EnrollmentResult, IdentificationResult, Operation, OperationFailed
from shared.domain.passphrase import HeardPhrase
from shared.domain.profile import EnrollmentStatus, Profile, ProfileKey, ProfileKind
from shared.domain.subscription import Subscription
from shared.http import v1
from shared.http.api import Call
from shared.http.errors import SpeakerUnknown
from shared.http.v1 import V1
from shared.services.identify import Identification, RankedProfile
from shared.services.verify import Verification
from tests.unit.services.spoken import World

ID = "d7c62d70-632d-4e3d-af8b-8e5485f56dad"
CREATED = datetime(2020, 1, 29, 22, 48, 17, 7_000, tzinfo=UTC)
USED = datetime(2020, 1, 31, 0, 0, 0, tzinfo=UTC)
TDV, TII = ProfileKind.TEXT_DEPENDENT_VERIFICATION, ProfileKind.IDENTIFICATION


@pytest.fixture
def services(world: World) -> Services:
    """The real object graph on the stores in memory; no recording comes by, so no model is loaded."""
    settings = {
        "VOICE_STORAGE": "AccountName=unused;AccountKey=dW51c2Vk",
        "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(bytes(32)).decode(),
    }
    return assemble(config.read(settings), world.stores)


@pytest.fixture
def world() -> World:
    return World()


def call(services: Services, url: str = "http://127.0.0.1:7071/spid/v1.0/x", **route: str) -> Call:
    query = url.partition("?")[2]
    params = dict(pair.split("=") for pair in query.split("&")) if query else {}
    request = func.HttpRequest("POST", url, params=params, route_params=route, body=b"")
    return Call(request, Caller(Subscription("mine"), Actor(Via.PRIMARY, "request")), services, V1())


def profile(kind: ProfileKind) -> Profile:
    return Profile(
        key=ProfileKey("mine", kind, ID),
        locale="EN-us",
        created_at=CREATED,
        last_action_at=USED,
        status=EnrollmentStatus.ENROLLED,
        enrollments_count=4,
        speech_seconds=31.7249,
        audio_seconds=50.0,
        passphrase="my voice is my passport verify me" if kind is TDV else None,
        model_id="ge2e-1",
    )


def test_a_verification_profile_on_the_wire(services: Services) -> None:
    assert V1().shown(call(services), profile(TDV)).body == {
        "verificationProfileId": ID,
        "enrollmentsCount": 4,
        "remainingEnrollmentsCount": 0,
        "locale": "EN-us",
        "createdDateTime": "2020-01-29T22:48:17.007Z",
        "lastActionDateTime": "2020-01-31T00:00:00.000Z",
        "enrollmentStatus": "Enrolled",
        "expiresDateTime": None,
    }


def test_an_identification_profile_on_the_wire(services: Services) -> None:
    assert V1().shown(call(services), profile(TII)).body == {
        "identificationProfileId": ID,
        "enrollmentSpeechTime": 31.72,
        "remainingEnrollmentSpeechTime": 0.0,
        "locale": "EN-us",
        "createdDateTime": "2020-01-29T22:48:17.007Z",
        "lastActionDateTime": "2020-01-31T00:00:00.000Z",
        "enrollmentStatus": "Enrolled",
        "expiresDateTime": None,
    }


def test_an_enrollment_operation_on_the_wire() -> None:
    outcome = EnrollmentResult(EnrollmentStatus.ENROLLING, 7.926, 15.0, 15.0)
    assert v1.operation(Operation("mine", ID, CREATED, USED, outcome)).body == {
        "status": "succeeded",
        "createdDateTime": "2020-01-29T22:48:17.007Z",
        "lastActionDateTime": "2020-01-31T00:00:00.000Z",
        "processingResult": {
            "enrollmentStatus": "Enrolling",
            "remainingEnrollmentSpeechTime": 15.0,
            "speechTime": 7.93,
            "enrollmentSpeechTime": 15.0,
        },
    }


@pytest.mark.parametrize(("identified", "written"), [(ID, ID), (None, "00000000-0000-0000-0000-000000000000")])
def test_an_identification_operation_on_the_wire(identified: str | None, written: str) -> None:
    reply = v1.operation(Operation("mine", ID, CREATED, USED, IdentificationResult(identified, Confidence.HIGH)))
    assert reply.status == 200
    assert isinstance(reply.body, dict)
    assert reply.body["status"] == "succeeded"
    assert reply.body["processingResult"] == {"identifiedProfileId": written, "confidence": "High"}


def test_a_failed_operation_on_the_wire_is_still_a_200() -> None:
    reply = v1.operation(Operation("mine", ID, CREATED, USED, OperationFailed("IncompleteEnrollment: more.")))
    assert reply.status == 200
    assert reply.body == {
        "status": "failed",
        "createdDateTime": "2020-01-29T22:48:17.007Z",
        "lastActionDateTime": "2020-01-31T00:00:00.000Z",
        "message": "IncompleteEnrollment: more.",
    }


@pytest.mark.parametrize(
    ("score", "result", "confidence"),
    [(0.93456, "Accept", "High"), (0.5, "Accept", "Low"), (0.4999, "Reject", "Low"), (0.0, "Reject", "High")],
)
def test_a_verification_on_the_wire(services: Services, score: float, result: str, confidence: str) -> None:
    heard = HeardPhrase("my name is unknown to you", -10.0, recognised=True)
    reply = V1().verified(call(services), lambda: Verification(Decision(score), heard))
    assert reply.body == {
        "result": result,
        "confidence": confidence,
        "phrase": "my name is unknown to you",
        "score": round(score, 4),
    }


def test_an_unrecognised_phrase_is_a_bad_request(services: Services) -> None:
    heard = HeardPhrase("my name is unknown to you", -90.0, recognised=False)
    with pytest.raises(PassphraseNotHeard, match="The nearest was"):
        V1().verified(call(services), lambda: Verification(Decision(0.0), heard))


def test_a_profile_that_a_parameter_names_is_unknown_rather_than_not_found(services: Services) -> None:
    def work() -> Verification:
        raise ProfileNotFound(ID)

    with pytest.raises(SpeakerUnknown, match=ID):
        V1().verified(call(services), work)


def test_an_identification_becomes_an_operation_that_can_be_asked_for(services: Services) -> None:
    result = Identification([RankedProfile(ID, Decision(0.85))])
    reply = V1().identified(call(services), lambda: result)
    assert (reply.status, reply.body) == (202, None)
    address, _, operation_id = reply.headers["Operation-Location"].rpartition("/")
    assert address == "http://127.0.0.1:7071/spid/v1.0/operations"
    assert services.operations.get("mine", operation_id).outcome == IdentificationResult(ID, Confidence.NORMAL)


def test_an_operation_belongs_to_its_subscription(services: Services) -> None:
    reply = V1().identified(call(services), lambda: Identification([RankedProfile(ID, Decision(0.9))]))
    with pytest.raises(OperationNotFound):
        services.operations.get("yours", reply.headers["Operation-Location"].rpartition("/")[2])


def test_a_candidate_that_is_not_enrolled_fails_the_operation(services: Services) -> None:
    def work() -> Identification:
        raise ProfileNotEnrolled(ID, "more speech")

    reply = V1().identified(call(services), work)
    outcome = services.operations.get("mine", reply.headers["Operation-Location"].rpartition("/")[2]).outcome
    assert isinstance(outcome, OperationFailed)
    assert outcome.message.startswith("IncompleteEnrollment: ")


def test_behind_a_gateway_the_public_address_is_given(services: Services) -> None:
    public = replace(services, config=replace(services.config, public_url="https://voice.example.com/api"))
    reply = V1().identified(call(public), lambda: Identification([RankedProfile(ID, Decision(0.9))]))
    assert reply.headers["Operation-Location"].startswith("https://voice.example.com/api/spid/v1.0/operations/")


@pytest.mark.parametrize(
    ("collection", "kind"),
    [("verificationProfiles", TDV), ("identificationProfiles", TII), ("VERIFICATIONPROFILES", TDV)],
)
def test_the_path_names_the_kind_and_the_profile(services: Services, collection: str, kind: ProfileKind) -> None:
    asked = call(services, collection=collection, profileId=ID.upper())
    assert V1().profile_key(asked) == ProfileKey("mine", kind, ID)


def test_a_path_with_a_malformed_id_is_refused(services: Services) -> None:
    with pytest.raises(IdMalformed):
        V1().profile_key(call(services, collection="verificationProfiles", profileId="42"))


def test_verify_needs_to_know_whom(services: Services) -> None:
    assert V1().verify_target(call(services, f"http://x/?verificationProfileId={ID}")).profile_id == ID
    with pytest.raises(ParameterMissing, match="verificationProfileId"):
        V1().verify_target(call(services))


def test_identify_needs_candidates(services: Services) -> None:
    asked = call(services, f"http://x/?identificationProfileIds={ID},{ID.upper()},")
    assert V1().candidates(asked) == [ID, ID]
    with pytest.raises(ParameterMissing, match="identificationProfileIds"):
        V1().candidates(call(services))


def test_short_audio_relaxes_the_rules(services: Services) -> None:
    short, long = call(services, "http://x/?shortAudio=True"), call(services, "http://x/?shortAudio=False")
    assert V1().identify_rules(short) == V1_SHORT_AUDIO
    assert V1().identify_rules(long) == V1_IDENTIFICATION
    relaxed, strict = V1().speech_enroll_rules(short), V1().speech_enroll_rules(long)
    assert (relaxed.audio, relaxed.at_once) == (V1_SHORT_AUDIO, True)
    assert (strict.audio, strict.at_once) == (V1_IDENTIFICATION_ENROLL, False)
    assert strict.needed_speech_seconds == 30.0
    assert V1().verify_rules(long, TDV) == V1_VERIFICATION
