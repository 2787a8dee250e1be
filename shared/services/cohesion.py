"""An enrollment must be of one voice, and of the voice of the profile's earlier enrollments.

A second voice in a signature lets a second person in for good, and no later score shows it. An earlier voice that is
unlike needs a far lower score than a rejected verification: a bad recording of the right speaker is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from shared.domain.errors import EnrollmentDiffers, SecondVoiceHeard
from shared.domain.profile import Enrollment, Signature
from shared.domain.recording import SAMPLE_RATE, Numbers, Samples, Utterance, Vector
from shared.domain.two_voices import Halves, halves
from shared.services.ports.hearing import SpeakerModel

PIECE_SECONDS: Final = 1.0
"""Of speech: what is embedded at once. Longer pieces hold both voices where they take quick turns."""
HOP_SECONDS: Final = 0.5
LEAST_PIECES: Final = 6
"""3.5 s of speech. Fewer cannot hold ``LEAST_SECOND_SECONDS`` of a second voice, so most passphrases cost nothing."""
MOST_PIECES: Final = 120
"""A recording of more than a minute of speech gives as many pieces, spread evenly."""
SECOND_VOICE_GROWTH: Final = 2.0
EVEN_SECONDS: Final = 2.7
LONG_SECONDS: Final = 4.0
"""Two groups of pieces are two voices where the log odds of their score are below the growth times the logarithm of the
smaller group's seconds over ``EVEN_SECONDS``, counted up to 4 s: a score of 0.24 with 1.5 s, 0.5 with 2.7 s, 0.69 with
4 s and more. The groups are made where they are least alike, so that little speech of one speaker parts far. Fitted on
one half of the speakers of the development speech and counted on the other: docs/internals/scores.md."""
LEAST_SECOND_SECONDS: Final = 1.5
"""Of a second voice. In less, what one speaker says is too unlike itself."""
DOUBT: Final = 3.0
"""Log odds above that line from which one voice is heard without another look, which lowers those of two voices by
about two. 5 % of single voices as recorded need the look, and one in eight by telephone."""
OWN_SHARES: Final = (0.75, 0.5)
OWN_SECONDS: Final = 0.5
"""Whose speech is the second voice's own: where so large a share of the pieces is of its group, the lesser share where
there would be less than half a second."""
MOODS: Final = (0.87, 0.93, 1.075, 1.15)
MOOD_SCORE: Final = 0.92
"""A second voice that matches the first so well when it is played so much slower or faster is the first in another
mood. Of 24 recordings of which one half was played by 15 % slower or faster all matched with 0.98 or more."""

EARLIER_SCORE: Final = 0.01
"""An enrollment that matches the earlier ones less is not of the same speaker. Measured on 40 speakers: 0 of 1,440
pairs of single sentences refused, and 85 % of 12,464 strangers' behind one to eight; 2 to 4 s by another channel behind
one sentence 0 to 0.4 %, in babble at 5 dB 1 %, by GSM out of a room 4 %."""


def second_voice(model: SpeakerModel, utterance: Utterance) -> SecondVoiceHeard | None:
    """What an enrollment is refused with where there is one. ``model`` needs a calibration."""
    pieces = list(_pieces(utterance))
    if len(pieces) < LEAST_PIECES or model.calibration is None:
        return None
    found = halves(list(map(model.embed, pieces)), partial(_alike, model))
    if found is None:
        return None
    hop_seconds = utterance.speech_seconds / len(pieces)
    seconds = [hop_seconds * count for count in (np.sum(~found.second), np.sum(found.second))]
    if seconds[1] < LEAST_SECOND_SECONDS:
        return None
    score = _score(model, found.first_direction, seconds[0], found.second_direction, seconds[1])
    if score >= least_score(seconds[1], DOUBT):
        return None
    least = least_score(seconds[1])
    score = _score(
        model, found.first_direction, seconds[0], _looked_at_again(model, utterance, pieces, found), seconds[1]
    )
    if score >= least or _is_a_mood(model, utterance, pieces, found, seconds):
        return None
    return SecondVoiceHeard(score, least, seconds[0], seconds[1])


def least_score(second_seconds: float, above: float = 0.0) -> float:
    """What the smaller of two groups of one voice's pieces scores at least; ``above``: so many log odds more."""
    log_odds = SECOND_VOICE_GROWTH * math.log(min(second_seconds, LONG_SECONDS) / EVEN_SECONDS) + above
    return 1.0 / (1.0 + math.exp(-log_odds))


def require_same_voice(model: SpeakerModel, signature: Signature, enrollment: Enrollment) -> None:
    """Raises ``EnrollmentDiffers``."""
    score = model.scores(enrollment.embedding, enrollment.speech_seconds, [signature])[0]
    if score < EARLIER_SCORE:
        raise EnrollmentDiffers(score, EARLIER_SCORE)


def _pieces(utterance: Utterance) -> Iterator[Utterance]:
    """Pieces of ``PIECE_SECONDS`` of speech that overlap by half; none where the speech is shorter."""
    spoken = np.flatnonzero(utterance.speech)
    size = round(PIECE_SECONDS * SAMPLE_RATE)
    count = min(1 + (len(spoken) - size) // round(HOP_SECONDS * SAMPLE_RATE), MOST_PIECES)
    for start in np.linspace(0, len(spoken) - size, max(count, 0)).astype(int):
        mask = np.zeros(len(utterance.speech), np.bool_)
        mask[spoken[start : start + size]] = True
        yield replace(utterance, speech=mask, speech_seconds=PIECE_SECONDS)


def _alike(model: SpeakerModel, piece: Vector, pieces: Vector) -> Numbers:
    return model.scores_of_all(piece, PIECE_SECONDS, pieces, np.full(len(pieces), PIECE_SECONDS))


def _score(model: SpeakerModel, one: Vector, seconds: float, other: Vector, other_seconds: float) -> float:
    return float(model.scores_of_all(one, seconds, other[None], np.array([other_seconds]))[0])


def _looked_at_again(model: SpeakerModel, utterance: Utterance, pieces: Sequence[Utterance], found: Halves) -> Vector:
    """The direction of the second group, made of its pieces and of its own speech at once: pieces at the edges of turns
    hold both voices, and longer speech says more than the sum of its pieces."""
    masks = np.stack([piece.speech for piece in pieces])
    share = masks[found.second].sum(axis=0) / np.maximum(masks.sum(axis=0), 1)
    own = next(
        (mask for mask in (share >= least for least in OWN_SHARES) if mask.sum() >= OWN_SECONDS * SAMPLE_RATE),
        share > 0.0,
    )
    both = found.second_direction + model.embed(replace(utterance, speech=own))
    return np.asarray(both / np.linalg.norm(both), np.float32)


def _is_a_mood(
    model: SpeakerModel, utterance: Utterance, pieces: Sequence[Utterance], found: Halves, seconds: Sequence[float]
) -> bool:
    """Whether the second voice is the first one higher or lower, as in another mood: played slower or faster, it is."""
    own = np.any([piece.speech for piece, second in zip(pieces, found.second, strict=True) if second], axis=0)
    samples = utterance.recording.samples[own]
    for factor in MOODS:
        played = _played(samples, factor)
        recording = replace(utterance.recording, samples=played)
        other = model.embed(replace(utterance, recording=recording, speech=np.ones(len(played), np.bool_)))
        if _score(model, found.first_direction, seconds[0], other, seconds[1]) >= MOOD_SCORE:
            return True
    return False


def _played(samples: Samples, factor: float) -> Samples:
    """As many times as long, and as much lower: samples [n] to [n * factor], by their spectrum."""
    count = round(len(samples) * factor)
    spectrum = np.fft.rfft(samples)[: count // 2 + 1]
    return np.asarray(np.fft.irfft(spectrum, count) * (count / len(samples)), np.float32)
