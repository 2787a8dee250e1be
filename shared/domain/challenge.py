"""Challenges: digits drawn for one verification, to be said within two minutes, once.

What was recorded before a challenge was drawn does not answer it. Whoever can make any digits sound in the speaker's
voice answers every one: it is no proof that somebody is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from shared.domain.profile import ProfileKey

RandomBelow: TypeAlias = Callable[[int], int]
"""A whole number from 0 to below the bound, by a cryptographic generator."""


@dataclass(frozen=True)
class Challenge:
    """``digits`` are ``0`` to ``9``. ``epoch`` is the profile's: a reset ends its challenges. ``version`` is the
    store's own mark; ``None`` before it is stored."""

    challenge_id: str
    key: ProfileKey
    epoch: int
    digits: str = field(repr=False)
    expires_at: datetime
    version: object = field(default=None, compare=False)


def draw(count: int, below: RandomBelow) -> str:
    """So many digits, none of which follows itself: nobody says "double three". Six have 590,490 forms."""
    digits = [below(10)]
    while len(digits) < count:
        other = below(9)
        digits.append(other + (other >= digits[-1]))
    return "".join(map(str, digits))
