"""The configured speaker model, and beside it the one before, while profiles move from one to the other.

A profile is served by the model that made its signature: its recordings are embedded by that model and scored by that
model's calibration. So nothing is ever compared across models, and one score means the same from either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from shared.domain.calibration import SiteCalibration
from shared.domain.errors import ModelDiffers
from shared.domain.profile import Profile, Signature
from shared.domain.recording import Utterance
from shared.services.ports import Scorer, SpeakerModel


@dataclass(frozen=True)
class SpeakerModels:
    """``site`` is the subscription's own calibration; it counts for the model that it was made for, and no other."""

    current: SpeakerModel
    previous: SpeakerModel | None = None
    site: SiteCalibration | None = None

    @property
    def running(self) -> Sequence[SpeakerModel]:
        """The models, the current one first, each judging as this subscription wants it."""
        return [self._judging(one) for one in (self.current, self.previous) if one is not None]

    def _judging(self, model: SpeakerModel) -> SpeakerModel:
        if self.site is None or self.site.model_id != model.model_id:
            return model
        return model.with_calibration(self.site.calibration)

    def of(self, profile: Profile) -> SpeakerModel:
        """The model that made the profile's signature; the current one before there is any.

        Raises ``ModelDiffers`` when the service runs neither: the profile must be migrated, or enrolled again.
        """
        wanted = profile.model_id or self.current.model_id
        if wanted in [one.model_id for one in self.running]:
            return self.named(wanted)
        raise ModelDiffers(
            profile.key.profile_id,
            made_by=str(profile.model_id),
            configured=self.current.model_id,
            may_be_rebuilt=profile.key.kind.keeps_audio,
        )

    def named(self, model_id: str) -> SpeakerModel:
        """One of those that run."""
        return next(one for one in self.running if one.model_id == model_id)

    def scores(self, utterance: Utterance, signatures: Sequence[Signature]) -> list[float]:
        """Calibrated scores in the order of the signatures, each by the model that made it, which hears the recording
        once; a model that made none of them is not asked."""
        found: dict[int, float] = {}
        for model in self.running:
            own = [number for number, one in enumerate(signatures) if one.model_id == model.model_id]
            if own:
                heard = model.embed(utterance), utterance.speech_seconds
                found.update(zip(own, model.scores(*heard, [signatures[number] for number in own]), strict=True))
        return [found[number] for number in range(len(signatures))]

    def scorer(self, utterance: Utterance, model_id: str) -> Scorer:
        """For all signatures of that model, which is one of those that run."""
        model = self.named(model_id)
        return partial(model.scores_of_all, model.embed(utterance), utterance.speech_seconds)
