"""The speaker models of the service: the configured one, and the one before it while profiles migrate.

A profile is served by the model that made its signature: its recordings are embedded by that model and scored by that
model's calibration. So nothing is ever compared across models, and a score means the same from either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from shared.domain.decision import Decision
from shared.domain.errors import ModelDiffers, ProfileNotEnrolled
from shared.domain.explanation import DecidedBy, Explanation, PhraseHeard, Threshold
from shared.domain.profile import Profile, Signature
from shared.domain.recording import Utterance
from shared.domain.subscription import SubscriptionSettings
from shared.services.ports.hearing import SpeakerModel
from shared.services.ports.keeping import Scorer


@dataclass(frozen=True)
class SpeakerModels:
    current: SpeakerModel
    previous: SpeakerModel | None = None

    @property
    def running(self) -> Sequence[SpeakerModel]:
        """The current model first."""
        return [self.current] if self.previous is None else [self.current, self.previous]

    def calibrated_for(self, settings: SubscriptionSettings) -> SpeakerModels:
        """The same models; the subscription's own calibration is in force for the model that it was made for."""
        own = settings.calibration
        if own is None:
            return self
        models = [
            model.with_calibration(own.calibration) if model.model_id == own.model_id else model
            for model in self.running
        ]
        return SpeakerModels(*models)

    def named(self, model_id: str) -> SpeakerModel | None:
        """``None`` when the service does not run it."""
        return next((model for model in self.running if model.model_id == model_id), None)

    def version(self, model_id: str | None) -> str | None:
        """``modelVersion`` on the wire: the date of the model that made a signature, if the service runs it."""
        model = self.named(model_id) if model_id else None
        return model.version if model else None

    def model_of(self, profile: Profile) -> SpeakerModel:
        """The model that made the profile's signature; the current one before there is any.

        Raises ``ModelDiffers`` when the service runs neither: the profile must be migrated, or enrolled again.
        """
        model = self.named(profile.model_id or self.current.model_id)
        if model is None:
            raise ModelDiffers(
                profile.key.profile_id,
                made_by=str(profile.model_id),
                configured=self.current.model_id,
                may_be_rebuilt=profile.key.kind.keeps_audio,
            )
        return model

    def require_comparable(self, profile: Profile, signature: Signature | None) -> Signature:
        """The signature, fit to be scored. Raises ``ProfileNotEnrolled``, ``ModelDiffers``."""
        if not profile.is_enrolled or signature is None:
            raise ProfileNotEnrolled(profile.key.profile_id, _missing(profile))
        self.model_of(profile)
        return signature

    def score(self, utterance: Utterance, signature: Signature) -> float:
        """Calibrated, by the model that made the signature, which must be one that runs."""
        (model,) = (model for model in self.running if model.model_id == signature.model_id)
        (score,) = model.scores(model.embed(utterance), utterance.speech_seconds, [signature])
        return score

    def explanation(
        self,
        decision: Decision,
        threshold: Threshold,
        utterance: Utterance,
        model_id: str,
        phrase: PhraseHeard | None = None,
        *,
        answered: bool = True,
    ) -> Explanation:
        """Of a comparison with a signature of that model, for which the phrase, if one is needed, must be complete, and
        the challenge answered."""
        words = DecidedBy.PHRASE if answered else DecidedBy.CHALLENGE
        known = Explanation(words, utterance.measured, decision, threshold.origin, phrase=phrase)
        model = self.named(model_id)
        if model and answered and (phrase is None or phrase.complete):
            known = replace(known, decided_by=DecidedBy.VOICE, model_id=model_id, calibration=model.calibration)
        return known.advised()

    def scorers(self, utterance: Utterance, model_ids: Collection[str]) -> Mapping[str, Scorer]:
        """By model id: what scores a model's signatures against the recording. A model that does not run has none."""
        scorers: dict[str, Scorer] = {}
        for model in self.running:
            if model.model_id in model_ids:
                embedding, seconds = model.embed(utterance), utterance.speech_seconds
                scorers[model.model_id] = partial(model.scores_of_all, embedding, seconds)
        return scorers


def _missing(profile: Profile) -> str:
    if profile.key.kind.needs_phrase:
        return f"{profile.remaining_enrollments} more recording(s) of the phrase"
    return f"more speech; it has {profile.speech_seconds:.2f} seconds"
