"""An enrollment must be of one voice, and of the voice of the profile's earlier enrollments.

A second voice in a signature lets a second person in for good, and no later score shows it. Both refusals need far
lower scores than a rejected verification: a bad recording of the right speaker is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from shared.domain.errors import EnrollmentDiffers, SecondVoiceHeard
from shared.domain.profile import Enrollment, Signature
from shared.domain.recording import SAMPLE_RATE, Utterance
from shared.services.ports import SpeakerModel

WINDOW_SECONDS: Final = 3.0
"""Of speech. Stretches of 2 s of one speaker differ as much as two speakers do (docs/internals/scores.md). Two
stretches are needed, so recordings with less than 6 s of speech, passphrases among them, are not checked."""

MOST_WINDOWS: Final = 8
"""A longer recording gives as many stretches, spread evenly: 28 comparisons, about 50 ms."""

SECOND_VOICE_SCORE: Final = 0.01
"""Stretches of one recording that match less are two voices. Measured with 2 to 8 stretches: no recording of one voice
refused, of 115 speakers as they are and of 40 by telephone, in a room of 0.8 s and in white noise at 10 dB (at 0.02 one
speaker in the room was); of two voices 90 to 98 %, of the same sex 73 to 92 %, the more stretches the more. Measured,
as is ``EARLIER_SCORE``, before directions of channels were left out of embeddings (docs/decisions/network.md)."""

EARLIER_SCORE: Final = 0.01
"""An enrollment that matches the earlier ones less is not of the same speaker. Measured on 40 speakers: 0 of 1,440
pairs of single sentences refused, and 85 % of 12,464 strangers' behind one to eight; 2 to 4 s by another channel behind
one sentence 0 to 0.4 %, in babble at 5 dB 1 %, by GSM out of a room 4 %."""


def require_one_voice(model: SpeakerModel, utterance: Utterance) -> None:
    """Raises ``SecondVoiceHeard``."""
    embeddings = list(map(model.embed, _stretches(utterance)))
    signatures = [Signature(embedding, model.model_id, WINDOW_SECONDS) for embedding in embeddings]
    scores = [
        score
        for number, signature in enumerate(signatures[:-1])
        for score in model.scores(signature.pooled, WINDOW_SECONDS, signatures[number + 1 :])
    ]
    if scores and min(scores) < SECOND_VOICE_SCORE:
        raise SecondVoiceHeard(min(scores), SECOND_VOICE_SCORE)


def require_same_voice(model: SpeakerModel, signature: Signature, enrollment: Enrollment) -> None:
    """Raises ``EnrollmentDiffers``."""
    score = model.scores(enrollment.embedding, enrollment.speech_seconds, [signature])[0]
    if score < EARLIER_SCORE:
        raise EnrollmentDiffers(score, EARLIER_SCORE)


def _stretches(utterance: Utterance) -> Iterator[Utterance]:
    """Stretches of ``WINDOW_SECONDS`` of speech that do not overlap; none where there are fewer than two."""
    spoken = np.flatnonzero(utterance.speech)
    size = round(WINDOW_SECONDS * SAMPLE_RATE)
    count = min(len(spoken) // size, MOST_WINDOWS)
    if count < 2:
        return
    for start in np.linspace(0, len(spoken) - size, count).astype(int):
        mask = np.zeros(len(utterance.speech), np.bool_)
        mask[spoken[start : start + size]] = True
        yield replace(utterance, speech=mask, speech_seconds=WINDOW_SECONDS)
