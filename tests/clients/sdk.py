"""Microsoft's Speech SDK in a process of its own, one call at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent

TEXT_DEPENDENT = "TextDependentVerification"
TEXT_INDEPENDENT = "TextIndependentVerification"
IDENTIFICATION = "TextIndependentIdentification"
KINDS = (TEXT_DEPENDENT, TEXT_INDEPENDENT, IDENTIFICATION)

Profile = tuple[str, str]
"""Id and kind: all that the SDK needs to name a profile, also one that it did not create."""


@dataclass(frozen=True)
class Outcome:
    """What an app sees of a call. ``thrown`` is the message of the exception that it got in place of a result."""

    reason: str | None = None
    errorDetails: str | None = None  # noqa: N815  the SDK's names
    details: dict[str, Any] = field(default_factory=dict)
    profileId: str | None = None  # noqa: N815
    score: float | None = None
    phrases: Sequence[str] = ()
    profiles: Sequence[dict[str, Any]] = ()
    thrown: str | None = None


@dataclass(frozen=True)
class Sdk:
    """``version`` is 1.20 (JavaScript, 2021-09-05), 1.17 (JavaScript, v2.0) or native (2021-09-05)."""

    version: str
    process: subprocess.Popen[str]

    def __call__(self, name: str, *arguments: object) -> Outcome:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([name, *arguments]), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        assert answer, "the SDK's process has ended"
        return Outcome(**json.loads(answer))

    def create(self, kind: str, locale: str = "en-us") -> Profile:
        created = self("create", kind, locale)
        assert created.thrown is None
        assert created.profileId is not None
        return created.profileId, kind

    def enrolled(self, kind: str, *recordings: Path) -> Profile:
        """A new profile with these enrollments."""
        profile = self.create(kind)
        for recording in recordings:
            outcome = self("enroll", profile, str(recording))
            assert outcome.reason in ("EnrolledVoiceProfile", "EnrollingVoiceProfile"), outcome
        return profile


@contextmanager
def running_sdk(version: str, url: str, key: str, how: str = "host") -> Iterator[Sdk]:
    """``how`` is for JavaScript 1.20: ``host`` or ``endpoint``, the two ways to name a service."""
    if version == "native":
        command = [sys.executable, str(FOLDER / "native.py"), url, key]
    else:
        command = ["node", str(FOLDER / "driver.cjs"), version, url, key, how]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Sdk(version, process)
    finally:
        process.communicate(timeout=30)
