"""Rows of candidates that were read before, as long as the log of changes says that they are still as they are stored.

An app asks for the same few again and again: those in a meeting, those in a household. Before each use one small read
says the number of the subscription's last change; what has changed since is forgotten. So whatever is taken from here
is at least as new as all that was acknowledged before that read began, as for a gallery.

Only rows with a signature are remembered: every change of one that identify could notice is in the log, but for its
use, which can only put off its end (``forget``). They stay sealed, as they are stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.backend.ports import Row, Rows
from shared.storage.layout import profile_row
from shared.storage.profiles.change_log import last_change, news
from shared.storage.profiles.held import Held

IDLE_SECONDS: Final = 600.0
"""What nobody asks for is forgotten after this."""

MOST_ROWS: Final = 2_000
"""Of all subscriptions together: about 10 MB."""


@dataclass
class _Known:
    """``upto``: the number of the last change that the rows are known to be behind."""

    lock: Lock = field(default_factory=Lock)
    upto: int = 0
    rows: dict[str, Row] = field(default_factory=dict)


class Remembered:
    """Safe for use by several threads."""

    def __init__(
        self,
        voices: Rows,
        idle_seconds: float = IDLE_SECONDS,
        most_rows: int = MOST_ROWS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._voices, self._most_rows = voices, most_rows
        self._held = Held(_Known, idle_seconds, monotonic)

    @property
    def number(self) -> int:
        """Of all rows."""
        return sum(len(known.rows) for _, known in self._held.longest_unused_first())

    def rows(self, subscription_id: str, wanted: Iterable[str]) -> tuple[int, Mapping[str, Row]]:
        """Those of the wanted rows that are remembered, and what ``add`` is to be told of the others."""
        last = last_change(self._voices, subscription_id)
        known = self._held.of(subscription_id)
        with known.lock:
            if known.upto != last:
                self._catch_up(subscription_id, known, last)
            return known.upto, {key: known.rows[key] for key in wanted if key in known.rows}

    def add(self, subscription_id: str, upto: int, rows: Iterable[Row]) -> None:
        """Rows that were read after ``rows`` had said that number; not taken when others have moved on since."""
        known = self._held.of(subscription_id)
        with known.lock:
            if known.upto == upto:
                known.rows.update((row.key, row) for row in rows if "signature" in row.values)
        self._held.make_room(self._most_rows, lambda one: len(one.rows))

    def forget(self, subscription_id: str, keys: Collection[str]) -> bool:
        """Whether any of them was remembered."""
        known = self._held.of(subscription_id)
        with known.lock:
            forgotten = [known.rows.pop(key, None) for key in keys]
        return any(forgotten)

    def _catch_up(self, subscription_id: str, known: _Known, last: int) -> None:
        if not known.rows:
            known.upto = last
            return
        said = news(self._voices, subscription_id, known.upto)
        if said.misses(known.upto):
            known.rows.clear()
        for profile_id in said.since(known.upto):
            key = ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, profile_id)
            known.rows.pop(profile_row(key), None)
        known.upto = said.last
