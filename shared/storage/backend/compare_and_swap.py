"""A change under an ETag, made again when somebody else was faster."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeAlias

MAX_ATTEMPTS: Final = 30
"""Of a change under an ETag that others keep changing: of many at once, one succeeds in every round."""

Pause: TypeAlias = Callable[[int], None]
"""What a contender does after its n-th attempt, from 0, was lost."""


def rest(attempt: int) -> None:
    """A random rest of up to 10 ms for each attempt so far, so that contenders stop meeting.

    Without it the same ones can lose every round: who has just won is the first to read again.
    """
    time.sleep(random.uniform(0.0, 0.01 * attempt))  # noqa: S311 - no secret
