"""What the service prints holds no secret: of one request here, of all requests at the end (``log_at_the_end``)."""

from __future__ import annotations

import pytest

from tests.api.client import Client, Profiles
from tests.api.log import check_secrets
from tests.service import RunningService
from tests.voices import HOUSTON, OUTSIDE, PASSPORT, recording, takes


def test_a_verify_leaves_a_line_and_no_secret(service: RunningService, api: Client, verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    for audio in (recording(PASSPORT), recording(HOUSTON), recording(OUTSIDE), b"not audio"):
        api.post(f"/verify?verificationProfileId={profile_id}&marker=seen-in-a-query", audio)
    Client(api.url, "a-wrong-key").get("/verificationProfiles")

    log = service.log.read_text(encoding="utf-8")

    check_secrets(log, service, ("a-wrong-key", "seen-in-a-query"))
    if service.is_azure_host:
        assert "recognition_measured operation=verify" in log
    else:
        assert "/spid/v1.0/verify 200" in log


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("GET /spid/v1.0/verify?a=b 200 5 ms", marks=pytest.mark.local_host("this is how it writes")),
        "INFO timbre.recognition my voice is my passport verify me",
        "ERROR timbre.http unexpected_error type=ValueError at=x:1",
        "Traceback (most recent call last):",
        "INFO timbre.keys opened key=a-wrong-key",
    ],
)
def test_a_line_that_must_not_be_there_is_found(service: RunningService, line: str) -> None:
    with pytest.raises(AssertionError):
        check_secrets(f"Timbre is ready at x \n{line}\n", service, ("a-wrong-key",))
