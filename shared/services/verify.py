"""Verify that a recording is of the enrolled speaker. Nothing of the recording is stored.

A profile counts as used at the moment before it was read: a use never brings a profile back that has expired by now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shared.domain.challenge import Challenge
from shared.domain.decision import Decision
from shared.domain.errors import ParameterMissing
from shared.domain.explanation import DecidedBy, Explanation, PhraseHeard
from shared.domain.limits import AudioRules
from shared.domain.measurement import note_decision
from shared.domain.passphrase import HeardPhrase, PhraseTemplate
from shared.domain.profile import Profile, ProfileKey, Signature
from shared.domain.recording import Audio, Utterance
from shared.domain.subscription import Subscription, SubscriptionSettings
from shared.services.challenges import Challenges
from shared.services.cohesion import second_voice
from shared.services.comparison import SpeakerModels
from shared.services.concurrency import concurrently
from shared.services.phrases import HearPhrase
from shared.services.ports.clock_and_ids import Clock
from shared.services.ports.hearing import Listener, SpeakerModel
from shared.services.ports.keeping import ProfileStore
from shared.services.replays import Replays
from shared.services.thresholds import RequestedThreshold, threshold_in_force


@dataclass(frozen=True)
class VerifyRequest:
    """``told_why``: the caller sees the explanation, so that what only advice needs is worked out too."""

    subscription: Subscription
    key: ProfileKey
    audio: Audio
    rules: AudioRules
    threshold: RequestedThreshold | None = None
    challenge_id: str | None = None
    told_why: bool = False


@dataclass(frozen=True)
class Verification:
    """``heard`` is the phrase (text-dependent only, and not where a challenge was answered); the decision is about
    voice and words together."""

    decision: Decision
    explanation: Explanation
    heard: HeardPhrase | None = None


class _Enrolled(NamedTuple):
    profile: Profile
    signature: Signature
    templates: Sequence[PhraseTemplate] = ()
    challenge: Challenge | None = None


@dataclass(frozen=True)
class Verify:
    """``ear`` tells two voices in a rejected recording apart, as in ``Enroll``."""

    profiles: ProfileStore
    listener: Listener
    phrases: HearPhrase
    models: SpeakerModels
    clock: Clock
    challenges: Challenges
    replays: Replays
    ear: SpeakerModel

    def __call__(self, request: VerifyRequest) -> Verification:
        """Compares the voice, and for a text-dependent profile the phrase: both must be the enrolled ones.

        Another phrase, or none that is allowed, is a reject with score 0; ``heard`` tells which.
        A recording of none of the phrases is no use of the profile: v1.0 refuses it, and nothing is written.
        The digits of a challenge take the place of the phrase. The decision spends the challenge, a refusal does not.
        Where the subscription wants to know, what would be accepted is compared with what was before.

        Raises
        ------
        ParameterMissing, ParameterInvalid, ProfileNotFound, ProfileNotEnrolled, ModelDiffers, ChallengeUnusable,
        RecordingRefused, ProfileBusy
        """
        settings, key, used_at = request.subscription.settings, request.key, self.clock()
        if settings.require_challenge and request.challenge_id is None:
            raise ParameterMissing("challenge", "This subscription verifies with a challenge only.")
        models = self.models.calibrated_for(settings)
        threshold = threshold_in_force(settings, "verification", request.threshold, models.current.calibration)
        with concurrently(self._enrolled, request, models, used_at) as reading:
            audio, rules = request.audio, request.rules.moved(settings.quality)
            utterance = self.listener.listen(audio.content, audio.media_type, rules, audio.channel)
        profile, signature, templates, challenge = reading.result()
        answered = challenge is None or self.challenges.answered(challenge, profile, utterance)
        by_phrase = key.kind.needs_phrase and not challenge
        heard = self._heard(profile, utterance, settings, templates) if by_phrase else None
        phrase = PhraseHeard.of(heard, profile.passphrase or "") if heard else None
        score = 0.0
        if heard is None or heard.recognised:
            with concurrently(self.profiles.touch, key, used_at):
                if answered and (phrase is None or phrase.complete):
                    score = models.score(utterance, signature)
        decision = Decision(score, threshold.score)
        explanation = models.explanation(decision, threshold, utterance, signature.model_id, phrase, answered=answered)
        if request.told_why and _rejected_by_voice(explanation) and second_voice(self.ear, utterance):
            explanation = explanation.of_two_voices()
        if challenge:
            self.challenges.spend(challenge)
        if decision.accepted and settings.prints_kept:
            explanation = self.replays.judged(explanation, profile, utterance, settings, used_at)
            decision = explanation.decision or decision
        note_decision(explanation, accepted=decision.accepted)
        return Verification(decision, explanation, heard)

    def _enrolled(self, request: VerifyRequest, models: SpeakerModels, at: datetime) -> _Enrolled:
        """A challenge takes the place of the phrase, whose templates are not read then."""
        profile, signature = self.profiles.get_with_signature(request.key)
        signature = models.require_comparable(profile, signature)
        if request.challenge_id is not None:
            return _Enrolled(profile, signature, challenge=self.challenges.opened(profile, request.challenge_id, at))
        return _Enrolled(profile, signature, self.profiles.templates(profile) if profile.is_by_example else ())

    def _heard(
        self,
        profile: Profile,
        utterance: Utterance,
        settings: SubscriptionSettings,
        templates: Sequence[PhraseTemplate],
    ) -> HeardPhrase:
        if not profile.is_by_example:
            return self.phrases.recognised(profile, utterance, settings)
        return self.phrases.compared(profile, self.phrases.examples.template(utterance), templates)


def _rejected_by_voice(explanation: Explanation) -> bool:
    decision = explanation.decision
    return explanation.decided_by is DecidedBy.VOICE and decision is not None and not decision.accepted
