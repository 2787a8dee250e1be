"""v1.0 as Microsoft's Python scripts call it: every upload is chunked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.v1_client import CallFailed, PythonScripts
from tests.service import RunningService


@pytest.fixture
def scripts(service: RunningService) -> PythonScripts:
    return PythonScripts(service.url, service.key)


@pytest.fixture
def take(samples: Path) -> list[bytes]:
    return [(samples / f"passphrase-{number}.wav").read_bytes() for number in range(1, 5)]


def test_enroll_and_verify(scripts: PythonScripts, take: list[bytes], samples: Path) -> None:
    profile_id = scripts.create("verification")
    enrolled = [scripts.enroll_verification(profile_id, recording) for recording in take[:3]]
    assert [answer["remainingEnrollments"] for answer in enrolled] == [2, 1, 0]
    assert enrolled[-1]["enrollmentStatus"] == "Enrolled"
    own = scripts.verify(profile_id, take[3])
    assert (own["result"], own["phrase"]) == ("Accept", "my voice is my passport verify me")
    assert scripts.verify(profile_id, (samples / "other-speaker.wav").read_bytes())["result"] == "Reject"
    scripts.delete("verification", profile_id)


def test_enroll_and_identify(scripts: PythonScripts, take: list[bytes], samples: Path) -> None:
    speaker, other = scripts.create("identification"), scripts.create("identification")
    assert scripts.enroll_identification(speaker, take[0])["enrollmentStatus"] == "Enrolled"
    assert scripts.enroll_identification(other, (samples / "other-speaker.wav").read_bytes())["speechTime"] > 1.0
    assert scripts.identify([other, speaker], take[3])["identifiedProfileId"] == speaker


def test_an_upload_of_nothing_is_refused_by_name(scripts: PythonScripts) -> None:
    with pytest.raises(CallFailed, match=r"400 .*Request body is missing"):
        scripts.enroll_verification(scripts.create("verification"), b"")
