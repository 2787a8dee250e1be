"""Every call of Microsoft's JavaScript SDK, unmodified: 1.20.0 speaks 2021-09-05, 1.17.0 speaks v2.0."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE, EN_US_PASSPHRASES
from tests.api.operator import Operator
from tests.clients.conftest import Connect
from tests.clients.sdk import IDENTIFICATION, KINDS, TEXT_DEPENDENT, TEXT_INDEPENDENT, Sdk
from tests.service import RunningService
from tests.voices import GERMAN, OTHER_GERMAN, recording

NOBODY = "00000000-0000-0000-0000-000000000000"
UNKNOWN = "11111111-2222-3333-4444-555555555555"
NOT_AUTHORIZED = "Request is not authorized. Make sure subscription key is included and valid."


def takes(samples: Path, *numbers: int) -> list[Path]:
    return [samples / f"passphrase-{number}.wav" for number in numbers]


def test_pass_phrases(sdk: Sdk) -> None:
    assert sdk("phrases", TEXT_DEPENDENT, "en-US").phrases == list(EN_US_PASSPHRASES)


@pytest.mark.parametrize("kind", [TEXT_INDEPENDENT, IDENTIFICATION])
def test_activation_phrases(connect: Connect, service: RunningService, kind: str) -> None:
    owner = Operator(service.url, service.management_key).customer()
    assert owner.settings({"activationPhrases": {"de-DE": ["Ja, ich bin's."]}}).status == 200
    with connect("1.20", owner.primary.key) as sdk:
        assert sdk("phrases", kind, "en-us").phrases == list(ACTIVATION_PHRASES_BY_LOCALE["en-US"])
        assert sdk("phrases", kind, "de-DE").phrases == ["Ja, ich bin's."]
        assert sdk("phrases", kind, "fr-FR").phrases == []


def test_a_german_phrase_of_the_speakers_own(sdk: Sdk, tmp_path: Path) -> None:
    assert sdk("phrases", TEXT_DEPENDENT, "de-DE").phrases == []
    files: list[Path] = []
    for text, pace in ((GERMAN, 0.94), (GERMAN, 1.0), (GERMAN, 1.06), (GERMAN, 1.03), (OTHER_GERMAN, 1.0)):
        files.append(tmp_path / f"{len(files)}.wav")
        files[-1].write_bytes(recording(text, "pico.de", pace))
    profile = sdk.create(TEXT_DEPENDENT, "de-DE")
    outcomes = [sdk("enroll", profile, str(file)) for file in files[:3]]
    assert [one.reason for one in outcomes] == ["EnrollingVoiceProfile"] * 2 + ["EnrolledVoiceProfile"]
    assert sdk("verify", profile, str(files[3])).reason == "RecognizedSpeaker"
    assert sdk("verify", profile, str(files[4])).reason == "NoMatch"


@pytest.mark.parametrize("kind", KINDS)
def test_a_profile_is_made_asked_for_listed_reset_and_deleted(sdk: Sdk, samples: Path, kind: str) -> None:
    profile = sdk.create(kind)
    shown = sdk("get", profile)
    assert (shown.reason, shown.details["profileId"]) == ("EnrollingVoiceProfile", profile[0])
    listed = sdk("list", kind)
    assert profile[0] in {one["details"]["profileId"] for one in listed.profiles}
    assert {one["reason"] for one in listed.profiles} <= {"EnrollingVoiceProfile", "EnrolledVoiceProfile"}
    assert sdk("enroll", profile, str(takes(samples, 1)[0])).reason != "Canceled"
    assert sdk("get", profile).details["enrollmentsCount"] == 1
    assert sdk("reset", profile).reason == "ResetVoiceProfile"
    assert sdk("get", profile).details["enrollmentsCount"] == 0
    assert sdk("delete", profile).reason == "DeletedVoiceProfile"
    assert sdk("get", profile).reason == "Canceled"


def test_three_recordings_of_a_phrase_enroll_a_text_dependent_profile(sdk: Sdk, samples: Path) -> None:
    profile = sdk.create(TEXT_DEPENDENT)
    outcomes = [sdk("enroll", profile, str(take)) for take in takes(samples, 1, 2, 3)]
    assert [one.reason for one in outcomes] == ["EnrollingVoiceProfile"] * 2 + ["EnrolledVoiceProfile"]
    assert [one.details["remainingEnrollmentsCount"] for one in outcomes] == [2, 1, 0]
    assert outcomes[2].details["passPhrase"] == "my voice is my passport verify me"


def test_a_text_dependent_profile_wants_voice_and_phrase(sdk: Sdk, samples: Path) -> None:
    profile = sdk.enrolled(TEXT_DEPENDENT, *takes(samples, 1, 2, 3))
    right, voice, phrase = (
        sdk("verify", profile, str(samples / name))
        for name in ("passphrase-4.wav", "other-speaker.wav", "other-phrase.wav")
    )
    assert (right.reason, right.profileId) == ("RecognizedSpeaker", profile[0])
    assert (voice.reason, phrase.reason) == ("NoMatch", "NoMatch")
    assert right.score is not None
    assert voice.score is not None
    assert voice.score < 0.5 <= right.score
    assert phrase.score == 0


def test_a_text_independent_profile_wants_the_voice_alone(sdk: Sdk, samples: Path) -> None:
    profile = sdk.enrolled(TEXT_INDEPENDENT, *takes(samples, 1, 2))
    assert sdk("verify", profile, str(samples / "other-phrase.wav")).reason == "RecognizedSpeaker"
    assert sdk("verify", profile, str(samples / "other-speaker.wav")).reason == "NoMatch"


def test_identification_names_the_speaker(sdk: Sdk, samples: Path) -> None:
    one = sdk.enrolled(IDENTIFICATION, *takes(samples, 1, 2))
    other = sdk.enrolled(IDENTIFICATION, samples / "other-speaker.wav")
    found = sdk("identify", [other, one], str(samples / "passphrase-4.wav"))
    assert (found.reason, found.profileId) == ("RecognizedSpeaker", one[0])


@pytest.mark.parametrize("version", ["1.20", "1.17"])
def test_a_token_in_the_place_of_the_key_verifies_its_profile_once(
    connect: Connect, service: RunningService, samples: Path, version: str
) -> None:
    owner, take = Operator(service.url, service.management_key).customer().primary, str(samples / "passphrase-4.wav")
    with connect(version, owner.key) as sdk:
        profile = sdk.enrolled(TEXT_DEPENDENT, *takes(samples, 1, 2, 3))
    asked = {"operations": ["verify"], "profileId": profile[0], "uses": 1}
    with connect(version, owner.send("POST", "/tokens", asked).json["token"]) as kiosk:
        assert kiosk("delete", profile).reason == "Canceled"
        assert kiosk("verify", profile, take).reason == "RecognizedSpeaker"
        assert NOT_AUTHORIZED in str(kiosk("verify", profile, take))


def test_a_stranger_is_nobody(sdk: Sdk, samples: Path) -> None:
    profile = sdk.enrolled(IDENTIFICATION, *takes(samples, 1, 2))
    found = sdk("identify", [profile], str(samples / "other-speaker.wav"))
    assert (found.reason, found.profileId) == ("RecognizedSpeaker", NOBODY)
    assert found.score is not None
    assert found.score < 0.5


@pytest.mark.local_host("Azure's host answers paths that begin with two slashes itself: 404 without a body")
def test_an_endpoint_url_that_ends_with_a_slash_works(connect: Connect, samples: Path) -> None:
    """``fromEndpoint`` puts a second slash behind it (contract, fact 6)."""
    with connect("1.20", how="endpoint") as sdk:
        profile = sdk.enrolled(TEXT_DEPENDENT, *takes(samples, 1, 2, 3))
        assert sdk("verify", profile, str(takes(samples, 4)[0])).reason == "RecognizedSpeaker"


def test_real_takes_enroll_and_verify(sdk: Sdk, speech: Path, tmp_path: Path) -> None:
    *enrolling, last = (
        wav(speech / f"ms-samples/ms-passport/myVoiceIsMyPassportVerifyMe0{number}.flac", tmp_path)
        for number in (1, 2, 3, 4)
    )
    profile = sdk.enrolled(TEXT_DEPENDENT, *enrolling)
    assert sdk("verify", profile, str(last)).reason == "RecognizedSpeaker"
    stranger = wav(speech / "ms-samples/ms-steve/enrollment_audio_steve.flac", tmp_path, seconds=8)
    assert sdk("verify", profile, str(stranger)).reason == "NoMatch"


def wav(flac: Path, folder: Path, seconds: float | None = None) -> Path:
    samples, rate = soundfile.read(flac, dtype="int16")
    made = folder / f"{flac.stem}.wav"
    soundfile.write(made, samples[: int(seconds * rate) if seconds else None], rate)
    return made


class TestWhatAUserSees:
    """1.20 shows the service's message everywhere. 1.17 shows it at verify and identify only: elsewhere it takes the
    reason phrase of the response, which its HTTP library for Node loses; the outcome is ``Canceled`` all the same."""

    def test_wrong_key(self, connect: Connect, samples: Path) -> None:
        with connect("1.20", key="wrong") as sdk:
            assert sdk("enroll", (UNKNOWN, TEXT_DEPENDENT), str(takes(samples, 1)[0])).errorDetails == NOT_AUTHORIZED
            assert sdk("phrases", TEXT_DEPENDENT, "en-us").errorDetails == NOT_AUTHORIZED
            assert sdk("create", TEXT_DEPENDENT, "en-us").thrown == (
                f"createProfileAsync failed with code: 401, message: {NOT_AUTHORIZED}"
            )

    def test_wrong_key_at_verify(self, connect: Connect, sdk: Sdk, samples: Path) -> None:
        with connect(sdk.version, key="wrong") as stranger:
            refused = stranger("verify", (UNKNOWN, TEXT_DEPENDENT), str(takes(samples, 1)[0]))
        assert (refused.reason, refused.errorDetails) == ("Canceled", NOT_AUTHORIZED)

    def test_wrong_phrase(self, sdk: Sdk, samples: Path) -> None:
        profile = sdk.enrolled(TEXT_DEPENDENT, *takes(samples, 1))
        refused = sdk("enroll", profile, str(samples / "other-phrase.wav"))
        assert refused.reason == "Canceled"
        assert refused.errorDetails == shown(
            sdk,
            'Invalid passphrase. The profile is bound to the phrase "my voice is my passport verify me". '
            'Heard "houston we have had a problem".',
        )

    def test_unknown_profile(self, sdk: Sdk, samples: Path) -> None:
        missing = f"Requested profile doesn't exist: {UNKNOWN}."
        for name in ("get", "reset"):
            refused = sdk(name, (UNKNOWN, TEXT_INDEPENDENT))
            assert refused.reason == "Canceled"
            assert refused.errorDetails == shown(sdk, missing)
        take = str(takes(samples, 1)[0])
        assert sdk("verify", (UNKNOWN, TEXT_INDEPENDENT), take).errorDetails == missing
        assert sdk("identify", [(UNKNOWN, IDENTIFICATION)], take).errorDetails == missing

    def test_deleting_an_unknown_profile(self, sdk: Sdk) -> None:
        """v2.0 knows no 404 here; in 2021-09-05 the SDK does not read the body and shows the reason phrase."""
        outcome = sdk("delete", (UNKNOWN, IDENTIFICATION))
        seen = {"1.20": ("Canceled", "Not Found"), "1.17": ("DeletedVoiceProfile", None)}[sdk.version]
        assert (outcome.reason, outcome.errorDetails or None) == seen

    def test_not_enrolled(self, sdk: Sdk, samples: Path) -> None:
        profile = sdk.enrolled(TEXT_DEPENDENT, *takes(samples, 1))
        refused = sdk("verify", profile, str(takes(samples, 4)[0]))
        assert refused.errorDetails == (
            f"Profile is not enrolled. Profile {profile[0]} still needs 2 more recording(s) of the phrase."
        )


def shown(sdk: Sdk, message: str) -> str:
    """What becomes of the service's message outside verify and identify."""
    return message if sdk.version == "1.20" else ""
