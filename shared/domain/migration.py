"""How far a subscription's profiles have come on the way to another speaker model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.profile import Profile
from shared.domain.recording import Vector

RECHECK: Final = timedelta(days=1)
"""A finished subscription is looked through again after this: an instance that still ran the old model while others
ran the new one may have enrolled a profile behind the walk."""


class AudioNotKept(Exception):
    """An enrollment's recording is not stored, so that no other model can hear it."""


@dataclass(frozen=True)
class MigrationProgress:
    """One walk over a subscription's profiles towards the model ``model_id``.

    ``migrated`` counts over all walks towards this model; the others are of this walk. ``flagged`` profiles must be
    enrolled again: verification keeps no audio, or an identification profile's audio is missing or of no use.
    ``postponed`` ones were being changed at the time; then the walk is followed by another. ``cursor`` is where the
    walk stands, the store's own mark.
    """

    model_id: str
    started_at: datetime
    migrated: int = 0
    checked: int = 0
    flagged: int = 0
    postponed: int = 0
    cursor: str = ""
    finished_at: datetime | None = None

    def past(self, cursor: str, *, migrated: int = 0, flagged: int = 0, postponed: int = 0) -> MigrationProgress:
        """One profile further, which may be counted as one of three."""
        return replace(
            self,
            checked=self.checked + 1,
            cursor=cursor,
            migrated=self.migrated + migrated,
            flagged=self.flagged + flagged,
            postponed=self.postponed + postponed,
        )

    def at_the_end(self, at: datetime) -> MigrationProgress:
        """Finished, unless a profile was postponed: then the next walk begins at once."""
        return self.from_the_start() if self.postponed else replace(self, finished_at=at)

    def from_the_start(self) -> MigrationProgress:
        return MigrationProgress(self.model_id, self.started_at, self.migrated)

    def rests(self, at: datetime) -> bool:
        return self.finished_at is not None and at - self.finished_at < RECHECK


@dataclass(frozen=True)
class Candidate:
    """A profile that a walk comes by; ``hopeless_for`` is the model that its audio turned out to be no use for."""

    profile: Profile
    cursor: str
    hopeless_for: str | None


@dataclass(frozen=True)
class CandidatePage:
    """``cursor`` is behind everything that was looked at, listed or not; ``last`` when nothing follows."""

    candidates: Sequence[Candidate]
    cursor: str
    last: bool


@dataclass(frozen=True)
class KeptRecording:
    """An enrollment's audio: FLAC, 16 kHz 16-bit mono, and how much speech the enrollment was counted with."""

    enrollment: str
    speech_seconds: float
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Rebuilt:
    """What the new model makes of one kept recording: a unit vector, shape [dimension], as in ``Enrollment``."""

    enrollment: str
    speech_seconds: float
    embedding: Vector = field(repr=False)
