"""The rows of many profiles at once, for identify.

Point reads side by side cost the same in a subscription of ten profiles and of ten thousand. In a small subscription
one range read is cheaper, because most of what lies between the first and the last id is asked for anyway. So the
range is tried first, cut off at twice the number asked for; a subscription where that did not suffice gets point
reads from then on. (A filter of many ``RowKey eq`` is no third way: Azure answers it by scanning the partition.)
What was read is remembered: whoever is asked for again is not read again as long as nothing has changed.

Measured on Azurite: 10 of 10 profiles 9 ms instead of 25, 50 of 50 31 ms instead of 114; most of it is the SDK's own
work on this side, so side by side gains little where the network is short.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from shared.domain.measurement import stage
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.threads import for_this_request
from shared.storage.backend.ports import Row, Rows
from shared.storage.layout import profile_row
from shared.storage.profiles.remembered import Remembered

READERS: Final = 8
"""Point reads under way at once."""

FEWEST_FOR_RANGE: Final = 3
"""Fewer profiles are read one by one."""

ROOM: Final = 2
"""A range may hold this many times what was asked for."""

MAX_CROWDED: Final = 1_000


class Candidates:
    def __init__(self, voices: Rows, remembered: Remembered | None = None) -> None:
        self._voices = voices
        self._remembered = remembered or Remembered(voices)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="profile-read")
        self._crowded: set[str] = set()

    def rows(self, keys: Sequence[ProfileKey]) -> list[Row | None]:
        """In the order of the keys; ``None`` for an absent profile."""
        if not _are_several_speakers(keys):
            return self._one_by_one(keys)
        subscription_id = keys[0].subscription_id
        upto, known = self._remembered.rows(subscription_id, [profile_row(key) for key in keys])
        missing = [key for key in keys if profile_row(key) not in known]
        if not missing:
            return [known[profile_row(key)] for key in keys]
        fresh = dict(zip(missing, self._read(subscription_id, missing), strict=True))
        self._remembered.add(subscription_id, upto, [row for row in fresh.values() if row])
        return [known.get(profile_row(key)) or fresh[key] for key in keys]

    def forget(self, keys: Sequence[ProfileKey]) -> bool:
        """Read these rows anew when they are next asked for; whether that is of any use."""
        if not _are_several_speakers(keys):
            return False
        return self._remembered.forget(keys[0].subscription_id, [profile_row(key) for key in keys])

    def _read(self, subscription_id: str, keys: Sequence[ProfileKey]) -> list[Row | None]:
        by_range = self._by_range(subscription_id, sorted({profile_row(key) for key in keys}))
        if by_range is not None:
            return [by_range.get(profile_row(key)) for key in keys]
        return self._one_by_one(keys)

    def _one_by_one(self, keys: Sequence[ProfileKey]) -> list[Row | None]:
        if len(keys) < 2:
            return [self._row(key) for key in keys]
        with stage("store"):  # what the readers' own threads take is not counted
            return list(self._readers.map(for_this_request(self._row), keys))

    def _row(self, key: ProfileKey) -> Row | None:
        return self._voices.get(key.subscription_id, profile_row(key))

    def _by_range(self, subscription_id: str, wanted: Sequence[str]) -> dict[str, Row] | None:
        if len(wanted) < FEWEST_FOR_RANGE or subscription_id in self._crowded:
            return None
        most = ROOM * len(wanted)
        rows = list(self._voices.query(subscription_id, wanted[0], f"{wanted[-1]}!", limit=most))
        if len(rows) == most and rows[-1].key < wanted[-1]:
            self._note_crowded(subscription_id)
            return None
        return {row.key: row for row in rows}

    def _note_crowded(self, subscription_id: str) -> None:
        if len(self._crowded) >= MAX_CROWDED:
            self._crowded.clear()
        self._crowded.add(subscription_id)


def _are_several_speakers(keys: Sequence[ProfileKey]) -> bool:
    """Enough of one subscription, all for identification."""
    if len(keys) < FEWEST_FOR_RANGE or any(key.kind is not ProfileKind.IDENTIFICATION for key in keys):
        return False
    return len({key.subscription_id for key in keys}) == 1
