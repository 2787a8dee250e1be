"""What the timer does for storage: everything in a subscription that is due, each action by its own small handler."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from shared.domain.counts import Counts
from shared.domain.errors import StorageUnavailable
from shared.services.ports.clock_and_ids import Ids
from shared.storage.backend.ports import Blobs, Merge, Remove, Row, RowConflict, RowMissing, Rows
from shared.storage.layout import CHALLENGE, OPERATION, PRINT, TOKEN, due_range
from shared.storage.profiles.challenges import ChallengeTaker
from shared.storage.profiles.counting import count
from shared.storage.profiles.expiry import Expirer, Policies, PolicyWalk
from shared.storage.profiles.groups import Disbander
from shared.storage.profiles.prints import PrintsKept, PrintTaker, PrintWalk
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
    blob_due,
    remove_silently,
)

logger: Final = logging.getLogger(__name__)

POSTPONED: Final = timedelta(minutes=15)
"""How long an item waits that failed for reasons of its own, so that it does not keep those behind it waiting."""

Handler: TypeAlias = Callable[[str, Row, datetime], None]
"""Does what the row of this subscription says, as of that moment, and takes the row away; safe to run twice and on two
instances at once."""


class RowUpkeep:
    """Implements ``Upkeep``. ``handlers`` adds actions, or replaces the ones known here."""

    def __init__(
        self,
        voices: Rows,
        audio: Blobs,
        policies: Policies,
        ids: Ids,
        prints_kept: PrintsKept,
        handlers: Mapping[str, Handler] | None = None,
    ) -> None:
        self._voices, self._audio, self._policies = voices, audio, policies
        eraser = Eraser(voices, audio)
        self._walk = PolicyWalk(voices, policies, ids)
        self._print_walk = PrintWalk(voices, prints_kept, ids)
        self._handlers: dict[str, Handler] = {
            ERASE: eraser,
            UPLOAD: self._abandon_upload,
            BLOB: self._delete_blob,
            OPERATION: self._take_away,
            TOKEN: self._take_away,
            CHALLENGE: ChallengeTaker(voices),
            PRINT: PrintTaker(voices),
            PRINTS: self._print_walk,
            EXPIRE: Expirer(voices, Remover(voices, eraser), policies, ids),
            POLICY: self._walk,
            DISBAND: Disbander(voices),
            **(handlers or {}),
        }

    def count(self, subscription_id: str, so_far: Counts, at: datetime) -> Counts:
        return count(self._voices, self._policies, subscription_id, so_far, at)

    def replay_changes(self, subscription_id: str, at: datetime) -> None:
        self._print_walk.begin(subscription_id, at)

    def policy_changes(self, subscription_id: str, at: datetime) -> None:
        self._walk.begin(subscription_id, at)

    def sweep(self, subscription_id: str, at: datetime, limit: int) -> int:
        """Work on the first ``limit`` items that are due at that moment, the oldest first; returns how many.

        One item's failure is logged and does not stop the others. ``StorageUnavailable`` when the items cannot even
        be read.
        """
        done = 0
        for row in self._voices.query(subscription_id, *due_range(at)):
            postponed_until = row.maybe("postponed_until", datetime)
            if postponed_until is None or postponed_until <= at:
                self._attempt(subscription_id, row, at)
                done += 1
            if done == limit:
                break
        return done

    def _attempt(self, subscription_id: str, row: Row, at: datetime) -> None:
        action = action_of(row)
        try:
            self._handlers[action](subscription_id, row, at)
        except StorageUnavailable:
            logger.warning("upkeep_interrupted subscription=%s action=%s", subscription_id, action)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one item, the others are due too
            logger.error(
                "upkeep_failed subscription=%s action=%s error=%s", subscription_id, action, type(error).__name__
            )
            with suppress(StorageUnavailable, RowConflict):
                self._voices.apply(subscription_id, [Merge(row.key, {"postponed_until": at + POSTPONED}, row.etag)])

    def _abandon_upload(self, subscription_id: str, row: Row, at: datetime) -> None:
        """First make the commit impossible, then delete: the other way round an enrollment could lose its audio."""
        doomed = blob_due(row)
        try:
            self._voices.apply(subscription_id, [Remove(row.key), doomed])
        except RowMissing:
            return  # committed meanwhile, or cleaned up by the request itself
        self._delete_blob(subscription_id, Row(subscription_id, doomed.key, doomed.values), at)

    def _delete_blob(self, subscription_id: str, row: Row, at: datetime) -> None:  # noqa: ARG002
        self._audio.delete(row.get("blob", str))
        remove_silently(self._voices, subscription_id, row.key)

    def _take_away(self, subscription_id: str, row: Row, at: datetime) -> None:  # noqa: ARG002
        remove_silently(self._voices, subscription_id, row.key)
