"""A change under an ETag, made again when somebody else was faster."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from shared.storage.backend.ports import RowConflict

T = TypeVar("T")

MAX_ATTEMPTS: Final = 30
"""Of many at once, one succeeds in every round: measured on Azurite, six threads settle within these attempts."""


def compare_and_swap(attempt: Callable[[], T], busy: Exception | None = None) -> T:
    """What the first attempt returns that raises no ``RowConflict``. Each must read anew what it builds on.

    After ``MAX_ATTEMPTS`` it raises ``busy``, or the last conflict.
    """
    for number in range(1, MAX_ATTEMPTS):
        try:
            return attempt()
        except RowConflict:
            rest(number)
    try:
        return attempt()
    except RowConflict:
        if busy is None:
            raise
        raise busy from None


def rest(attempt: int) -> None:
    """A random rest of up to 10 ms for each attempt so far, so that contenders stop meeting.

    Without it the same ones can lose every round: who has just won is the first to read again.
    """
    time.sleep(random.uniform(0.0, 0.01 * attempt))  # noqa: S311 - no secret
