"""Who spoke when: turns with the names of their speakers, and what a request may ask of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import ParameterInvalid

UNKNOWN: Final = "unknown-"
"""Before the number of a speaker who is none of the candidates, from 1 by first appearance."""

MAX_SPEAKERS: Final = 20
"""Our choice: speakers of one recording, or of one of its channels."""


@dataclass(frozen=True)
class Turn:
    """Seconds from the beginning of the recording. ``speaker`` is a profile's id or ``unknown-n``, ``score`` that of
    all the speaker's speech, ``None`` for the unknown. ``overlap``: somebody else speaks in it too. ``channel``, from
    1, where channels hold different voices."""

    start: float
    end: float
    speaker: str
    score: float | None
    overlap: bool = False
    channel: int | None = None


@dataclass(frozen=True)
class SpeakerOfTurns:
    """``seconds`` of all the speaker's turns. ``ranking``: ids and scores of the best candidates, best first, also of a
    speaker who is none of them."""

    speaker: str
    seconds: float
    score: float | None
    ranking: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class NamedTurns:
    """Turns by start, speakers by first appearance. Seconds in which several speak count once as speech."""

    turns: Sequence[Turn]
    speakers: Sequence[SpeakerOfTurns]
    audio_seconds: float
    speech_seconds: float


@dataclass(frozen=True)
class TurnOptions:
    """How many speakers there are at least and at most, in the recording or in each channel that has voices of its own;
    ``exclusive``: of several who speak at once in a channel the likeliest alone. Raises ``ParameterInvalid``."""

    min_speakers: int = 1
    max_speakers: int = MAX_SPEAKERS
    exclusive: bool = False

    def __post_init__(self) -> None:
        for name, value in (("minSpeakers", self.min_speakers), ("maxSpeakers", self.max_speakers)):
            if not 1 <= value <= MAX_SPEAKERS:
                raise ParameterInvalid(name, str(value), f"It is a whole number from 1 to {MAX_SPEAKERS}.")
        if self.min_speakers > self.max_speakers:
            rule = f"It must not be above maxSpeakers, which is {self.max_speakers}."
            raise ParameterInvalid("minSpeakers", str(self.min_speakers), rule)
