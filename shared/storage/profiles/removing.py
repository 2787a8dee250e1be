"""Removes a profile: by request, or because its time is over.

One transaction takes the profile's row and its place in the count and leaves a tombstone that names what is to be
erased. From then on the profile is absent; what the tombstone names is erased at once, or by the timer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.domain.errors import ProfileBusy, StorageUnavailable
from shared.domain.profile import ProfileKey
from shared.storage.backend.compare_and_swap import MAX_ATTEMPTS, Pause, rest
from shared.storage.backend.ports import Change, Insert, Remove, Replace, Row, RowConflict, Rows
from shared.storage.backend.row_values import Fields
from shared.storage.layout import TALLY, profile_row
from shared.storage.profiles.change_log import logged
from shared.storage.profiles.schedule import Eraser, erase_due

logger: Final = logging.getLogger(__name__)


class Remover:
    def __init__(self, voices: Rows, eraser: Eraser, pause: Pause = rest) -> None:
        self._voices, self._eraser, self._pause = voices, eraser, pause

    def remove(
        self, key: ProfileKey, at: datetime, admit: Callable[[Row | None], bool], *, expired: bool = False
    ) -> bool:
        """Remove the profile if ``admit`` agrees to the row as it stands; False when it does not.

        Nothing may have happened to the row since ``admit`` was asked; when something has, it is asked again.
        ``expired`` marks the tombstone: the profile's time was over.
        """
        for attempt in range(MAX_ATTEMPTS):
            row = self._voices.get(key.subscription_id, profile_row(key))
            if not admit(row) or row is None:
                return False
            tombstone = erase_due(at, key, None, armed_at=Fields(row).maybe_time("armed_at"), expired=expired)
            if self._removed(row, key, tombstone):
                self.erase(key.subscription_id, tombstone)
                return True
            self._pause(attempt)
        raise ProfileBusy(key.profile_id)

    def erase(self, subscription_id: str, tombstone: Insert) -> None:
        """The voice is out of reach already; if storage fails here, the timer erases what the tombstone names."""
        try:
            self._eraser.finish(subscription_id, Row(subscription_id, tombstone.key, tombstone.values))
        except StorageUnavailable:
            logger.warning("erase_deferred subscription=%s", subscription_id)

    def _removed(self, row: Row, key: ProfileKey, tombstone: Insert) -> bool:
        """False when the row or the count has changed; a tombstone that is there already is this very removal."""
        tally = self._voices.get(row.partition, TALLY)
        changes: list[Change] = [Remove(row.key, row.etag), tombstone]
        if "signature" in row.values:
            changes += logged(self._voices, key)
        if tally is not None:
            changes.append(counted(tally, max(0, count(tally) - 1)))
        try:
            self._voices.apply(row.partition, changes)
        except RowConflict:
            return self._voices.get(row.partition, tombstone.key) is not None
        return True


def count(tally: Row | None) -> int:
    return 0 if tally is None else Fields(tally).integer("profiles")


def counted(tally: Row | None, number: int) -> Change:
    return Insert(TALLY, {"profiles": number}) if tally is None else Replace(TALLY, {"profiles": number}, tally.etag)
