"""Identify the speaker of a recording among enrolled candidates. Nothing of the recording is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.decision import Decision, open_set
from shared.domain.errors import NobodyEnrolled
from shared.domain.explanation import Explanation
from shared.domain.group import Candidates
from shared.domain.limits import AudioRules
from shared.domain.measurement import note, note_decision
from shared.domain.recording import Audio
from shared.domain.subscription import Subscription
from shared.services.candidates import CandidateStores, key_of
from shared.services.comparison import SpeakerModels
from shared.services.concurrency import concurrently
from shared.services.ports.clock_and_ids import Clock
from shared.services.ports.hearing import Listener
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

    stores: CandidateStores
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
        asked = (request.subscription, request.candidates, models, request.same_locale)
        with concurrently(self.stores.choice, *asked) as reading:
            audio, rules = request.audio, request.rules.moved(settings.quality)
            utterance = self.listener.listen(audio.content, audio.media_type, rules, audio.channel)
        choice = reading.result()
        ranked = choice.best(models.scorers(utterance, choice.model_ids), RANKED)
        note(candidates=ranked.candidates)
        if not ranked.best:
            raise NobodyEnrolled(choice.group)
        ranking = [
            RankedProfile(profile_id, Decision(open_set(score, ranked.candidates), threshold.score))
            for profile_id, score in ranked.best
        ]
        explanation = models.explanation(ranking[0].decision, threshold, utterance, ranked.model_id)
        identification = Identification(ranking, explanation)
        if identification.identified:
            self.stores.profiles.touch(key_of(request.subscription, identification.best.profile_id), used_at)
        note_decision(explanation, accepted=identification.identified is not None)
        return identification
