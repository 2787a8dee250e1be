"""The examples of docs/management.md run as printed."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from shared.domain import limits
from shared.domain.audit import MANAGEMENT, TIMER, AuditAction, AuditOutcome, via_key
from shared.storage.subscriptions import LOOK_UP_SECONDS
from tests.service import REPOSITORY, RunningService

TEXT = (REPOSITORY / "docs" / "management.md").read_text(encoding="utf-8")


def test_the_examples_run_as_printed(service: RunningService) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    examples = re.findall(r"^```bash\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(examples) == 7
    script = "set -euo pipefail\n" + "".join(examples).replace("http://127.0.0.1:7071", service.url)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [('"keys"' in line, '"state":"deleting"' in line) for line in (lines[0], lines[-1])] == [
        (True, False),
        (False, True),
    ]
    assert '"verification":0.7' in done.stdout
    assert '"action":"settings.change"' in done.stdout
    assert '"slot":"secondary"' in done.stdout
    assert '"name":"kiosk","role":"recognise"' in done.stdout


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"**{LOOK_UP_SECONDS:.0f} seconds**" in TEXT
    for said in (
        f"1 to {limits.MAX_PASSPHRASES} phrases of {limits.MIN_PASSPHRASE_WORDS} to {limits.MAX_PASSPHRASE_WORDS}",
        f"1 to {limits.MAX_PAGE}, default {limits.DEFAULT_PAGE}",
    ):
        assert said in TEXT, said


def test_every_action_outcome_and_caller_is_named() -> None:
    for name in (*AuditAction, *AuditOutcome, MANAGEMENT, TIMER, via_key("")):
        assert f"`{name}" in TEXT, name
