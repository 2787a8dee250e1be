"""Identify the speaker among everybody who is enrolled, or everybody in a group. Nothing of the recording is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from shared.domain.decision import Decision, open_set
from shared.domain.errors import NobodyEnrolled
from shared.domain.group import Everyone, InGroup
from shared.domain.limits import AudioRules
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Audio, Utterance
from shared.domain.subscription import Subscription
from shared.services.identify import RANKED, Identification, RankedProfile
from shared.services.ports import Clock, Galleries, GroupStore, Listener, ProfileStore, Ranked, Scorer, SpeakerModel


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
        utterance = self.listener.listen(audio.content, audio.media_type, rules)
        ranked = gallery.best(self._scorers(utterance), RANKED, members)
        if not ranked.best:
            raise NobodyEnrolled(group)
        identification = _identification(ranked, subscription.settings.thresholds.identification)
        if identification.identified:
            key = ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, identification.best.profile_id)
            self.profiles.touch(key, used_at)
        return identification

    def _scorers(self, utterance: Utterance) -> Mapping[str, Scorer]:
        models = [one for one in (self.model, self.previous) if one is not None]
        return {one.model_id: _scorer(one, utterance) for one in models}


def _scorer(model: SpeakerModel, utterance: Utterance) -> Scorer:
    return partial(model.scores_of_all, model.embed(utterance), utterance.speech_seconds)


def _identification(ranked: Ranked, threshold: float) -> Identification:
    return Identification(
        [
            RankedProfile(profile_id, Decision(open_set(score, ranked.candidates), threshold))
            for profile_id, score in ranked.best
        ]
    )
