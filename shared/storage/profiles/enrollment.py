"""One enrollment into storage, all or nothing.

With audio there are two technologies and so three steps: a row that says "this blob is being uploaded", the blob, and
one transaction that changes the profile, adds the enrollment and takes the first row away. Whatever a crash leaves is
found through that row; and when the timer has taken the row, the transaction cannot succeed any more.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

from shared.domain.audit import AuditEntry
from shared.domain.errors import ProfileBusy, ProfileNotFound, StorageUnavailable
from shared.domain.profile import Enrollment, Profile, ProfileKey, Signature
from shared.services.ports.clock_and_ids import Ids
from shared.storage.audit import record_of
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import Blobs, Change, Insert, Remove, Replace, RowConflict, Rows
from shared.storage.layout import audio_blob, enrollment_row, profile_row
from shared.storage.profiles.change_log import logged
from shared.storage.profiles.records import (
    SealedVoice,
    Version,
    enrollment_values,
    profile_of,
    profile_values,
    signature_bytes,
    vector_bytes,
)
from shared.storage.profiles.schedule import armed, upload_due
from shared.storage.sealing.envelope import Envelope, Place, Secret, template_place


@dataclass(frozen=True)
class _Commit:
    """Everything that one transaction is to write; the profile's ETag is filled in for each attempt.

    ``upload`` is the row that the timer finds the audio by, which is on its way.
    """

    profile: Profile
    read: Version
    sealed: SealedVoice
    enrollment_id: str
    enrollment: Insert = field(repr=False)
    upload: Insert | None
    record: AuditEntry | None

    @property
    def key(self) -> ProfileKey:
        return self.profile.key

    @property
    def revision(self) -> int:
        return self.read.revision + 1

    def changes(self, profile: Profile, now: Version) -> list[Change]:
        armed_at, arming = armed(self.key, now.armed_at, self.profile.expires_at)
        values = profile_values(profile, self.revision, self.sealed, armed_at)
        changes: list[Change] = [Replace(profile_row(self.key), values, now.etag), self.enrollment, *arming]
        changes += record_of(self.record)
        return changes if self.upload is None else [*changes, Remove(self.upload.key)]


class Enroller:
    def __init__(self, voices: Rows, audio: Blobs, envelope: Envelope, ids: Ids) -> None:
        self._voices, self._audio, self._envelope, self._ids = voices, audio, envelope, ids

    def enroll(
        self,
        profile: Profile,
        signature: Signature,
        enrollment: Enrollment,
        audio: bytes | None,
        record: AuditEntry | None,
    ) -> Profile:
        """As ``ProfileStore.enroll``."""
        key, enrollment_id = profile.key, self._ids()
        if audio is None or not key.kind.keeps_audio:
            commit = self._sealed(profile, signature, enrollment, enrollment_id, None)
            return self._committed(replace(commit, record=record))
        blob = audio_blob(key, profile.epoch, enrollment_id)
        place = Place(key, Secret.AUDIO, profile.epoch, enrollment.model_id, enrollment_id)
        commit = self._sealed(profile, signature, enrollment, enrollment_id, blob)
        sealed_audio = self._envelope.seal(place, audio)
        upload = upload_due(enrollment.created_at, enrollment_id, blob)
        self._voices.apply(key.subscription_id, [upload])
        self._audio.put(blob, sealed_audio)
        try:
            return self._committed(replace(commit, upload=upload, record=record))
        except (ProfileBusy, ProfileNotFound):
            with suppress(StorageUnavailable):  # the timer would clean up later; the row is how it finds the blob
                self._audio.delete(blob)
                remove_silently(self._voices, key.subscription_id, upload.key)
            raise

    def _sealed(
        self, profile: Profile, signature: Signature, enrollment: Enrollment, enrollment_id: str, blob: str | None
    ) -> _Commit:
        key, epoch, version = profile.key, profile.epoch, Version.of(profile)
        seal = self._envelope.seal
        embedding = seal(
            Place(key, Secret.EMBEDDING, epoch, enrollment.model_id, enrollment_id), vector_bytes(enrollment.embedding)
        )
        phrase, template = profile.passphrase, enrollment.template
        sealed_template = None
        if template:
            place = template_place(key, epoch, template.front_end, enrollment_id)
            sealed_template = seal(place, template.content)
        sealed = SealedVoice(
            signature=seal(Place(key, Secret.SIGNATURE, epoch, signature.model_id), signature_bytes(signature)),
            passphrase=None if phrase is None else seal(Place(key, Secret.PASSPHRASE, epoch, ""), phrase.encode()),
        )
        insert = Insert(
            enrollment_row(key, epoch, version.revision + 1),
            enrollment_values(enrollment, enrollment_id, embedding, blob, sealed_template),
        )
        after = replace(profile, model_id=signature.model_id)
        return _Commit(after, version, sealed, enrollment_id, insert, upload=None, record=None)

    def _committed(self, commit: _Commit) -> Profile:
        """Run the transaction, again when the profile was merely used in between, or when another profile's change took
        the next place in the log."""
        fresh = [(commit.profile, commit.read)] if commit.read.etag else []

        def attempt() -> Profile:
            profile, now = fresh.pop() if fresh else self._unchanged(commit)
            changes = [*commit.changes(profile, now), *logged(self._voices, commit.key)]
            try:
                self._voices.apply(commit.key.subscription_id, changes)
            except (RowConflict, StorageUnavailable):
                # The answer may be lost though the enrollment is written: a retry would double it.
                if not self._is_written(commit):
                    raise
            return replace(profile, version=Version(commit.revision, ""))

        return compare_and_swap(attempt, ProfileBusy(commit.key.profile_id))

    def _unchanged(self, commit: _Commit) -> tuple[Profile, Version]:
        """The version of now, if nothing has happened that the enrollment does not know of."""
        row = self._voices.get(commit.key.subscription_id, profile_row(commit.key))
        if row is None:
            raise ProfileNotFound(commit.key.profile_id)
        current = profile_of(row)
        now = Version.of(current)
        if now.revision != commit.read.revision or self._is_abandoned(commit):
            raise ProfileBusy(commit.key.profile_id)
        last_action_at = max(commit.profile.last_action_at, current.last_action_at)
        return replace(commit.profile, last_action_at=last_action_at), now

    def _is_written(self, commit: _Commit) -> bool:
        row = self._voices.get(commit.key.subscription_id, commit.enrollment.key)
        return row is not None and row.values.get("enrollment_id") == commit.enrollment_id

    def _is_abandoned(self, commit: _Commit) -> bool:
        """Whether the timer has given up the upload."""
        if commit.upload is None:
            return False
        return self._voices.get(commit.key.subscription_id, commit.upload.key) is None
