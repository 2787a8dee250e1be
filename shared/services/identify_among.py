"""Identify the speaker among everybody who is enrolled, or everybody in a group. Nothing of the recording is stored."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from shared.domain.decision import Decision, open_set
from shared.domain.errors import ModelDiffers, NobodyEnrolled, ProfileNotEnrolled, ProfileNotFound
from shared.domain.group import Everyone, InGroup
from shared.domain.limits import AudioRules
from shared.domain.measurement import note
from shared.domain.profile import Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Audio, Utterance
from shared.domain.subscription import Subscription
from shared.services.identify import RANKED, Identification, RankedProfile
from shared.services.ports import Clock, Galleries, GroupStore, Listener, ProfileStore, Ranked, Scorer, SpeakerModel
from shared.services.side_by_side import SpeakerModels
from shared.services.verify import usable

TELEPHONE_SHORTLIST: Final = 100
"""Whose signatures are read when somebody calls. Measured with 45 speakers: the right one is in the nearest tenth in
80 % of calls, in the nearest third in 96 % and in the nearest half in 99.6 %."""


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
        members = None if group is None else self.groups.all_members(subscription_id, group)
        gallery = self.galleries.up_to_date(subscription_id)
        settings = subscription.settings
        utterance = self.listener.listen(audio.content, audio.media_type, rules.moved(settings.quality))
        models = SpeakerModels(self.model, self.previous, settings.calibration)
        scorers = {one.model_id: _scorer(one, utterance) for one in models.running}
        if utterance.came_by_telephone:
            some = gallery.best(scorers, TELEPHONE_SHORTLIST, members)
            ranked = self._over_telephone(subscription_id, models, utterance, some)
        else:
            ranked = gallery.best(scorers, RANKED, members)
        note(candidates=ranked.candidates)
        if not ranked.best:
            raise NobodyEnrolled(group)
        identification = _identification(ranked, settings.thresholds.identification)
        if identification.identified:
            key = ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, identification.best.profile_id)
            self.profiles.touch(key, used_at)
        return identification

    def _over_telephone(
        self, subscription_id: str, models: SpeakerModels, utterance: Utterance, some: Ranked
    ) -> Ranked:
        """The nearest compared again as they sound over the telephone, which the gallery does not know."""
        found: list[tuple[str, Signature]] = []
        for profile, signature in self._read(subscription_id, [profile_id for profile_id, _ in some.best]):
            with suppress(ProfileNotEnrolled, ModelDiffers):  # changed since the gallery was read
                found.append((profile.key.profile_id, usable(profile, signature, models)[1]))
        scores = models.scores(utterance, [signature for _, signature in found])
        ranking = zip([profile_id for profile_id, _ in found], scores, strict=True)
        return Ranked(sorted(ranking, key=lambda pair: -pair[1])[:RANKED], some.candidates)

    def _read(self, subscription_id: str, ids: Sequence[str]) -> Sequence[tuple[Profile, Signature | None]]:
        """Without those that have been deleted since the gallery was read."""
        keys = [ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, one) for one in ids]
        while keys:
            try:
                return self.profiles.get_many_with_signatures(keys)
            except ProfileNotFound as gone:
                keys = [one for one in keys if one.profile_id != gone.profile_id]
        return []


def _scorer(model: SpeakerModel, utterance: Utterance) -> Scorer:
    return partial(model.scores_of_all, model.embed(utterance), utterance.speech_seconds)


def _identification(ranked: Ranked, threshold: float) -> Identification:
    return Identification(
        [
            RankedProfile(profile_id, Decision(open_set(score, ranked.candidates), threshold))
            for profile_id, score in ranked.best
        ]
    )
