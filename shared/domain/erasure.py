"""What is left of a deleted subscription: that everything of it was erased, how much, and when."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from datetime import datetime


@dataclass(frozen=True)
class ErasedCounts:
    """How many of each were erased by the deletion itself; ``recordings`` are enrollments whose audio was kept."""

    profiles: int = 0
    enrollments: int = 0
    recordings: int = 0
    operations: int = 0

    def plus(self, other: ErasedCounts) -> ErasedCounts:
        return ErasedCounts(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Erasure:
    """``completed_at``: nothing was left that could be found. ``verified_at``: nothing was found again, at a time when
    every request that had been let in before the deletion was over.
    """

    counts: ErasedCounts
    completed_at: datetime
    verified_at: datetime | None = None

    def verified(self, at: datetime) -> Erasure:
        return replace(self, verified_at=at)
