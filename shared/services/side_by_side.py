"""The configured speaker model, and beside it the one before, while profiles move from one to the other.

A profile is served by the model that made its signature: its recordings are embedded by that model and scored by that
model's calibration. So nothing is ever compared across models, and one score means the same from either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from shared.domain.calibration import SiteCalibration
from shared.domain.channel import NARROWER, Channel
from shared.domain.errors import ModelDiffers
from shared.domain.profile import Origin, Profile, Signature
from shared.domain.recording import Narrowed, Utterance, Vector
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
        """Calibrated scores in the order of the signatures, each by the model that made it and on one channel."""
        return self.scores_of(Voice(utterance), signatures)

    def scores_of(self, voice: Voice, signatures: Sequence[Signature]) -> list[float]:
        """The same for a voice that others are compared with too."""
        found: dict[int, float] = {}
        for model in self.running:
            for channel in Channel:
                own = [
                    number
                    for number, one in enumerate(signatures)
                    if one.model_id == model.model_id and compared_by(voice.utterance.channel, one) is channel
                ]
                if own:
                    chosen = [signatures[number] for number in own]
                    found.update(zip(own, _scores(model, voice, chosen, channel), strict=True))
        return [found[number] for number in range(len(signatures))]

    def scorer(self, voice: Voice, origin: Origin) -> Scorer:
        """For all signatures of that origin, on the channel that they came by."""
        judge = judging(self.named(origin.model_id), origin.channel)
        embedding = voice.embedded(judge, origin.channel)
        return partial(judge.scores_of_all, embedding, voice.utterance.speech_seconds)


@dataclass(frozen=True)
class Voice:
    """A recording as the models hear it: embedded once for each model and channel, and only where that is needed."""

    utterance: Utterance
    _embedded: dict[tuple[str, Channel], Vector] = field(default_factory=dict, repr=False, compare=False)

    def embedded(self, model: SpeakerModel, channel: Channel) -> Vector:
        """As it sounds by the channel. What came by it, or by a narrower one, is taken as it is: a second filter only
        harms (docs/scores.md)."""
        filtered = channel if channel > self.utterance.channel else Channel.WIDE
        made = (model.model_id, filtered)
        if made not in self._embedded:
            self._embedded[made] = model.embed(self.utterance, filtered)
        return self._embedded[made]


def compared_by(heard: Channel, signature: Signature) -> Channel:
    """Two voices are compared by the widest channel that both are known by.

    A signature that is known as it came alone can only be compared so: such scores are lower.
    """
    return max(heard, signature.channel) if signature.narrowed else Channel.WIDE


def _scores(model: SpeakerModel, voice: Voice, signatures: Sequence[Signature], channel: Channel) -> list[float]:
    compared = [one.by(channel) for one in signatures]
    embedding, seconds = voice.embedded(model, channel), voice.utterance.speech_seconds
    return judging(model, channel).scores(embedding, seconds, compared)


def judging(model: SpeakerModel, channel: Channel) -> SpeakerModel:
    """Strangers are more alike by a narrower channel: there the same rate is met at a higher cosine."""
    calibration = model.calibration
    return model.with_calibration(calibration.by(channel)) if calibration and channel is not Channel.WIDE else model


def embeddings(model: SpeakerModel, utterance: Utterance) -> tuple[Vector, Narrowed]:
    """What is kept of an enrollment: the voice as it came, and as it would have come by each narrower channel."""
    voice = Voice(utterance)
    return voice.embedded(model, Channel.WIDE), {one: voice.embedded(model, one) for one in NARROWER}
