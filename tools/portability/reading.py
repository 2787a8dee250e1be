"""Reads a subscription into the lines of an archive, while the service may be at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Final

from shared.domain.profile import Enrollment, Profile, ProfileKind
from shared.domain.retention import has_expired
from shared.domain.subscription import Owner, Subscription
from shared.http.settings import settings_shown
from shared.storage.backend.ports import Row
from shared.storage.backend.row_values import read
from shared.storage.layout import end_of, enrollments_prefix, profiles_range
from shared.storage.profiles.migration import SEALED_BY
from shared.storage.profiles.records import Version, opened_template, profile_of, sealed_voice_of, vector_from
from shared.storage.sealing.envelope import Place, Secret
from shared.storage.stores import Stores
from tools.portability.content import FORMAT, Counts, PortableEnrollment, PortableProfile, encoded, time_text

ATTEMPTS: Final = 10
_PAGE: Final = 500


class ProfileRestless(Exception):
    """A profile changed every time it was read."""


class SubscriptionReader:
    """``missing`` counts recordings that an enrollment names and that are not there, or no more."""

    def __init__(self, stores: Stores) -> None:
        self._voices, self._audio = stores.storage.voices, stores.storage.audio
        self._envelope, self._groups = stores.envelope, stores.groups
        self.counts, self.missing = Counts(), 0

    def lines(
        self, subscription: Subscription, at: datetime, progress: Callable[[Counts], None] = lambda _: None
    ) -> Iterator[bytes]:
        """Every profile as of one moment of its own. What has expired is left out, as for every reader.

        Raises ``ProfileRestless``, ``SealBroken``, ``SubscriptionUnknown``, ``StorageUnavailable``.
        """
        subscription_id = subscription.subscription_id
        yield encoded(
            {
                "type": "subscription",
                "format": FORMAT,
                "subscriptionId": subscription_id,
                "exportedDateTime": time_text(at),
                "settings": settings_shown(subscription.settings, Owner.OPERATOR),
            }
        )
        for kind in ProfileKind:
            for row in self._voices.query(subscription_id, *profiles_range(kind, None)):
                yield from self._profile(row, subscription, at)
                progress(self.counts)
        yield from self._grouped(subscription_id)
        yield encoded({"type": "end", **asdict(self.counts)})

    def _profile(self, row: Row, subscription: Subscription, at: datetime) -> Iterator[bytes]:
        found = self._settled(row)
        if found is None:
            return
        row, profile, enrollments = found
        if has_expired(profile, subscription.settings.retention, at):
            return
        yield self._opened(row, profile).line()
        self.counts.profiles += 1
        for one in enrollments:
            yield self._enrollment(profile, one).line(profile.key)
            self.counts.enrollments += 1

    def _settled(self, row: Row) -> tuple[Row, Profile, list[Row]] | None:
        """The profile with the enrollments of that very moment; None when it was deleted meanwhile."""
        for _ in range(ATTEMPTS):
            profile = profile_of(row)
            prefix = enrollments_prefix(profile.key, profile.epoch)
            enrollments = list(self._voices.query(row.partition, prefix, end_of(prefix)))
            now = self._voices.get(row.partition, row.key)
            if now is None:
                return None
            same = Version.of(profile_of(now)).revision == Version.of(profile).revision
            if same and len(enrollments) == profile.enrollments_count:
                return row, profile, enrollments
            row = now
        raise ProfileRestless(row.key)

    def _opened(self, row: Row, profile: Profile) -> PortableProfile:
        sealed, key, epoch = sealed_voice_of(row), profile.key, profile.epoch
        if sealed.passphrase is not None:
            phrase = self._envelope.open(Place(key, Secret.PASSPHRASE, epoch, ""), sealed.passphrase)
            profile = replace(profile, passphrase=phrase.decode())
        signature = None
        if sealed.signature is not None:
            place = Place(key, Secret.SIGNATURE, epoch, profile.model_id or "")
            signature = self._envelope.open(place, sealed.signature)
        return PortableProfile(profile, signature)

    def _enrollment(self, profile: Profile, row: Row) -> PortableEnrollment:
        enrollment_id, model_id = row.get("enrollment_id", str), row.get("model_id", str)

        def opened(secret: Secret, sealed: bytes, sealed_by: str = model_id) -> bytes:
            return self._envelope.open(Place(profile.key, secret, profile.epoch, sealed_by, enrollment_id), sealed)

        blob, audio = row.maybe("blob", str), None
        if blob is not None:
            sealed = self._audio.get(blob)
            audio = None if sealed is None else opened(Secret.AUDIO, sealed, row.maybe(SEALED_BY, str) or model_id)
            self.counts.recordings += audio is not None
            self.missing += audio is None
        enrollment = read(
            row,
            Enrollment,
            embedding=vector_from(opened(Secret.EMBEDDING, row.get("embedding", bytes))),
            snr_db=row.get("snr_db", float) if "snr_db" in row.values else float("inf"),
            template=opened_template(self._envelope, profile, row),
        )
        return PortableEnrollment(int(row.key.rpartition(":")[2]), enrollment_id, enrollment, audio)

    def _grouped(self, subscription_id: str) -> Iterator[bytes]:
        after = None
        while groups := self._groups.page(subscription_id, after=after, limit=_PAGE):
            for group in groups:
                created = time_text(group.created_at)
                yield encoded({"type": "group", "name": group.name, "createdDateTime": created})
                self.counts.groups += 1
                last = None
                while members := self._groups.members(subscription_id, group.name, after=last, limit=_PAGE):
                    for profile_id in members:
                        yield encoded({"type": "member", "group": group.name, "profileId": profile_id})
                        self.counts.members += 1
                    last = members[-1]
            after = groups[-1].name
