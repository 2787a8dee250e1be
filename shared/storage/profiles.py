"""Profiles over rows, blobs and the envelope."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.domain.errors import ProfileBusy, ProfileNotFound, StorageUnavailable, TooManyProfiles
from shared.domain.profile import Enrollment, EnrollmentStatus, Profile, ProfileKey, ProfileKind, Signature
from shared.services.ports import Ids
from shared.storage.candidates import Candidates
from shared.storage.due import Eraser, erase_due
from shared.storage.enrolling import Enroller
from shared.storage.envelope import Envelope, Place, Secret
from shared.storage.fields import Fields
from shared.storage.layout import TALLY, profile_row, profiles_range
from shared.storage.ports import (
    Blobs,
    Change,
    Insert,
    Merge,
    Remove,
    Replace,
    Row,
    RowConflict,
    RowMissing,
    Rows,
)
from shared.storage.records import (
    PUBLIC_PROFILE,
    SealedVoice,
    Version,
    profile_of,
    profile_values,
    sealed_voice_of,
    signature_from,
)

logger: Final = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 30
"""Of a change under an ETag that others keep changing: of many at once, one succeeds in every round."""


def _pause(attempt: int) -> None:
    """A random rest of up to 10 ms for each attempt so far, so that contenders stop meeting."""
    time.sleep(random.uniform(0.0, 0.01 * attempt))  # noqa: S311 - no secret


class RowProfileStore:
    """Implements ``ProfileStore``. ``voices`` is the table of voice data, ``audio`` the container for enrollments.

    Beyond the port's errors: ``SealBroken`` when a stored voice is not as it was sealed, ``SubscriptionUnknown`` when
    the subscription's data key has been destroyed, ``ValueError`` for an id that cannot stand in a key.
    """

    def __init__(
        self, voices: Rows, audio: Blobs, envelope: Envelope, ids: Ids, *, pause: Callable[[int], None] = _pause
    ) -> None:
        self._voices, self._envelope, self._pause = voices, envelope, pause
        self._enroller = Enroller(voices, audio, envelope, ids)
        self._eraser = Eraser(voices, audio)
        self._candidates = Candidates(voices)

    def create(self, profile: Profile, maximum: int) -> Profile:
        subscription_id = profile.key.subscription_id
        insert = Insert(profile_row(profile.key), profile_values(profile, 0, SealedVoice()))
        for attempt in range(MAX_ATTEMPTS):
            tally = self._voices.get(subscription_id, TALLY)
            count = _count(tally)
            if count >= maximum:
                raise TooManyProfiles(maximum)
            try:
                self._voices.apply(subscription_id, [insert, _counted(tally, count + 1)])
            except RowConflict:
                if self._voices.get(subscription_id, insert.key) is not None:
                    return self._same(profile)
                self._pause(attempt)
                continue
            return replace(profile, version=str(Version(0, "")))
        raise StorageUnavailable(retry_after_seconds=1)

    def get(self, key: ProfileKey) -> Profile:
        return self._profile(self._row(key), key)

    def get_with_signature(self, key: ProfileKey) -> tuple[Profile, Signature | None]:
        return self._with_signature(self._row(key), key)

    def get_many_with_signatures(self, keys: Sequence[ProfileKey]) -> list[tuple[Profile, Signature | None]]:
        rows = self._candidates.rows(keys)
        return [self._with_signature(_present(row, key), key) for row, key in zip(rows, keys, strict=True)]

    def list(
        self, subscription_id: str, kind: ProfileKind, *, after: str | None = None, limit: int | None = None
    ) -> Sequence[Profile]:
        """As the port says; passphrases stay sealed and are ``None`` in the listed profiles."""
        start, end = profiles_range(kind, after)
        rows = self._voices.query(subscription_id, start, end, limit=limit, select=PUBLIC_PROFILE)
        return [profile_of(row, kind) for row in rows]

    def enroll(self, profile: Profile, signature: Signature, enrollment: Enrollment, audio: bytes | None) -> Profile:
        return self._enroller.enroll(profile, signature, enrollment, audio)

    def reset(self, key: ProfileKey, at: datetime) -> Profile:
        for attempt in range(MAX_ATTEMPTS):
            row = self._row(key)
            old = profile_of(row, key.kind)
            revision = Version.of(old).revision + 1
            fresh = _without_voice(old, at)
            tombstone = erase_due(at, key, old.epoch)
            values = profile_values(fresh, revision, SealedVoice())
            try:
                self._voices.apply(key.subscription_id, [Replace(row.key, values, row.etag), tombstone])
            except RowMissing:
                raise ProfileNotFound(key.profile_id) from None
            except RowConflict:
                if self._voices.get(key.subscription_id, tombstone.key) is None:
                    self._pause(attempt)
                    continue
            self._erase_now(key.subscription_id, tombstone)
            return replace(fresh, version=str(Version(revision, "")))
        raise ProfileBusy(key.profile_id)

    def delete(self, key: ProfileKey, at: datetime) -> None:
        tombstone = erase_due(at, key, None)
        for attempt in range(MAX_ATTEMPTS):
            tally = self._voices.get(key.subscription_id, TALLY)
            changes: list[Change] = [Remove(profile_row(key)), tombstone]
            if tally is not None:
                changes.append(_counted(tally, max(0, _count(tally) - 1)))
            try:
                self._voices.apply(key.subscription_id, changes)
            except RowConflict as conflict:
                if self._voices.get(key.subscription_id, tombstone.key) is None:
                    if isinstance(conflict, RowMissing) and conflict.key == profile_row(key):
                        raise ProfileNotFound(key.profile_id) from None
                    self._pause(attempt)
                    continue
            self._erase_now(key.subscription_id, tombstone)
            return
        raise ProfileBusy(key.profile_id)

    def touch(self, key: ProfileKey, at: datetime) -> None:
        try:
            self._voices.apply(key.subscription_id, [Merge(profile_row(key), {"last_action_at": at})])
        except RowMissing:
            return

    def _row(self, key: ProfileKey) -> Row:
        return _present(self._voices.get(key.subscription_id, profile_row(key)), key)

    def _profile(self, row: Row, key: ProfileKey) -> Profile:
        profile = profile_of(row, key.kind)
        sealed = sealed_voice_of(row).passphrase
        if sealed is None:
            return profile
        phrase = self._envelope.open(Place(key, Secret.PASSPHRASE, profile.epoch, ""), sealed)
        return replace(profile, passphrase=phrase.decode())

    def _with_signature(self, row: Row, key: ProfileKey) -> tuple[Profile, Signature | None]:
        profile = self._profile(row, key)
        sealed = sealed_voice_of(row).signature
        if sealed is None:
            return profile, None
        model_id = profile.model_id or ""
        plain = self._envelope.open(Place(key, Secret.SIGNATURE, profile.epoch, model_id), sealed)
        return profile, signature_from(plain, model_id)

    def _same(self, profile: Profile) -> Profile:
        """A row under a new random id is this very write, whose first answer was lost. Anything else is a bug."""
        stored = self.get(profile.key)
        if stored.created_at != profile.created_at:
            raise ProfileBusy(profile.key.profile_id)
        return stored

    def _erase_now(self, subscription_id: str, tombstone: Insert) -> None:
        """The voice is out of reach already; if storage fails here, the timer erases what the tombstone names."""
        try:
            self._eraser.finish(subscription_id, Row(subscription_id, tombstone.key, tombstone.values))
        except StorageUnavailable:
            logger.warning("erase_deferred subscription=%s", subscription_id)


def _present(row: Row | None, key: ProfileKey) -> Row:
    if row is None:
        raise ProfileNotFound(key.profile_id)
    return row


def _count(tally: Row | None) -> int:
    return 0 if tally is None else Fields(tally).integer("profiles")


def _counted(tally: Row | None, count: int) -> Change:
    return Insert(TALLY, {"profiles": count}) if tally is None else Replace(TALLY, {"profiles": count}, tally.etag)


def _without_voice(profile: Profile, at: datetime) -> Profile:
    return Profile(
        key=profile.key,
        locale=profile.locale,
        created_at=profile.created_at,
        last_action_at=at,
        status=EnrollmentStatus.ENROLLING,
        epoch=profile.epoch + 1,
    )
