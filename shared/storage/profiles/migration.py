"""Moves profiles to another speaker model, each in one transaction with the count of it.

The row ``migration`` holds how far the walk has come. It is written in the same transaction as each profile that the
walk changes, so that a process killed at any moment leaves neither a profile that was not counted nor one counted
twice. A profile changes only under its ETag: an enrollment, a reset or a deletion that comes in between wins.

The audio stays sealed as it is, bound to the model it was enrolled with; the enrollment's row remembers that model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from shared.domain.errors import ProfileBusy, ProfileNotFound
from shared.domain.migration import (
    AudioNotKept,
    Candidate,
    CandidatePage,
    KeptRecording,
    MigrationProgress,
    Rebuilt,
)
from shared.domain.profile import Profile, ProfileKey, Signature
from shared.domain.retention import has_expired
from shared.services.ports.clock_and_ids import Clock
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.ports import (
    MAX_CHANGES,
    Blobs,
    Change,
    Insert,
    Merge,
    Row,
    RowConflict,
    RowMissing,
    Rows,
    Value,
)
from shared.storage.backend.row_values import read, written
from shared.storage.layout import (
    MIGRATION,
    PROFILES,
    end_of,
    enrollments_prefix,
    profile_row,
)
from shared.storage.profiles.change_log import logged
from shared.storage.profiles.expiry import Policies
from shared.storage.profiles.records import PUBLIC_PROFILE, Version, profile_of, signature_bytes, vector_bytes
from shared.storage.sealing.envelope import Envelope, Place, Secret

OTHER_CHANGES: Final = 4
"""In the transaction that ends a profile's migration: the profile, the progress, and two rows that tell of a change."""

HOPELESS: Final = "hopeless_for"
"""On a profile: the model that it could not be migrated to. A new enrollment or a reset takes it away."""

SEALED_BY: Final = "audio_model_id"
"""On an enrollment: the model whose id its audio is sealed with, when that is not the enrollment's own any more."""


class RowMigrationStore:
    """Implements ``MigrationStore``. Every method may raise ``StorageUnavailable``."""

    def __init__(
        self,
        voices: Rows,
        audio: Blobs,
        envelope: Envelope,
        policies: Policies,
        clock: Clock,
    ) -> None:
        self._voices, self._audio, self._envelope = voices, audio, envelope
        self._policies, self._clock = policies, clock

    def progress(self, subscription_id: str) -> MigrationProgress | None:
        row = self._voices.get(subscription_id, MIGRATION)
        return None if row is None else _progress(row)

    def save(self, subscription_id: str, progress: MigrationProgress) -> None:
        values = _values(progress)
        try:
            self._voices.apply(subscription_id, [Merge(MIGRATION, values)])
        except RowMissing:
            self._voices.apply(subscription_id, [Insert(MIGRATION, values)])

    def page(self, subscription_id: str, after: str, limit: int) -> CandidatePage:
        start = f"{after}!" if after else PROFILES
        select = (*PUBLIC_PROFILE, HOPELESS)
        rows = list(self._voices.query(subscription_id, start, end_of(PROFILES), limit=limit, select=select))
        policy, now = self._policies(subscription_id), self._clock()
        candidates = [Candidate(profile_of(row), row.key, row.maybe(HOPELESS, str)) for row in rows]
        return CandidatePage(
            candidates=[candidate for candidate in candidates if not has_expired(candidate.profile, policy, now)],
            cursor=rows[-1].key if rows else after,
            last=len(rows) < limit,
        )

    def recordings(self, profile: Profile) -> Iterator[KeptRecording]:
        """One by one, in the order of enrollment. ``AudioNotKept`` when any is missing; ``SealBroken``."""
        rows = self._enrollments(profile)
        names = [row.maybe("blob", str) for row in rows]
        if len(rows) < max(1, profile.enrollments_count) or None in names:
            raise AudioNotKept(profile.key.profile_id)
        for row, name in zip(rows, names, strict=True):
            yield self._opened(profile, row, name or "")

    def replace(
        self, profile: Profile, signature: Signature, rebuilt: Sequence[Rebuilt], progress: MigrationProgress
    ) -> None:
        key, model_id = profile.key, signature.model_id
        sealed = self._envelope.seal(Place(key, Secret.SIGNATURE, profile.epoch, model_id), signature_bytes(signature))
        rows = {row.key: row for row in self._enrollments(profile)}
        if set(rows) != {recording.enrollment for recording in rebuilt}:
            raise ProfileBusy(key.profile_id)
        enrollments = [self._embedding(profile, rows[new.enrollment], new, model_id) for new in rebuilt]
        room = MAX_CHANGES - OTHER_CHANGES
        *before, final = [enrollments[start : start + room] for start in range(0, len(enrollments), room)]
        for some in before:  # of a long profile; a walk cut off here rebuilds them from the audio again
            self._apply(key, some)
        revision = Version.of(profile).revision + 1
        values: dict[str, Value] = {"signature": sealed, "model_id": model_id, "revision": revision}
        self._change(profile, values, [*final, Merge(MIGRATION, _values(progress))])

    def flag(self, profile: Profile, model_id: str, progress: MigrationProgress) -> None:
        self._change(profile, {HOPELESS: model_id}, [Merge(MIGRATION, _values(progress))])

    def _enrollments(self, profile: Profile) -> list[Row]:
        prefix = enrollments_prefix(profile.key, profile.epoch)
        return list(self._voices.query(profile.key.subscription_id, prefix, end_of(prefix)))

    def _opened(self, profile: Profile, row: Row, name: str) -> KeptRecording:
        sealed = self._audio.get(name)
        if sealed is None:
            raise AudioNotKept(profile.key.profile_id)
        sealed_by = row.maybe(SEALED_BY, str) or row.get("model_id", str)
        place = Place(profile.key, Secret.AUDIO, profile.epoch, sealed_by, row.get("enrollment_id", str))
        return KeptRecording(row.key, row.get("speech_seconds", float), self._envelope.open(place, sealed))

    def _embedding(self, profile: Profile, row: Row, rebuilt: Rebuilt, model_id: str) -> Merge:
        place = Place(profile.key, Secret.EMBEDDING, profile.epoch, model_id, row.get("enrollment_id", str))
        sealed = self._envelope.seal(place, vector_bytes(rebuilt.embedding))
        sealed_by = row.maybe(SEALED_BY, str) or row.get("model_id", str)
        return Merge(row.key, {"embedding": sealed, "model_id": model_id, SEALED_BY: sealed_by}, row.etag)

    def _change(self, profile: Profile, values: dict[str, Value], others: Sequence[Change]) -> None:
        """Write the profile's new values and the other changes if nothing but uses has happened to the profile.

        Raises ``ProfileBusy``, ``ProfileNotFound``.
        """
        key, seen = profile.key, Version.of(profile)
        etag = seen.etag

        def attempt() -> None:
            nonlocal etag
            changes = [Merge(profile_row(key), values, etag), *others, *logged(self._voices, key)]
            try:
                self._voices.apply(key.subscription_id, changes)
            except RowConflict:
                row = self._voices.get(key.subscription_id, profile_row(key))
                if row is None:
                    raise ProfileNotFound(key.profile_id) from None
                if all(row.values.get(name) == value for name, value in values.items()):
                    return  # this very transaction, whose first answer was lost
                now = Version.of(profile_of(row))
                if now.revision != seen.revision:
                    raise ProfileBusy(key.profile_id) from None
                etag = now.etag
                raise

        compare_and_swap(attempt, ProfileBusy(key.profile_id))

    def _apply(self, key: ProfileKey, changes: Sequence[Change]) -> None:
        try:
            self._voices.apply(key.subscription_id, changes)
        except RowConflict:
            raise ProfileBusy(key.profile_id) from None


_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""A merge cannot take a value away, so a walk under way is written as one that ended then."""


def _values(progress: MigrationProgress) -> dict[str, Value]:
    return {"finished_at": _NEVER, **written(progress)}


def _progress(row: Row) -> MigrationProgress:
    progress = read(row, MigrationProgress)
    return replace(progress, finished_at=None) if progress.finished_at == _NEVER else progress
