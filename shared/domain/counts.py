"""How many profiles a subscription has, as of a walk over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Counts:
    """``last_used_at`` is when one of them was last used, ``counted_at`` when the walk came to its end.

    Before that ``after`` says how far it has come.
    """

    profiles: int = 0
    enrolled: int = 0
    last_used_at: datetime | None = None
    counted_at: datetime | None = None
    after: str | None = None
