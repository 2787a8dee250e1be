"""A recording against signatures that came by the same channel, or by another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from shared.domain.channel import AS_THEY_CAME, NARROWER, Channel, Way, ways
from shared.domain.profile import Signature
from shared.domain.recording import Narrowed, Utterance, Vector
from shared.services.ports import Numbers, Scorer, SpeakerModel


@dataclass(frozen=True)
class Voice:
    """A recording as the models hear it: embedded once for each model and channel, and only where that is needed."""

    utterance: Utterance
    _embedded: dict[tuple[str, Channel], Vector] = field(default_factory=dict, repr=False, compare=False)

    @property
    def channel(self) -> Channel:
        return self.utterance.channel

    def embedded(self, model: SpeakerModel, channel: Channel) -> Vector:
        """As it sounds by the channel; without the upper half of the spectrum it is ``NARROW`` as it came."""
        came_so = channel is Channel.NARROW and self.channel is not Channel.WIDE
        made = (model.model_id, Channel.WIDE if came_so else channel)
        if made not in self._embedded:
            self._embedded[made] = model.embed(self.utterance, made[1])
        return self._embedded[made]


def embeddings(model: SpeakerModel, utterance: Utterance) -> tuple[Vector, Narrowed]:
    """What is kept of an enrollment: the voice as it came, and as it would have come by each narrower channel."""
    voice = Voice(utterance)
    return voice.embedded(model, Channel.WIDE), {one: voice.embedded(model, one) for one in NARROWER}


def scores(model: SpeakerModel, voice: Voice, signatures: Sequence[Signature]) -> list[float]:
    """Calibrated scores in the order of the signatures, all of this model: each the best of its ways."""
    found: dict[int, float] = {}
    how = [ways_to(voice.channel, one) for one in signatures]
    for each in dict.fromkeys(how):
        own = [number for number, one in enumerate(how) if one == each]
        found.update(zip(own, _by(each, model, voice, [signatures[number] for number in own]), strict=True))
    return [found[number] for number in range(len(signatures))]


def scorer(model: SpeakerModel, voice: Voice, known: Channel) -> Scorer:
    """The same for signatures of which only the sums as they came are at hand.

    Where the voice is narrower than they are known, only the order of these scores means something.
    """
    how = ways(voice.channel, known)
    if any(way.known is not Channel.WIDE for way in how):
        how = AS_THEY_CAME
    seconds = voice.utterance.speech_seconds
    each = [
        partial(judging(model, way.strangers).scores_of_all, voice.embedded(model, way.heard), seconds) for way in how
    ]

    def best(directions: Vector, enrolled_seconds: Numbers) -> Numbers:
        return np.asarray(np.max([score(directions, enrolled_seconds) for score in each], axis=0))

    return best


def ways_to(heard: Channel, signature: Signature) -> tuple[Way, ...]:
    """A signature that is known as it came alone can only be compared so."""
    return ways(heard, signature.channel) if signature.narrowed else AS_THEY_CAME


def judging(model: SpeakerModel, channel: Channel) -> SpeakerModel:
    """Strangers are more alike by a narrower channel: there the same rate is met at a higher cosine."""
    calibration = model.calibration
    return model.with_calibration(calibration.by(channel)) if calibration and channel is not Channel.WIDE else model


def _by(how: Sequence[Way], model: SpeakerModel, voice: Voice, signatures: Sequence[Signature]) -> list[float]:
    seconds = voice.utterance.speech_seconds
    found = [
        judging(model, way.strangers).scores(
            voice.embedded(model, way.heard), seconds, [one.by(way.known) for one in signatures]
        )
        for way in how
    ]
    return [max(some) for some in zip(*found, strict=True)]
