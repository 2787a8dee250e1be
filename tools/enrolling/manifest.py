"""Who is to be enrolled with which recordings: a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NEEDED: Final = ("path", "speaker")
OPTIONAL: Final = ("profile_id", "locale", "consent_statement")
"""Fields of a speaker."""
DEFAULT_LOCALE: Final = "en-US"


class ManifestRefused(Exception):
    """Every line at fault, with its number."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Recording:
    """``name`` is the path as the manifest says it: what reports and the journal call it."""

    name: str
    file: Path


@dataclass
class Speaker:
    """``profile_id`` None: a profile is made."""

    name: str = field(repr=False)
    profile_id: str | None
    locale: str
    consent_statement: str | None
    recordings: list[Recording] = field(default_factory=list)


def read_manifest(file: Path) -> list[Speaker]:
    """In the order of their first lines; paths are relative to the manifest. Raises ``ManifestRefused``, ``OSError``.

    A speaker may have the optional columns in its first line only; later lines must not say otherwise.
    """
    speakers: dict[str, Speaker] = {}
    problems: list[str] = []
    seen: set[str] = set()
    for number, line in _lines(file):
        name, path = line["speaker"], line["path"]
        if not name or not path:
            problems.append(f"line {number}: path and speaker must be said")
            continue
        if path in seen:
            problems.append(f"line {number}: {path} stands there before")
            continue
        seen.add(path)
        recording = Recording(path, file.parent / path)
        if not recording.file.is_file():
            problems.append(f"line {number}: there is no file {path}")
        speaker = speakers.setdefault(name, _speaker(line))
        if any(line[column] and line[column] != getattr(speaker, column) for column in OPTIONAL):
            problems.append(
                f"line {number}: profile_id, locale or consent_statement differ from the speaker's first line"
            )
        speaker.recordings.append(recording)
    given = [one.profile_id for one in speakers.values() if one.profile_id]
    if len(given) != len(set(given)):
        problems.append("two speakers have the same profile_id")
    if problems:
        raise ManifestRefused(problems)
    return list(speakers.values())


def _lines(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        columns = set(reader.fieldnames or ())
        known = {*NEEDED, *OPTIONAL}
        if not columns >= set(NEEDED) or columns - known:
            raise ManifestRefused(
                [f"the first line must name the columns: {', '.join(NEEDED)}, and may name: {', '.join(OPTIONAL)}"]
            )
        for row in reader:
            yield reader.line_num, {column: (row.get(column) or "").strip() for column in known}


def _speaker(line: dict[str, str]) -> Speaker:
    return Speaker(
        line["speaker"],
        line["profile_id"].lower() or None,
        line["locale"] or DEFAULT_LOCALE,
        line["consent_statement"] or None,
    )
