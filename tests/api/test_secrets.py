"""Runs last: what the service has printed over all of these tests holds nothing that it must not."""

from __future__ import annotations

import re

from localhost.azurite import Azurite
from shared.domain.passphrase import EN_US_PASSPHRASES
from tests.api.client import Client, Profiles
from tests.service import RunningService
from tests.voices import HOUSTON, OUTSIDE, PASSPORT, recording, takes


def test_the_log_has_one_line_a_request_and_no_secret(
    service: RunningService, azurite: Azurite, api: Client, verification: Profiles
) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT))
    for audio in (recording(PASSPORT), recording(HOUSTON), recording(OUTSIDE), b"not audio"):
        api.post(f"/verify?verificationProfileId={profile_id}&marker=seen-in-a-query", audio)
    Client(api.url, "a-wrong-key").get("/verificationProfiles")

    log = service.log.read_text(encoding="utf-8")
    requests = log if service.is_azure_host else log.partition("Timbre is ready at ")[2].partition("\n")[2]
    storage_key = azurite.connection_string.partition("AccountKey=")[2].partition(";")[0]
    assert len(storage_key) > 20
    for secret in (service.key, service.management_key, "a-wrong-key", storage_key):
        assert secret not in requests
    for phrase in (*EN_US_PASSPHRASES, OUTSIDE):
        assert phrase not in log.lower()
    assert "seen-in-a-query" not in log
    assert "Traceback" not in log
    assert "unexpected_error" not in log
    if service.is_azure_host:
        assert "recognition_measured operation=verify" in log
        return  # the rest is how the local host writes
    assert "/spid/v1.0/verify 200" in requests
    assert "?" not in requests
    # Each request; and what the app tells, which the packaged service shows from INFO on. No error, and no warning but
    # of a decoder that a hostile body of another test has killed.
    line = re.compile(r"[A-Z]+ /\S* \d{3} \d+ ms|(INFO timbre\S*|WARNING timbre\.decoders) [a-z_]+( [a-z_]+=[\w.-]+)*")
    assert [one for one in requests.splitlines() if not line.fullmatch(one)] == []
