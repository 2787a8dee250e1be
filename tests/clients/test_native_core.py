"""Every call of the native core (C#, Java, Objective-C, Go, C++ apps), unmodified, over 2021-09-05.

The core connects to port 80 whatever port its host URL has (contract, fact 19), so the service has to listen there.
"""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE, EN_US_PASSPHRASES
from tests.clients.sdk import IDENTIFICATION, KINDS, TEXT_DEPENDENT, TEXT_INDEPENDENT, Sdk, running_sdk
from tests.service import RunningService, running_service

NOBODY = "00000000-0000-0000-0000-000000000000"
UNKNOWN = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def at_port_80(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    if importlib.util.find_spec("azure.cognitiveservices.speech") is None:
        pytest.skip("needs azure-cognitiveservices-speech, of which there is no wheel for this machine")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 80))
        except OSError as error:
            pytest.skip(f"the native core needs port 80, which cannot be listened on here: {error}")
    with running_service(tmp_path_factory.mktemp("native") / "service.log", "--ephemeral", "--port", "80") as running:
        yield running


@pytest.fixture(scope="module")
def native(at_port_80: RunningService) -> Iterator[Sdk]:
    with running_sdk("native", "http://127.0.0.1", at_port_80.key) as started:
        yield started


@pytest.fixture(scope="module")
def long(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """27 s of speech by the speaker of the passphrases: the core gives no way to ask for ``ignoreMinLength``."""
    return repeated(samples, [1, 2, 3] * 3, tmp_path_factory.mktemp("long"))


def repeated(samples: Path, numbers: list[int], folder: Path) -> Path:
    joined = np.concatenate(
        [soundfile.read(samples / f"passphrase-{number}.wav", dtype="int16")[0] for number in numbers]
    )
    file = folder / "joined.wav"
    soundfile.write(file, joined, 16_000)
    return file


def test_phrases(native: Sdk) -> None:
    assert native("phrases", TEXT_DEPENDENT, "en-us").phrases == list(EN_US_PASSPHRASES)
    assert native("phrases", IDENTIFICATION, "en-us").phrases == list(ACTIVATION_PHRASES_BY_LOCALE["en-US"])


@pytest.mark.parametrize("kind", KINDS)
def test_create_get_list_reset_delete(native: Sdk, kind: str) -> None:
    profile = native.create(kind)
    assert native("get", profile).details["profileId"] == profile[0]
    assert profile[0] in [one["details"]["profileId"] for one in native("list", kind).profiles]
    assert native("reset", profile).reason == "ResetVoiceProfile"
    assert native("delete", profile).reason == "DeletedVoiceProfile"
    assert native("get", profile).reason == "Canceled"


def test_text_dependent_verification(native: Sdk, samples: Path) -> None:
    profile = native.create(TEXT_DEPENDENT)
    outcomes = [native("enroll", profile, str(samples / f"passphrase-{number}.wav")) for number in (1, 2, 3)]
    assert [one.reason for one in outcomes] == ["EnrollingVoiceProfile"] * 2 + ["EnrolledVoiceProfile"]
    assert outcomes[2].details["enrollmentsCount"] == "3"
    right, voice, phrase = (
        native("verify", profile, str(samples / name))
        for name in ("passphrase-4.wav", "other-speaker.wav", "other-phrase.wav")
    )
    assert (right.reason, right.profileId) == ("RecognizedSpeaker", profile[0])
    assert right.score is not None
    assert right.score >= 0.5
    assert (voice.reason, phrase.reason) == ("NoMatch", "NoMatch")


def test_text_independent_verification(native: Sdk, samples: Path, long: Path, tmp_path: Path) -> None:
    profile = native.enrolled(TEXT_INDEPENDENT, long)
    assert native("get", profile).reason == "EnrolledVoiceProfile"
    assert native("verify", profile, str(repeated(samples, [4, 4], tmp_path))).reason == "RecognizedSpeaker"


def test_identification(native: Sdk, samples: Path, long: Path, tmp_path: Path) -> None:
    one = native.enrolled(IDENTIFICATION, long)
    other = native.enrolled(IDENTIFICATION, slowed(samples / "other-speaker.wav", tmp_path))
    sample = repeated(samples, [4, 4], tmp_path)
    found = native("identify", [one, other], str(sample))
    assert (found.reason, found.profileId) == ("RecognizedSpeakers", one[0])
    # To the SDK nobody is a recognised speaker, too: the zero GUID tells.
    nobody = native("identify", [other], str(sample))
    assert (nobody.reason, nobody.profileId) == ("RecognizedSpeakers", NOBODY)


def slowed(file: Path, folder: Path) -> Path:
    """Long enough to enroll: the recording nine times over."""
    samples, rate = soundfile.read(file, dtype="int16")
    made = folder / "other.wav"
    soundfile.write(made, np.tile(samples, 9), rate)
    return made


class TestWhatAUserSees:
    """The service's message stands between the core's own words; of a 401 the core shows none of ours."""

    def test_wrong_key(self, at_port_80: RunningService, samples: Path) -> None:
        with running_sdk("native", "http://127.0.0.1", "wrong") as stranger:
            refused = stranger("enroll", (UNKNOWN, TEXT_DEPENDENT), str(samples / "passphrase-1.wav"))
            thrown = stranger("create", TEXT_DEPENDENT, "en-us").thrown
        message = "Request is not authorized. Make sure subscription key is included and valid."
        assert refused.errorDetails == (
            "Authentication error (401). Please check subscription information and region name."
        )
        assert thrown is not None
        assert thrown.startswith("Failed with HTTP 401")
        assert message in thrown

    def test_wrong_phrase(self, native: Sdk, samples: Path) -> None:
        profile = native.enrolled(TEXT_DEPENDENT, samples / "passphrase-1.wav")
        refused = native("enroll", profile, str(samples / "other-phrase.wav"))
        assert refused.errorDetails is not None
        assert refused.errorDetails.startswith(
            "Bad request (400). Error details: Invalid passphrase. The profile is bound to the phrase "
            '"my voice is my passport verify me". Heard "houston we have had a problem". '
        )

    def test_unknown_profile(self, native: Sdk, samples: Path) -> None:
        for refused in (
            native("get", (UNKNOWN, TEXT_DEPENDENT)),
            native("enroll", (UNKNOWN, TEXT_DEPENDENT), str(samples / "passphrase-1.wav")),
            native("identify", [(UNKNOWN, IDENTIFICATION)], str(samples / "passphrase-1.wav")),
        ):
            assert refused.reason == "Canceled"
            assert refused.errorDetails is not None
            assert f"Requested profile doesn't exist: {UNKNOWN}." in refused.errorDetails
