"""The list of a site's labelled recordings: a CSV file with the columns path and speaker, and some that may be absent.

``session`` (a speaker's recordings of one session are not compared with each other), ``role`` (``enroll``, ``test``, or
empty for both).
Every other column with at most 12 different values splits the report into groups: gender, device, branch.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

MAX_GROUPS: Final = 12
"""A column with more values is no group but a description: a text, a duration."""
OWN_COLUMNS: Final = ("path", "speaker", "session", "role")


class ManifestInvalid(Exception):
    """The message says which line and what was expected."""


class Role(StrEnum):
    BOTH = ""
    ENROLL = "enroll"
    TEST = "test"


@dataclass(frozen=True)
class Row:
    """One recording. ``values`` are the other columns, in the order of ``Manifest.columns``."""

    path: Path
    speaker: str
    session: str
    role: Role
    values: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    file: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def groups(self) -> list[str]:
        """The columns by which the report is split: some values, but not one for everybody and not one for each."""
        counts = [len({row.values[index] for row in self.rows} - {""}) for index in range(len(self.columns))]
        return [name for name, count in zip(self.columns, counts, strict=True) if 2 <= count <= MAX_GROUPS]

    def value(self, row: Row, column: str) -> str:
        return row.values[self.columns.index(column)]

    def where(self, conditions: Sequence[str]) -> Manifest:
        """The rows that satisfy every ``column=value``. Raises ``ManifestInvalid`` for an unknown column or no row."""
        rows = self.rows
        for condition in conditions:
            column, _, value = condition.partition("=")
            if column not in self.columns:
                raise ManifestInvalid(
                    f'There is no column "{column}" to choose by. There are {", ".join(self.columns)}.'
                )
            rows = tuple(row for row in rows if self.value(row, column) == value)
        if not rows:
            raise ManifestInvalid(f"No row of {self.file.name} satisfies {' and '.join(conditions)}.")
        return Manifest(self.file, self.columns, rows)


def read_manifest(file: Path) -> Manifest:
    """Paths are relative to the file. Raises ``ManifestInvalid`` when it is no such list or a recording is absent."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            names = [name for name in reader.fieldnames or [] if name]
            missing = [name for name in OWN_COLUMNS[:2] if name not in names]
            if missing:
                raise ManifestInvalid(f"{file.name} has no column {' and no column '.join(missing)}.")
            columns = tuple(name for name in names if name not in OWN_COLUMNS)
            rows = tuple(_row(file, reader.line_num, one, columns) for one in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestInvalid(f"{file} cannot be read as CSV ({error}).") from error
    if not rows:
        raise ManifestInvalid(f"{file.name} lists no recordings.")
    return Manifest(file, columns, rows)


def _row(file: Path, line: int, one: dict[str, str | None], columns: Sequence[str]) -> Row:
    where = f"{file.name}, line {line}"
    path, speaker = one["path"] or "", (one["speaker"] or "").strip()
    if not path or not speaker:
        raise ManifestInvalid(f"{where}: path and speaker must be filled in.")
    found = file.parent / path
    if not found.is_file():
        raise ManifestInvalid(f"{where}: there is no file {path}.")
    role = (one.get("role") or "").strip().lower()
    if role not in list(Role):
        raise ManifestInvalid(f'{where}: role must be enroll, test or empty, not "{role}".')
    values = tuple((one[name] or "").strip() for name in columns)
    return Row(found, speaker, (one.get("session") or "").strip(), Role(role), values)
