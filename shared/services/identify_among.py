"""Identify the speaker among everybody who is enrolled, or everybody in a group. Nothing of the recording is stored."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shared.domain.decision import Decision, open_set
from shared.domain.errors import NobodyEnrolled
from shared.domain.group import Everyone, InGroup
from shared.domain.limits import AudioRules
from shared.domain.measurement import note
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.domain.subscription import Subscription
from shared.services.beside import beside
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
        running = {one.model_id for one in models.running}
        scorers = {one: models.scorer(utterance, one) for one in gallery.models if one in running}
        ranked = gallery.best(scorers, RANKED, members)
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


def _identification(ranked: Ranked, threshold: float) -> Identification:
    return Identification(
        [
            RankedProfile(profile_id, Decision(open_set(score, ranked.candidates), threshold))
            for profile_id, score in ranked.best
        ]
    )
