"""What has been done, so that an interrupted run goes on: a file beside the manifest, a line for each step.

A step that the service may have taken although its answer was lost stands there *before* it is tried, with what makes
it possible to find out: the number of enrollments before a recording was sent.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self


class JournalRefused(Exception):
    """The journal is of another service or kind, or is none."""


@dataclass(frozen=True)
class Refusal:
    status: int
    code: str
    message: str


@dataclass
class Known:
    """What the lines so far say. ``tried``: recordings without an outcome, and the profile's enrollments before."""

    profiles: dict[str, str] = field(default_factory=dict, repr=False)
    creating: set[str] = field(default_factory=set, repr=False)
    consented: set[str] = field(default_factory=set, repr=False)
    enrolled: set[str] = field(default_factory=set)
    refused: dict[str, Refusal] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)

    def take(self, line: dict[str, object]) -> None:
        match line:
            case {"creating": str(speaker)}:
                self.creating.add(speaker)
            case {"speaker": str(speaker), "profile": str(profile_id)}:
                self.profiles[speaker] = profile_id
                self.creating.discard(speaker)
            case {"consented": str(speaker)}:
                self.consented.add(speaker)
            case {"trying": str(name), "enrollments": int(before)}:
                self.tried[name] = before
            case {"enrolled": str(name)}:
                self.enrolled.add(name)
                self.refused.pop(name, None)
                self.tried.pop(name, None)
            case {"refused": str(name), "status": int(status), "code": str(code), "message": str(message)}:
                self.refused[name] = Refusal(status, code, message)
                self.tried.pop(name, None)


class Journal:
    """Safe to share between threads; each line is on the disk before the call returns. One process at a time."""

    def __init__(self, file: Path, url: str, kind: str) -> None:
        """Raises ``JournalRefused``, ``OSError``."""
        self.known = Known()
        self._lock = Lock()
        head = {"url": url.rstrip("/"), "kind": kind}
        whole = _read(file, head, self.known)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, whole)  # half a line of a process that was killed would spoil the next
        os.lseek(descriptor, 0, os.SEEK_END)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        if not whole:
            self.write(head)

    def write(self, line: dict[str, object] | dict[str, str]) -> None:
        with self._lock:
            self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            os.fsync(self._file.fileno())
            self.known.take(dict(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()


def _read(file: Path, head: dict[str, str], known: Known) -> int:
    """Take the whole lines into ``known``; how many bytes they are."""
    content = file.read_bytes() if file.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if not whole:
        return 0
    try:
        first, *others = [json.loads(line) for line in whole.splitlines()]
    except ValueError:
        raise JournalRefused(f"{file} is no journal of this tool.") from None
    if first != head:
        raise JournalRefused(f"{file} is of another service or kind: move it away to begin anew.")
    for line in others:
        known.take(line)
    return len(whole)
