"""A bar on the terminal; a line now and then where nobody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final, TextIO, TypeVar

Item = TypeVar("Item")

WIDTH: Final = 30
QUIET_SECONDS: Final = 15.0
"""Between two lines in a log file."""


def progress(items: Sequence[Item], what: str, stream: TextIO | None = None) -> Iterator[Item]:
    """The items, one after another, with a bar, the count and the time that is left."""
    out = stream or sys.stderr
    watched = out.isatty()
    started = shown = time.monotonic()
    for done, item in enumerate(items):
        yield item
        now = time.monotonic()
        finished = done + 1 == len(items)
        if finished or now - shown >= (0.1 if watched else QUIET_SECONDS):
            shown = now
            left = (now - started) / (done + 1) * (len(items) - done - 1)
            out.write(("\r" if watched else "") + bar(done + 1, len(items), what, left))
            out.write("" if watched and not finished else "\n")
            out.flush()


def bar(done: int, total: int, what: str, seconds_left: float) -> str:
    filled = WIDTH * done // total
    minutes, seconds = divmod(round(seconds_left), 60)
    return f"{what} [{'#' * filled}{'.' * (WIDTH - filled)}] {done:,} of {total:,}, {minutes}:{seconds:02} left "
