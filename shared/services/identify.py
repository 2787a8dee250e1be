"""Identify the speaker of a recording among enrolled candidates. Nothing of the recording is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.decision import Decision, open_set
from shared.domain.errors import LocalesDiffer, TooManyCandidates
from shared.domain.limits import AudioRules
from shared.domain.measurement import note
from shared.domain.profile import Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Audio
from shared.domain.subscription import Subscription
from shared.services.beside import beside
from shared.services.ports import Clock, Listener, ProfileStore, SpeakerModel
from shared.services.profiles import canonical_locale
from shared.services.side_by_side import SpeakerModels
from shared.services.verify import usable

RANKED = 5
"""Contract (2021-09-05): length of ``profilesRanking``."""


@dataclass(frozen=True)
class RankedProfile:
    profile_id: str
    decision: Decision


@dataclass(frozen=True)
class Identification:
    """The best candidates, best first, at most ``RANKED``."""

    ranking: Sequence[RankedProfile]

    @property
    def best(self) -> RankedProfile:
        return self.ranking[0]

    @property
    def identified(self) -> RankedProfile | None:
        """``None`` when the speaker is none of the candidates."""
        return self.best if self.best.decision.accepted else None


@dataclass(frozen=True)
class Identify:
    """Open-set: the speaker may be none of the candidates."""

    profiles: ProfileStore
    listener: Listener
    model: SpeakerModel
    clock: Clock
    previous: SpeakerModel | None = None

    def __call__(
        self,
        subscription: Subscription,
        profile_ids: Sequence[str],
        audio: Audio,
        rules: AudioRules,
        same_locale: bool = False,
    ) -> Identification:
        """``same_locale`` refuses candidates of different locales, as the later generations of the API do.

        Raises
        ------
        TooManyCandidates, ProfileNotFound, LocalesDiffer, ProfileNotEnrolled, ModelDiffers, RecordingRefused
        """
        keys, used_at = self._candidates(subscription, profile_ids), self.clock()
        note(candidates=len(keys))
        models = SpeakerModels(self.model, self.previous, subscription.settings.calibration)
        signatures, utterance = beside(
            lambda: self._signatures(keys, models, same_locale),
            lambda: self.listener.listen(
                audio.content, audio.media_type, rules.moved(subscription.settings.quality), audio.channel
            ),
        )
        scores = models.scores(utterance, signatures)
        identification = _rank(
            [key.profile_id for key in keys], scores, subscription.settings.thresholds.identification
        )
        if identification.identified:
            key = ProfileKey(subscription.subscription_id, ProfileKind.IDENTIFICATION, identification.best.profile_id)
            self.profiles.touch(key, used_at)
        return identification

    def _signatures(self, keys: Sequence[ProfileKey], models: SpeakerModels, same_locale: bool) -> list[Signature]:
        read = self.profiles.get_many_with_signatures(keys)
        if same_locale:
            _require_one_locale([profile for profile, _ in read])
        return [usable(profile, signature, models)[1] for profile, signature in read]

    @staticmethod
    def _candidates(subscription: Subscription, profile_ids: Sequence[str]) -> list[ProfileKey]:
        distinct = list(dict.fromkeys(profile_ids))
        if len(distinct) > subscription.settings.max_candidates:
            raise TooManyCandidates(len(distinct), subscription.settings.max_candidates)
        return [ProfileKey(subscription.subscription_id, ProfileKind.IDENTIFICATION, one) for one in distinct]


def _require_one_locale(profiles: Sequence[Profile]) -> None:
    """Raises ``LocalesDiffer``."""
    locales = dict.fromkeys(canonical_locale(profile.locale, profile.key.kind) for profile in profiles)
    if len(locales) > 1:
        raise LocalesDiffer(list(locales))


def _rank(profile_ids: Sequence[str], scores: Sequence[float], threshold: float) -> Identification:
    best = sorted(zip(scores, profile_ids, strict=True), key=lambda pair: -pair[0])[:RANKED]
    ranking = [
        RankedProfile(profile_id, Decision(open_set(score, len(scores)), threshold)) for score, profile_id in best
    ]
    return Identification(ranking)
