"""The configured speaker model, and beside it the one before, while profiles move from one to the other.

A profile is served by the model that made its signature: its recordings are embedded by that model and scored by that
model's calibration. So nothing is ever compared across models, and one score means the same from either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.errors import ModelDiffers
from shared.domain.profile import Profile, Signature
from shared.domain.recording import Utterance
from shared.services.ports import SpeakerModel


@dataclass(frozen=True)
class SpeakerModels:
    current: SpeakerModel
    previous: SpeakerModel | None = None

    def of(self, profile: Profile) -> SpeakerModel:
        """The model that made the profile's signature; the current one before there is any.

        Raises ``ModelDiffers`` when the service runs neither: the profile must be migrated, or enrolled again.
        """
        if profile.model_id in (None, self.current.model_id):
            return self.current
        if self.previous is not None and profile.model_id == self.previous.model_id:
            return self.previous
        raise ModelDiffers(
            profile.key.profile_id,
            made_by=str(profile.model_id),
            configured=self.current.model_id,
            may_be_rebuilt=profile.key.kind.keeps_audio,
        )

    def scores(self, utterance: Utterance, signatures: Sequence[Signature]) -> list[float]:
        """Calibrated scores in the order of the signatures, each by the model that made it.

        The utterance is embedded once for each model that is needed, so only once outside a change of models.
        """
        found: dict[int, float] = {}
        for model in (self.current, self.previous):
            own = [number for number, one in enumerate(signatures) if model and one.model_id == model.model_id]
            if model is not None and own:
                embedding = model.embed(utterance)
                scores = model.scores(embedding, utterance.speech_seconds, [signatures[number] for number in own])
                found.update(zip(own, scores, strict=True))
        return [found[number] for number in range(len(signatures))]
