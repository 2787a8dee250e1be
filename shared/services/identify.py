"""Identify the speaker of a recording among enrolled candidates. Nothing of the recording is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.decision import Decision, open_set
from shared.domain.errors import NobodyEnrolled
from shared.domain.explanation import Explanation
from shared.domain.group import Candidates, Everyone, InGroup
from shared.domain.limits import AudioRules
from shared.domain.measurement import note, note_decision
from shared.domain.recording import Audio, Utterance
from shared.domain.subscription import Subscription
from shared.services.candidates import CandidateStores, distinct_keys, key_of
from shared.services.comparison import SpeakerModels
from shared.services.concurrency import concurrently
from shared.services.ports.clock_and_ids import Clock
from shared.services.ports.hearing import Listener
from shared.services.ports.keeping import Galleries, GroupStore, ProfileStore, Ranked
from shared.services.thresholds import RequestedThreshold, threshold_in_force

RANKED = 5
"""Contract (2021-09-05): length of ``profilesRanking``."""


@dataclass(frozen=True)
class IdentifyRequest:
    """``same_locale`` refuses a list of candidates of different locales, as the later generations of the API do."""

    subscription: Subscription
    candidates: Candidates
    audio: Audio
    rules: AudioRules
    threshold: RequestedThreshold | None = None
    same_locale: bool = False


@dataclass(frozen=True)
class RankedProfile:
    profile_id: str
    decision: Decision


@dataclass(frozen=True)
class Identification:
    """The best candidates, best first, at most ``RANKED``."""

    ranking: Sequence[RankedProfile]
    explanation: Explanation

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
    galleries: Galleries
    groups: GroupStore
    listener: Listener
    models: SpeakerModels
    clock: Clock

    def __call__(self, request: IdentifyRequest) -> Identification:
        """The candidates are a list of profiles, all of which must be enrolled, or everyone, or everyone in a group.

        Of everyone only those count who are enrolled with a model that runs; their locales do not matter.

        Raises
        ------
        ParameterInvalid, RecordingRefused
        TooManyCandidates, ProfileNotFound, LocalesDiffer, ProfileNotEnrolled, ModelDiffers
            In a list.
        GroupNotFound, NobodyEnrolled
            Otherwise.
        """
        settings, used_at = request.subscription.settings, self.clock()
        models = self.models.calibrated_for(settings)
        threshold = threshold_in_force(settings, "identification", request.threshold, models.current.calibration)
        if isinstance(request.candidates, Everyone | InGroup):
            utterance, ranked = self._rank_everyone(request, request.candidates, models)
        else:
            utterance, ranked = self._rank_listed(request, request.candidates, models)
        ranking = [
            RankedProfile(profile_id, Decision(open_set(score, ranked.candidates), threshold.score))
            for profile_id, score in ranked.best
        ]
        explanation = models.explanation(ranking[0].decision, threshold, utterance, ranked.model_id)
        identification = Identification(ranking, explanation)
        if identification.identified:
            self.profiles.touch(key_of(request.subscription, identification.best.profile_id), used_at)
        note_decision(explanation, accepted=identification.identified is not None)
        return identification

    def _rank_listed(
        self, request: IdentifyRequest, profile_ids: Sequence[str], models: SpeakerModels
    ) -> tuple[Utterance, Ranked]:
        keys = distinct_keys(request.subscription, profile_ids)
        note(candidates=len(keys))
        with concurrently(self._stores.signatures, keys, models, request.same_locale) as reading:
            utterance = self._listen(request)
        signatures = reading.result()
        scores = models.scores(utterance, signatures)
        made_by = (signature.model_id for signature in signatures)
        scored = zip((key.profile_id for key in keys), scores, made_by, strict=True)
        return utterance, Ranked.of(scored, RANKED, len(keys))

    def _rank_everyone(
        self, request: IdentifyRequest, candidates: Everyone | InGroup, models: SpeakerModels
    ) -> tuple[Utterance, Ranked]:
        group = candidates.name if isinstance(candidates, InGroup) else None
        with concurrently(self._stores.members_and_gallery, request.subscription.subscription_id, group) as reading:
            utterance = self._listen(request)
        members, gallery = reading.result()
        ranked = gallery.best(models.scorers(utterance, gallery.models), RANKED, members)
        note(candidates=ranked.candidates)
        if not ranked.best:
            raise NobodyEnrolled(group)
        return utterance, ranked

    @property
    def _stores(self) -> CandidateStores:
        return CandidateStores(self.profiles, self.galleries, self.groups)

    def _listen(self, request: IdentifyRequest) -> Utterance:
        audio, rules = request.audio, request.rules.moved(request.subscription.settings.quality)
        return self.listener.listen(audio.content, audio.media_type, rules, audio.channel)
