"""Profiles over rows, blobs and the envelope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from shared.domain.audit import AuditEntry
from shared.domain.errors import ProfileBusy, ProfileNotFound, StorageUnavailable, TooManyProfiles
from shared.domain.limits import MAX_PHRASE_TEMPLATES
from shared.domain.passphrase import PhraseTemplate
from shared.domain.profile import Enrollment, Profile, ProfileKey, ProfileKind, Signature
from shared.domain.retention import with_expiry
from shared.services.ports.clock_and_ids import Clock, Ids
from shared.storage.audit import record_of, written_once
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.ports import Blobs, Change, Insert, Merge, Replace, Row, RowConflict, RowMissing, Rows
from shared.storage.layout import TALLY, end_of, enrollments_prefix, profile_row, profiles_range
from shared.storage.profiles.candidates import Candidates
from shared.storage.profiles.change_log import logged
from shared.storage.profiles.enrollment import Enroller
from shared.storage.profiles.expiry import Policies
from shared.storage.profiles.records import (
    NOTES,
    PUBLIC_PROFILE,
    TEMPLATE,
    SealedVoice,
    Version,
    notes,
    opened_template,
    profile_of,
    profile_values,
    sealed_voice_of,
    signature_from,
)
from shared.storage.profiles.removal import Eraser, Remover, count, counted
from shared.storage.profiles.schedule import armed, erase_due
from shared.storage.sealing.envelope import Envelope, Place, Secret


class RowProfileStore:
    """Implements ``ProfileStore``. ``voices`` is the table of voice data, ``audio`` the container for enrollments.

    ``policies`` says how long profiles are kept: one whose time is over at a reading is absent for every method, and
    what is returned says when that will be.

    Beyond the port's errors: ``SealBroken`` when a stored voice is not as it was sealed, ``SubscriptionUnknown`` when
    the subscription's data key has been destroyed, ``ValueError`` for an id that cannot stand in a key.
    """

    def __init__(
        self, voices: Rows, audio: Blobs, envelope: Envelope, ids: Ids, policies: Policies, clock: Clock
    ) -> None:
        self._voices, self._envelope, self._policies, self._clock = voices, envelope, policies, clock
        self._eraser = Eraser(voices, audio)
        self._enroller = Enroller(voices, audio, envelope, ids)
        self._remover = Remover(voices, self._eraser)
        self._candidates = Candidates(voices)

    def create(self, profile: Profile, maximum: int, record: AuditEntry | None = None) -> Profile:
        subscription_id = profile.key.subscription_id
        profile = with_expiry(profile, self._policies(subscription_id))
        armed_at, arming = armed(profile.key, None, profile.expires_at)
        insert = Insert(profile_row(profile.key), profile_values(profile, 0, SealedVoice(), armed_at))

        def attempt() -> Profile:
            tally = self._voices.get(subscription_id, TALLY)
            number = count(tally)
            if number >= maximum:
                raise TooManyProfiles(maximum)
            try:
                self._voices.apply(subscription_id, [insert, counted(tally, number + 1), *arming, *record_of(record)])
            except RowConflict:
                if self._row(profile.key) is None:
                    raise
                return self._same(profile)
            return replace(profile, version=Version(0, "", armed_at))

        return compare_and_swap(attempt, StorageUnavailable(retry_after_seconds=1))

    def get(self, key: ProfileKey) -> Profile:
        return self._opened(*self._living(self._row(key), key))

    def get_with_signature(self, key: ProfileKey) -> tuple[Profile, Signature | None]:
        return self._with_signature(self._row(key), key)

    def templates(self, profile: Profile) -> Sequence[PhraseTemplate]:
        prefix, whose = enrollments_prefix(profile.key, profile.epoch), profile.key.subscription_id
        rows = self._voices.query(whose, prefix, end_of(prefix), limit=MAX_PHRASE_TEMPLATES, select=TEMPLATE)
        templates = [opened_template(self._envelope, profile, row) for row in rows]
        return [template for template in templates if template]

    def get_many_with_signatures(self, keys: Sequence[ProfileKey]) -> list[tuple[Profile, Signature | None]]:
        rows = self._candidates.rows(keys)
        return [self._with_signature(row, key) for row, key in zip(rows, keys, strict=True)]

    def list(
        self, subscription_id: str, kind: ProfileKind, *, after: str | None = None, limit: int | None = None
    ) -> Sequence[Profile]:
        """As the port says; passphrases stay sealed and are ``None`` in the listed profiles."""
        policy, now = self._policies(subscription_id), self._clock()
        living: list[Profile] = []
        while True:
            start, end = profiles_range(kind, after)
            missing = None if limit is None else limit - len(living)
            rows = list(self._voices.query(subscription_id, start, end, limit=missing, select=PUBLIC_PROFILE))
            profiles = [with_expiry(profile_of(row), policy) for row in rows]
            living += [profile for profile in profiles if not _has_ended(profile, now)]
            # What has expired and is not erased yet leaves gaps: a page is filled up from behind it.
            if limit is None or len(rows) < (missing or 0) or len(living) >= limit:
                return living
            after = profiles[-1].key.profile_id

    def enroll(
        self,
        profile: Profile,
        signature: Signature,
        enrollment: Enrollment,
        audio: bytes | None,
        record: AuditEntry | None = None,
    ) -> Profile:
        profile = with_expiry(profile, self._policies(profile.key.subscription_id))
        return self._enroller.enroll(profile, signature, enrollment, audio, record)

    def reset(self, key: ProfileKey, at: datetime, record: AuditEntry | None = None) -> Profile:
        return self._emptied(key, at, lambda profile: profile, record)

    def withdraw_consent(self, key: ProfileKey, at: datetime, record: AuditEntry | None = None) -> Profile:
        def withdrawn(profile: Profile) -> Profile:
            return replace(profile, consent=profile.consent.withdrawn(at))

        return self._emptied(key, at, withdrawn, record)

    def annotate(self, profile: Profile, record: AuditEntry | None = None) -> Profile:
        key, recording = profile.key, record_of(record)

        def attempt() -> Profile:
            current, row = self._living(self._row(key), key)
            now = Version.of(current)
            if now.revision != Version.of(profile).revision:
                raise ProfileBusy(key.profile_id)
            after = replace(current, consent=profile.consent, retention=profile.retention)
            after = with_expiry(after, self._policies(key.subscription_id))
            armed_at, arming = armed(key, now.armed_at, after.expires_at)
            values = {name: value for name, value in row.values.items() if name not in NOTES}
            values |= {**notes(after), "revision": now.revision + 1, **({"armed_at": armed_at} if armed_at else {})}
            changes: list[Change] = [Replace(row.key, values, row.etag), *arming, *recording]
            if profile.retention != current.retention:
                changes += logged(self._voices, key)
            with written_once(recording):
                self._voices.apply(key.subscription_id, changes)
            return replace(self._opened(after, row), version=Version(now.revision + 1, "", armed_at))

        return compare_and_swap(attempt, ProfileBusy(key.profile_id))

    def delete(self, key: ProfileKey, at: datetime, record: AuditEntry | None = None) -> None:
        if not self._remover.remove(key, at, lambda row: bool(self._living(row, key)), record):
            raise ProfileNotFound(key.profile_id)

    def touch(self, key: ProfileKey, at: datetime) -> None:
        with suppress(RowMissing):
            self._voices.apply(key.subscription_id, [Merge(profile_row(key), {"last_action_at": at})])

    def _emptied(
        self, key: ProfileKey, at: datetime, change: Callable[[Profile], Profile], record: AuditEntry | None
    ) -> Profile:
        """The profile without its voice, which a tombstone names from then on."""

        def attempt() -> tuple[Profile, Insert]:
            old, row = self._living(self._row(key), key)
            version = Version.of(old)
            fresh = with_expiry(change(_without_voice(old, at)), self._policies(key.subscription_id))
            armed_at, arming = armed(key, version.armed_at, fresh.expires_at)
            tombstone = erase_due(at, key, old.epoch)
            values = profile_values(fresh, version.revision + 1, SealedVoice(), armed_at)
            changes: list[Change] = [Replace(row.key, values, row.etag), tombstone, *arming, *record_of(record)]
            if "signature" in row.values:
                changes += logged(self._voices, key)
            try:
                self._voices.apply(key.subscription_id, changes)
            except RowConflict:  # a tombstone that is there already is this very write, whose first answer was lost
                if self._voices.get(key.subscription_id, tombstone.key) is None:
                    raise
            return replace(fresh, version=Version(version.revision + 1, "", armed_at)), tombstone

        emptied, tombstone = compare_and_swap(attempt, ProfileBusy(key.profile_id))
        self._eraser.at_once(key.subscription_id, tombstone)
        return emptied

    def _row(self, key: ProfileKey) -> Row | None:
        return self._voices.get(key.subscription_id, profile_row(key))

    def _living(self, row: Row | None, key: ProfileKey) -> tuple[Profile, Row]:
        """The profile in the row, without its passphrase, and the row; absent and expired are the same."""
        if row is None:
            raise ProfileNotFound(key.profile_id)
        profile = with_expiry(profile_of(row), self._policies(key.subscription_id))
        if _has_ended(profile, self._clock()):
            raise ProfileNotFound(key.profile_id)
        return profile, row

    def _opened(self, profile: Profile, row: Row) -> Profile:
        sealed = sealed_voice_of(row).passphrase
        if sealed is None:
            return profile
        phrase = self._envelope.open(Place(profile.key, Secret.PASSPHRASE, profile.epoch, ""), sealed)
        return replace(profile, passphrase=phrase.decode())

    def _with_signature(self, row: Row | None, key: ProfileKey) -> tuple[Profile, Signature | None]:
        living, row = self._living(row, key)
        profile, sealed = self._opened(living, row), sealed_voice_of(row).signature
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


def _has_ended(profile: Profile, now: datetime) -> bool:
    return profile.expires_at is not None and profile.expires_at <= now


def _without_voice(profile: Profile, at: datetime) -> Profile:
    return Profile(
        key=profile.key,
        locale=profile.locale,
        created_at=profile.created_at,
        last_action_at=at,
        epoch=profile.epoch + 1,
        consent=profile.consent,
        retention=profile.retention,
    )
