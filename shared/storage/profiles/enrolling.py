"""One enrollment into storage, all or nothing.

With audio there are two technologies and so three steps: a row that says "this blob is being uploaded", the blob, and
one transaction that changes the profile, adds the enrollment and takes the first row away. Whatever a crash leaves is
found through that row; and when the timer has taken the row, the transaction cannot succeed any more.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from shared.domain.errors import ProfileBusy, ProfileNotFound, StorageUnavailable
from shared.domain.profile import Enrollment, Profile, Signature
from shared.services.ports import Ids
from shared.storage.backend.compare_and_swap import MAX_ATTEMPTS, Pause, rest
from shared.storage.backend.ports import Blobs, Change, Insert, Remove, Replace, Row, RowConflict, Rows
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
from shared.storage.profiles.schedule import armed, remove_silently, still_needed, upload_due
from shared.storage.sealing.envelope import Envelope, Place, Secret

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Upload:
    """Audio on its way: its blob, and the row that the timer finds it by."""

    blob: str
    due: Insert


@dataclass(frozen=True)
class _Commit:
    """Everything that one transaction is to write; the profile's ETag is filled in for each attempt."""

    profile: Profile
    revision: int
    sealed: SealedVoice
    enrollment_id: str
    enrollment: Insert = field(repr=False)
    upload: _Upload | None
    expires_at: datetime | None

    @property
    def subscription_id(self) -> str:
        return self.profile.key.subscription_id

    def changes(self, profile: Profile, version: Version) -> list[Change]:
        armed_at, arming = armed(profile.key, version.armed_at, self.expires_at)
        values = profile_values(profile, self.revision, self.sealed, armed_at)
        changes: list[Change] = [Replace(profile_row(profile.key), values, version.etag), self.enrollment, *arming]
        return changes if self.upload is None else [*changes, Remove(self.upload.due.key)]


class Enroller:
    def __init__(self, voices: Rows, audio: Blobs, envelope: Envelope, ids: Ids, pause: Pause = rest) -> None:
        self._voices, self._audio, self._envelope, self._ids, self._pause = voices, audio, envelope, ids, pause

    def enroll(self, profile: Profile, signature: Signature, enrollment: Enrollment, audio: bytes | None) -> Profile:
        """As ``ProfileStore.enroll``."""
        version = Version.of(profile)
        enrollment_id = self._ids()
        keeps = audio is not None and profile.key.kind.keeps_audio
        upload = _upload(profile, enrollment, enrollment_id) if keeps else None
        commit = self._sealed(profile, signature, enrollment, enrollment_id, version.revision + 1, upload)
        if upload is not None and audio is not None:
            sealed_audio = self._envelope.seal(
                Place(profile.key, Secret.AUDIO, profile.epoch, enrollment.model_id, enrollment_id), audio
            )
            self._voices.apply(commit.subscription_id, [upload.due])
            self._audio.put(upload.blob, sealed_audio)
        try:
            return self._committed(commit, version)
        except (ProfileBusy, ProfileNotFound):
            self._withdraw(commit)
            raise

    def _sealed(
        self,
        profile: Profile,
        signature: Signature,
        enrollment: Enrollment,
        enrollment_id: str,
        revision: int,
        upload: _Upload | None,
    ) -> _Commit:
        key, epoch, model_id = profile.key, profile.epoch, signature.model_id
        profile = replace(profile, model_id=model_id)
        seal = self._envelope.seal
        embedding = seal(
            Place(key, Secret.EMBEDDING, epoch, enrollment.model_id, enrollment_id), vector_bytes(enrollment.embedding)
        )
        phrase = None if profile.passphrase is None else profile.passphrase.encode()
        sealed = SealedVoice(
            signature=seal(Place(key, Secret.SIGNATURE, epoch, model_id), signature_bytes(signature)),
            passphrase=None if phrase is None else seal(Place(key, Secret.PASSPHRASE, epoch, ""), phrase),
        )
        blob = upload.blob if upload else None
        insert = Insert(
            enrollment_row(key, epoch, revision), enrollment_values(enrollment, enrollment_id, embedding, blob)
        )
        return _Commit(profile, revision, sealed, enrollment_id, insert, upload, profile.expires_at)

    def _committed(self, commit: _Commit, version: Version) -> Profile:
        """Run the transaction, again when the profile was merely used in between, or when another profile's change took
        the next place in the log."""
        profile, current = commit.profile, version
        for attempt in range(MAX_ATTEMPTS):
            if not current.etag:
                profile, current = self._unchanged(commit, version)
            changes = [*commit.changes(profile, current), *logged(self._voices, profile.key)]
            if attempt:
                changes = still_needed(self._voices, commit.subscription_id, changes)
            try:
                self._voices.apply(commit.subscription_id, changes)
            except RowConflict:
                if self._is_written(commit):
                    break
                self._pause(attempt)
                profile, current = self._unchanged(commit, version)
                continue
            except StorageUnavailable:
                # The answer may be lost though the enrollment is written: a retry of the caller would double it.
                if not self._is_written(commit):
                    raise
            break
        else:
            raise ProfileBusy(profile.key.profile_id)
        return replace(profile, version=str(Version(commit.revision, "")))

    def _unchanged(self, commit: _Commit, version: Version) -> tuple[Profile, Version]:
        """The version of now, if nothing has happened that the enrollment does not know of."""
        profile = commit.profile
        row = self._voices.get(commit.subscription_id, profile_row(profile.key))
        if row is None:
            raise ProfileNotFound(profile.key.profile_id)
        current = profile_of(row, profile.key.kind)
        now = Version.of(current)
        if now.revision != version.revision or self._is_taken(commit):
            raise ProfileBusy(profile.key.profile_id)
        return replace(profile, last_action_at=max(profile.last_action_at, current.last_action_at)), now

    def _is_written(self, commit: _Commit) -> bool:
        """Whether the conflict is with this very transaction, written although its first answer was lost."""
        row: Row | None = self._voices.get(commit.subscription_id, commit.enrollment.key)
        return row is not None and row.values.get("enrollment_id") == commit.enrollment_id

    def _is_taken(self, commit: _Commit) -> bool:
        """Whether the timer has given up the upload."""
        if commit.upload is None:
            return False
        return self._voices.get(commit.subscription_id, commit.upload.due.key) is None

    def _withdraw(self, commit: _Commit) -> None:
        """Clean up at once what the timer would clean up later. The blob goes first: its row is how it is found."""
        if commit.upload is None:
            return
        with suppress(StorageUnavailable):
            self._audio.delete(commit.upload.blob)
            remove_silently(self._voices, commit.subscription_id, commit.upload.due.key)


def _upload(profile: Profile, enrollment: Enrollment, enrollment_id: str) -> _Upload:
    blob = audio_blob(profile.key, profile.epoch, enrollment_id)
    return _Upload(blob, upload_due(enrollment.created_at, enrollment_id, blob))
