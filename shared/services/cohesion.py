"""An enrollment must be of one voice, and of the voice of the profile's earlier enrollments.

Whoever lets a second voice into a signature lets that person in for good, and nobody sees it in a score later. Both
refusals need much weaker evidence of a match than a verification: a bad recording of the right speaker is kept.
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
"""Of speech. With windows of 2 s stretches of one speaker differ as much as two speakers do (docs/scores.md). Two are
needed, so that less than 6 s of speech are not looked at: no passphrase is."""

MOST_WINDOWS: Final = 8
"""Of a longer recording as many stretches are heard, spread evenly: 28 comparisons, about 50 ms."""

SECOND_VOICE_SCORE: Final = 0.02
"""Stretches of one recording that match less are two voices. Measured on 45 speakers: 0 of 588 recordings of one
speaker with 2 to 6 windows refused (below 0.5 % at 95 % confidence)."""

EARLIER_SCORE: Final = 0.003
"""An enrollment that matches the earlier ones less is not of the same speaker. Measured on 45 speakers, single
sentences behind 1 to 9 earlier ones: 0 of 1,460 refused (below 0.21 % at 95 % confidence), 84 % of 4,283 strangers'. At
0.01 one enrolled speaker was refused and 90 % of strangers."""


def require_one_voice(model: SpeakerModel, utterance: Utterance) -> None:
    """Raises ``SecondVoiceHeard``."""
    heard = [Signature(model.embed(one), model.model_id, WINDOW_SECONDS) for one in _stretches(utterance)]
    scores = [
        score
        for number, one in enumerate(heard[:-1])
        for score in model.scores(one.pooled, WINDOW_SECONDS, heard[number + 1 :])
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
