"""What the timer does for storage: everything in a subscription that is due, each action by its own small handler."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

from shared.domain.counts import Counts
from shared.domain.errors import StorageUnavailable
from shared.services.ports.clock_and_ids import Ids
from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import Blobs, Merge, Remove, Row, RowConflict, RowMissing, Rows
from shared.storage.layout import CHALLENGE, OPERATION, PRINT, TOKEN, TURNS, TURNS_TIDY, due_range
from shared.storage.profiles.challenges import take_away_challenge
from shared.storage.profiles.counting import count
from shared.storage.profiles.expiry import Expirer, Policies, walk_policy
from shared.storage.profiles.groups import disband
from shared.storage.profiles.long_operations import RowLongOperations
from shared.storage.profiles.prints import PrintsKept, take_away_print, walk_prints
from shared.storage.profiles.removal import Eraser, Remover
from shared.storage.profiles.schedule import (
    BLOB,
    DISBAND,
    ERASE,
    EXPIRE,
    POLICY,
    PRINTS,
    UPLOAD,
    action_of,
    begin_walks,
    blob_due,
)

logger: Final = logging.getLogger(__name__)

POSTPONED: Final = timedelta(minutes=15)
"""How long an item waits that failed for reasons of its own, so that it does not keep those behind it waiting."""

Handler: TypeAlias = Callable[[Row, datetime], object]
"""Does what the row says, as of that moment, and takes it away; safe to run twice and on two instances at once."""


class RowUpkeep:
    """Implements ``Upkeep``."""

    def __init__(
        self,
        voices: Rows,
        audio: Blobs,
        policies: Policies,
        ids: Ids,
        prints_kept: PrintsKept,
        long_operations: RowLongOperations,
    ) -> None:
        self._voices, self._audio, self._policies, self._ids = voices, audio, policies, ids
        eraser = Eraser(voices, audio)
        self._handlers: dict[str, Handler] = {
            ERASE: _whenever(eraser),
            UPLOAD: _whenever(self._abandon_upload),
            BLOB: _whenever(self._delete_blob),
            OPERATION: _whenever(self._take_away),
            TOKEN: _whenever(self._take_away),
            CHALLENGE: _whenever(partial(take_away_challenge, voices)),
            PRINT: _whenever(partial(take_away_print, voices)),
            PRINTS: partial(walk_prints, voices, prints_kept),
            EXPIRE: Expirer(voices, Remover(voices, eraser), policies, ids),
            POLICY: _whenever(partial(walk_policy, voices, policies)),
            DISBAND: _whenever(partial(disband, voices)),
            TURNS: long_operations.expire,
            TURNS_TIDY: _whenever(long_operations.tidy),
        }

    def count(self, subscription_id: str, so_far: Counts, at: datetime) -> Counts:
        return count(self._voices, self._policies, subscription_id, so_far, at)

    def replay_changes(self, subscription_id: str, at: datetime) -> None:
        begin_walks(self._voices, subscription_id, PRINTS, at, self._ids)

    def policy_changes(self, subscription_id: str, at: datetime) -> None:
        begin_walks(self._voices, subscription_id, POLICY, at, self._ids)

    def sweep(self, subscription_id: str, at: datetime, limit: int) -> int:
        """Work on the first ``limit`` items that are due at that moment, the oldest first; returns how many.

        One item's failure is logged and does not stop the others. ``StorageUnavailable`` when the items cannot even
        be read.
        """
        done = 0
        for row in self._voices.query(subscription_id, *due_range(at)):
            postponed_until = row.maybe("postponed_until", datetime)
            if postponed_until is None or postponed_until <= at:
                self._attempt(row, at)
                done += 1
            if done == limit:
                break
        return done

    def _attempt(self, row: Row, at: datetime) -> None:
        subscription_id, action = row.partition, action_of(row)
        try:
            self._handlers[action](row, at)
        except StorageUnavailable:
            logger.warning("upkeep_interrupted subscription=%s action=%s", subscription_id, action)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one item, the others are due too
            logger.error(
                "upkeep_failed subscription=%s action=%s error=%s", subscription_id, action, type(error).__name__
            )
            with suppress(StorageUnavailable, RowConflict):
                self._voices.apply(subscription_id, [Merge(row.key, {"postponed_until": at + POSTPONED}, row.etag)])

    def _abandon_upload(self, row: Row) -> None:
        """First make the commit impossible, then delete: the other way round an enrollment could lose its audio."""
        doomed = blob_due(row)
        try:
            self._voices.apply(row.partition, [Remove(row.key), doomed])
        except RowMissing:
            return  # committed meanwhile, or cleaned up by the request itself
        self._delete_blob(Row(row.partition, doomed.key, doomed.values))

    def _delete_blob(self, row: Row) -> None:
        self._audio.delete(row.get("blob", str))
        self._take_away(row)

    def _take_away(self, row: Row) -> None:
        remove_silently(self._voices, row.partition, row.key)


def _whenever(handler: Callable[[Row], object]) -> Handler:
    """For a handler to which the moment is all one."""
    return lambda row, _: handler(row)
