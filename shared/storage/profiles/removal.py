"""Removes a profile: by request, or because its time is over.

One transaction takes the profile's row and its place in the count, and leaves the audit record and a tombstone that
names what is to be erased. From then on the profile is absent; what the tombstone names is erased at once, or by the
timer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.domain.audit import AuditEntry
from shared.domain.errors import ProfileBusy, StorageUnavailable
from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.audit import forget_recognitions, record_of
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.erasing import remove_range, remove_silently
from shared.storage.backend.ports import Blobs, Change, Insert, Remove, Replace, Row, RowConflict, Rows
from shared.storage.layout import TALLY, audio_prefix, end_of, enrollments_prefix, profile_row, verify_prefix
from shared.storage.profiles.change_log import logged
from shared.storage.profiles.groups import leave_groups
from shared.storage.profiles.schedule import erase_due, expire_due, key_in

logger: Final = logging.getLogger(__name__)


class Eraser:
    """Erases what tombstones name. Safe to run twice, and on two instances at once."""

    def __init__(self, voices: Rows, audio: Blobs) -> None:
        self._voices, self._audio = voices, audio

    def __call__(self, tombstone: Row) -> None:
        """Enrollments, what verifications left, audio, memberships, recognitions, the row in the index of expiry, and
        last the tombstone. New rows cannot come: who commits an enrollment needs the profile as it was before."""
        key = key_in(tombstone)
        epoch, armed_at = tombstone.maybe("epoch", int), tombstone.maybe("armed_at", datetime)
        self._erase_rows(key, enrollments_prefix(key, epoch))
        if key.kind is not ProfileKind.IDENTIFICATION:
            self._erase_rows(key, verify_prefix(key, epoch))
        elif epoch is None:
            leave_groups(self._voices, key)
        if epoch is None:
            forget_recognitions(self._voices, key)
        if key.kind.keeps_audio:
            for name in self._audio.names(audio_prefix(key, epoch)):
                self._audio.delete(name)
        if armed_at is not None:
            remove_silently(self._voices, key.subscription_id, expire_due(armed_at, key).key)
        remove_silently(self._voices, key.subscription_id, tombstone.key)

    def at_once(self, subscription_id: str, tombstone: Insert) -> None:
        """The voice is out of reach already; if storage fails here, the timer erases what the tombstone names."""
        try:
            self(Row(subscription_id, tombstone.key, tombstone.values))
        except StorageUnavailable:
            logger.warning("erase_deferred subscription=%s", subscription_id)

    def _erase_rows(self, key: ProfileKey, prefix: str) -> None:
        remove_range(self._voices, key.subscription_id, prefix, end_of(prefix))


class Remover:
    def __init__(self, voices: Rows, eraser: Eraser) -> None:
        self._voices, self._eraser = voices, eraser

    def remove(
        self, key: ProfileKey, at: datetime, admit: Callable[[Row | None], bool], record: AuditEntry | None
    ) -> bool:
        """Remove the profile if ``admit`` agrees to the row as it stands; False when it does not.

        Nothing may have happened to the row since ``admit`` was asked; when something has, it is asked again.
        """

        def attempt() -> Insert | None:
            row = self._voices.get(key.subscription_id, profile_row(key))
            if not admit(row) or row is None:
                return None
            tombstone = erase_due(at, key, None, armed_at=row.maybe("armed_at", datetime))
            self._bury(row, key, tombstone, record)
            return tombstone

        tombstone = compare_and_swap(attempt, ProfileBusy(key.profile_id))
        if tombstone is None:
            return False
        self._eraser.at_once(key.subscription_id, tombstone)
        return True

    def _bury(self, row: Row, key: ProfileKey, tombstone: Insert, record: AuditEntry | None) -> None:
        """A tombstone that is there already is this very removal, whose first answer was lost."""
        tally = self._voices.get(row.partition, TALLY)
        changes: list[Change] = [Remove(row.key, row.etag), tombstone, *record_of(record)]
        if "signature" in row.values:
            changes += logged(self._voices, key)
        if tally is not None:
            changes.append(counted(tally, max(0, count(tally) - 1)))
        try:
            self._voices.apply(row.partition, changes)
        except RowConflict:
            if self._voices.get(row.partition, tombstone.key) is None:
                raise


def count(tally: Row | None) -> int:
    return 0 if tally is None else tally.get("profiles", int)


def counted(tally: Row | None, number: int) -> Change:
    return Insert(TALLY, {"profiles": number}) if tally is None else Replace(TALLY, {"profiles": number}, tally.etag)
