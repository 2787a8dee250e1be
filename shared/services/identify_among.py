"""Identify the speaker among everybody who is enrolled, or everybody in a group. Nothing of the recording is stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from shared.domain.channel import Channel
from shared.domain.decision import Decision, open_set
from shared.domain.errors import ModelDiffers, NobodyEnrolled, ProfileNotEnrolled, ProfileNotFound
from shared.domain.group import Everyone, InGroup
from shared.domain.limits import AudioRules
from shared.domain.measurement import note
from shared.domain.profile import Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Audio
from shared.domain.subscription import Subscription
from shared.services.beside import beside
from shared.services.by_channel import Voice
from shared.services.identify import RANKED, Identification, RankedProfile
from shared.services.ports import (
    Clock,
    Galleries,
    GroupStore,
    Listener,
    ProfileStore,
    Ranked,
    SpeakerGallery,
    SpeakerModel,
)
from shared.services.side_by_side import SpeakerModels
from shared.services.verify import usable

SHORTLIST: Final = 100
"""Whose signatures are read when a voice came by a narrower channel. Measured with 45 speakers over the telephone: the
right one is in the nearest tenth in 80 % of calls, in the nearest third in 96 % and in the nearest half in 99.6 %."""


@dataclass(frozen=True)
class IdentifyAmong:
    """Open-set, as ``Identify``; candidates are those who are enrolled with a model that the service runs.

    Whoever is not enrolled yet, or was enrolled by a model that is gone, is simply no candidate. The locale is a label
    and does not matter here.
    """

    profiles: ProfileStore
    galleries: Galleries
    groups: GroupStore
    listener: Listener
    model: SpeakerModel
    clock: Clock
    previous: SpeakerModel | None = None

    def __call__(
        self, subscription: Subscription, candidates: Everyone | InGroup, audio: Audio, rules: AudioRules
    ) -> Identification:
        """Raises ``GroupNotFound``, ``NobodyEnrolled``, ``RecordingRefused``."""
        subscription_id, used_at = subscription.subscription_id, self.clock()
        group = candidates.name if isinstance(candidates, InGroup) else None
        settings = subscription.settings
        (members, gallery), utterance = beside(
            lambda: self._among(subscription_id, group),
            lambda: self.listener.listen(audio.content, audio.media_type, rules.moved(settings.quality), audio.channel),
        )
        models = SpeakerModels(self.model, self.previous, settings.calibration)
        ranked = self._ranked(subscription_id, models, Voice(utterance), gallery, members)
        note(candidates=ranked.candidates)
        if not ranked.best:
            raise NobodyEnrolled(group)
        identification = _identification(ranked, settings.thresholds.identification)
        if identification.identified:
            key = ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, identification.best.profile_id)
            self.profiles.touch(key, used_at)
        return identification

    def _among(self, subscription_id: str, group: str | None) -> tuple[Collection[str] | None, SpeakerGallery]:
        """Who is in the group, and everybody."""
        members = None if group is None else self.groups.all_members(subscription_id, group)
        return members, self.galleries.up_to_date(subscription_id)

    def _ranked(
        self,
        subscription_id: str,
        models: SpeakerModels,
        voice: Voice,
        gallery: SpeakerGallery,
        members: Collection[str] | None,
    ) -> Ranked:
        """Whoever enrolled in the wide band and is to be compared with a voice that came by less is only looked for in
        the gallery, which does not know how they sound there."""
        running = {one.model_id for one in models.running}
        scorers = {origin: models.scorer(voice, origin) for origin in gallery.origins if origin.model_id in running}
        narrow = voice.channel is not Channel.WIDE
        looked_for = {origin: one for origin, one in scorers.items() if narrow and origin.channel is Channel.WIDE}
        known = {origin: one for origin, one in scorers.items() if origin not in looked_for}
        ranked = gallery.best(known, RANKED, members)
        if not looked_for:
            return ranked
        nearest = gallery.best(looked_for, SHORTLIST, members)
        compared = self._as_heard_there(subscription_id, models, voice, nearest)
        best = sorted([*ranked.best, *compared], key=lambda pair: -pair[1])[:RANKED]
        return Ranked(best, ranked.candidates + nearest.candidates)

    def _as_heard_there(
        self, subscription_id: str, models: SpeakerModels, voice: Voice, some: Ranked
    ) -> list[tuple[str, float]]:
        """The nearest compared again as they sound by narrower channels."""
        found: list[tuple[str, Signature]] = []
        for profile, signature in self._read(subscription_id, [profile_id for profile_id, _ in some.best]):
            with suppress(ProfileNotEnrolled, ModelDiffers):  # changed since the gallery was read
                found.append((profile.key.profile_id, usable(profile, signature, models)[1]))
        scores = models.scores_of(voice, [signature for _, signature in found])
        return list(zip([profile_id for profile_id, _ in found], scores, strict=True))

    def _read(self, subscription_id: str, ids: Sequence[str]) -> Sequence[tuple[Profile, Signature | None]]:
        """Without those that have been deleted since the gallery was read."""
        keys = [ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, one) for one in ids]
        while keys:
            try:
                return self.profiles.get_many_with_signatures(keys)
            except ProfileNotFound as gone:
                keys = [one for one in keys if one.profile_id != gone.profile_id]
        return []


def _identification(ranked: Ranked, threshold: float) -> Identification:
    return Identification(
        [
            RankedProfile(profile_id, Decision(open_set(score, ranked.candidates), threshold))
            for profile_id, score in ranked.best
        ]
    )
