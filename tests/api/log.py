"""What must not stand in the service's log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shared.domain.passphrase import EN_US_PASSPHRASES
from tests.service import RunningService
from tests.voices import OUTSIDE

_LINE: Final = re.compile(
    r"[A-Z]+ /[^\s?]* \d{3} \d+ ms|(INFO timbre\S*|WARNING timbre\.decoders) [a-z_]+( [a-z_]+=[\w.-]+)*"
)
"""How the local host writes a request, and an event of the app. The one warning: a hostile body killed a decoder."""


def check_secrets(log: str, service: RunningService, secrets: Sequence[str]) -> None:
    """Fails where the log holds one of the secrets, a phrase or a defect; on the local host also other lines."""
    requests = log if service.is_azure_host else log.partition("Timbre is ready at ")[2].partition("\n")[2]
    assert all(len(secret) > 9 for secret in secrets)
    for secret in secrets:
        assert secret not in requests
    for phrase in (*EN_US_PASSPHRASES, OUTSIDE):
        assert phrase not in log.lower()
    assert "Traceback" not in log
    assert "unexpected_error" not in log
    if not service.is_azure_host:
        assert [line for line in requests.splitlines() if not _LINE.fullmatch(line)] == []
