"""Writes the lines of an archive into a subscription: each profile all or nothing, what is there already left alone.

A profile's recordings and enrollments come first, and its own row last: until then nothing can reach them. Before
them stands a tombstone of the profile, due in a day, which goes in the transaction that writes the profile. So what an
import that was cut off leaves behind is erased: by the next import, which starts that profile over, or by the timer.
And when the timer has been faster, the profile's row cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from shared.domain.audit import Actor, AuditAction, AuditEntry
from shared.domain.errors import ProfileNotFound, TooManyProfiles
from shared.domain.group import Group
from shared.domain.limits import MAX_GROUPS
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.domain.retention import with_expiry
from shared.domain.subscription import Subscription
from shared.storage.audit import record_of
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.ports import Change, Insert, Remove, RowConflict, RowExists
from shared.storage.layout import TALLY, audio_blob, enrollment_row, profile_row
from shared.storage.profiles.change_log import logged
from shared.storage.profiles.records import (
    SealedVoice,
    Version,
    enrollment_values,
    first_sum,
    profile_of,
    profile_values,
    vector_bytes,
)
from shared.storage.profiles.removal import Eraser, count, counted
from shared.storage.profiles.schedule import ERASE, action_of, armed, erase_due, key_in
from shared.storage.sealing.envelope import Place, Secret, template_place
from shared.storage.stores import Stores
from tools.portability.archive import ArchiveRefused
from tools.portability.content import FORMATS, Counts, PortableEnrollment, PortableProfile, decoded
from tools.portability.deployment import audit_of, new_id, now

IMPORTING: Final = "importing"
"""On a tombstone: it is an import's own."""

LEFT_ALONE: Final = timedelta(days=1)
"""How long an import may take for one profile, and when the timer erases what one that was cut off left."""


class ImportCrossed(Exception):
    """Something else wrote into the subscription what this import was writing: another import, or the timer."""


@dataclass
class Imported:
    """``renamed`` maps the ids of the archive that are another profile's here to the new ones."""

    profiles: int = 0
    enrollments: int = 0
    recordings: int = 0
    members: int = 0
    there_already: int = 0
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass
class _Profile:
    """One that is being written."""

    portable: PortableProfile = field(repr=False)
    tombstone: Insert
    enrollments: int = 0

    @property
    def profile(self) -> Profile:
        return self.portable.profile


def check(lines: Iterable[bytes]) -> Counts:
    """Read the archive to its end and hold it against its last line. Raises ``ArchiveRefused``."""
    found, last, first = Counts(), None, True
    names = {"profile": "profiles", "enrollment": "enrollments", "group": "groups", "member": "members"}
    for line in lines:
        said = decoded(line)
        if first and (said["type"] != "subscription" or said.get("format") not in FORMATS):
            raise ArchiveRefused(f"The archive's content is of none of the formats {FORMATS}.")
        if last is not None:
            raise ArchiveRefused("The archive goes on behind its end.")
        first = False
        if said["type"] in names:
            name = names[said["type"]]
            setattr(found, name, getattr(found, name) + 1)
            found.recordings += said["type"] == "enrollment" and said.get("audio") is not None
        elif said["type"] == "end":
            last = {name: said.get(name) for name in asdict(found)}
    if last != asdict(found):
        raise ArchiveRefused("The archive is not complete.")
    return found


class SubscriptionWriter:
    """One import. ``source`` is known from the archive's first line."""

    def __init__(self, stores: Stores, subscription: Subscription) -> None:
        self._stores, self._settings = stores, subscription.settings
        self._subscription_id = subscription.subscription_id
        self._voices, self._audio, self._seal = stores.storage.voices, stores.storage.audio, stores.envelope.seal
        self._source = ""
        self._open: _Profile | None = None
        self._erasing: set[str] = set()
        self.done = Imported()

    def write(
        self, lines: Iterable[bytes], actor: Actor, progress: Callable[[Imported], None] = lambda _: None
    ) -> None:
        """Raises ``ArchiveRefused``, ``ImportCrossed``, ``TooManyProfiles``, ``StorageUnavailable``; all of them leave
        whole profiles only, and the import can be run again."""
        self._erasing = self._clear_up()
        for line in lines:
            said = decoded(line)
            if said["type"] != "enrollment":
                self._finish(actor)
                progress(self.done)
            try:
                self._line(said)
            except (KeyError, TypeError, ValueError, StopIteration):
                raise ArchiveRefused(f"The archive holds a broken record of type {said['type'][:20]}.") from None

    def _line(self, said: dict[str, Any]) -> None:
        match said["type"]:
            case "subscription":
                self._source = str(said["subscriptionId"])
            case "profile":
                self._begin(PortableProfile.of(said, self._subscription_id))
            case "enrollment":
                self._enrollment(PortableEnrollment.of(said))
            case "group":
                self._group(said)
            case "member":
                self._member(said)

    def _clear_up(self) -> set[str]:
        """Erase what earlier imports left half-written; the ids of profiles whose erasure is under way."""
        eraser, erasing = Eraser(self._voices, self._audio), set[str]()
        for row in list(self._voices.query(self._subscription_id, "due:", "due;")):
            if action_of(row) == ERASE:
                if row.values.get(IMPORTING):
                    eraser(row)
                else:
                    erasing.add(key_in(row).profile_id)
        return erasing

    def _begin(self, portable: PortableProfile) -> None:
        self._open = None
        profile = portable.profile
        key = self._place(profile)
        if key is None:
            self.done.there_already += 1
            return
        if key != profile.key:
            self.done.renamed[profile.key.profile_id] = key.profile_id
        due = erase_due(now() + LEFT_ALONE, key, None)
        tombstone = Insert(due.key, {**due.values, IMPORTING: True})
        self._voices.apply(self._subscription_id, [tombstone])
        self._open = _Profile(PortableProfile(replace(profile, key=key), portable.signature), tombstone)

    def _place(self, profile: Profile) -> ProfileKey | None:
        """The profile's own id if it is free here, else one that every import of this archive finds again; None when
        the profile is there."""
        own = profile.key
        origin = f"timbre:{self._source}:{own.kind.value}:{own.profile_id}:{profile.created_at.isoformat()}"
        for key in (own, replace(own, profile_id=str(uuid5(NAMESPACE_URL, origin)))):
            row = self._voices.get(self._subscription_id, profile_row(key))
            if row is not None and profile_of(row).created_at == profile.created_at:
                if key != own:
                    self.done.renamed[own.profile_id] = key.profile_id
                return None
            if row is None and key.profile_id not in self._erasing:
                return key
        raise ImportCrossed(f"profile {own.profile_id} is being erased; run the import again after the next timer tick")

    def _enrollment(self, one: PortableEnrollment) -> None:
        if self._open is None:
            return
        profile, key = self._open.profile, self._open.profile.key
        model_id, template, blob = one.enrollment.model_id, one.enrollment.template, None
        if one.audio is not None:
            blob = audio_blob(key, profile.epoch, one.enrollment_id)
            place = Place(key, Secret.AUDIO, profile.epoch, model_id, one.enrollment_id)
            self._audio.put(blob, self._seal(place, one.audio))
            self.done.recordings += 1
        place = Place(key, Secret.EMBEDDING, profile.epoch, model_id, one.enrollment_id)
        embedding, take = self._seal(place, vector_bytes(one.enrollment.embedding)), None
        if template:
            take = self._seal(
                template_place(key, profile.epoch, template.front_end, one.enrollment_id), template.content
            )
        values = enrollment_values(one.enrollment, one.enrollment_id, embedding, blob, take)
        insert = Insert(enrollment_row(key, profile.epoch, one.number), values)
        try:
            self._voices.apply(self._subscription_id, [insert])
        except RowExists:
            there = self._voices.get(self._subscription_id, insert.key)
            if there is None or there.values.get("enrollment_id") != one.enrollment_id:
                raise ImportCrossed(f"profile {key.profile_id} is written by somebody else") from None
        self._open.enrollments += 1
        self.done.enrollments += 1

    def _finish(self, actor: Actor) -> None:
        """The open profile's own row: from here on the service finds it."""
        opened, self._open = self._open, None
        if opened is None:
            return
        profile = opened.profile
        if opened.enrollments != profile.enrollments_count:
            raise ArchiveRefused(f"Enrollments of profile {profile.key.profile_id} are missing in the archive.")
        recording = audit_of(self._stores).recording
        with recording(actor, AuditAction.CREATE_PROFILE, profile.key, model_id=profile.model_id) as record:
            self._commit(opened, record())
        self.done.profiles += 1

    def _commit(self, opened: _Profile, record: AuditEntry | None) -> None:
        settings, voices = self._settings, self._voices
        profile = with_expiry(opened.profile, settings.retention)
        armed_at, arming = armed(profile.key, None, profile.expires_at)
        values = profile_values(profile, Version.of(profile).revision, self._sealed(opened), armed_at)
        insert = Insert(profile_row(profile.key), values)

        def attempt() -> None:
            tally = voices.get(self._subscription_id, TALLY)
            if count(tally) >= settings.max_profiles:
                raise TooManyProfiles(settings.max_profiles)
            changes: list[Change] = [
                insert, counted(tally, count(tally) + 1), Remove(opened.tombstone.key), *arming, *record_of(record),
            ]  # fmt: skip
            if opened.portable.signature is not None:
                changes += logged(voices, profile.key)
            try:
                voices.apply(self._subscription_id, changes)
            except RowConflict:
                if voices.get(self._subscription_id, opened.tombstone.key) is not None:
                    raise

        compare_and_swap(attempt)
        if voices.get(self._subscription_id, insert.key) is None:
            raise ImportCrossed(f"profile {profile.key.profile_id} was cleared up by another import or the timer")

    def _sealed(self, opened: _Profile) -> SealedVoice:
        profile, signature = opened.profile, opened.portable.signature
        seal, key, epoch = self._seal, profile.key, profile.epoch
        phrase = profile.passphrase
        place = Place(key, Secret.SIGNATURE, epoch, profile.model_id or "")
        return SealedVoice(
            signature=None if signature is None else seal(place, first_sum(signature)),
            passphrase=None if phrase is None else seal(Place(key, Secret.PASSPHRASE, epoch, ""), phrase.encode()),
        )

    def _group(self, said: dict[str, Any]) -> None:
        group = Group(self._subscription_id, str(said["name"]), new_id(), now())
        self._stores.groups.put(group, MAX_GROUPS)

    def _member(self, said: dict[str, Any]) -> None:
        profile_id = self.done.renamed.get(str(said["profileId"]), str(said["profileId"]))
        key = ProfileKey(self._subscription_id, ProfileKind.IDENTIFICATION, profile_id)
        try:
            self._stores.groups.add(str(said["group"]), key)
        except ProfileNotFound:  # deleted while the archive was written, or expired since
            return
        self.done.members += 1
