"""Why a recording was accepted, rejected or refused: the rule that decided, what was measured, and what would help.

Numbers and names of rules only: no phrase, no voice, no id of a profile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from shared.domain import errors
from shared.domain.calibration import Calibration
from shared.domain.decision import Decision
from shared.domain.errors import TimbreError
from shared.domain.passphrase import HeardPhrase
from shared.domain.recording import Measured

GOOD_SNR_DB: Final = 15.0
"""Below it own voices are refused more often than in quiet: 0.8 % in babble at 15 dB as without, 1.7 % at 10 dB, 7.9 %
at 5 dB (docs/accuracy.md)."""

GOOD_SNR_FOR_PHRASES_DB: Final = 25.0
"""The same for phrases: of 90 synthesised ones 84 are recognised in white noise at 20 dB and 79 at 10 dB; in quiet
264 of 270."""

LOUD_DBFS: Final = -40.0
"""Where nothing is speech, what is louder drowns it or stands in its place: in white noise 5 dB above the speech no
speech was found in 1 of 9 recordings."""


class DecidedBy(StrEnum):
    """The rule that decided."""

    VOICE = "voice"
    PHRASE = "phrase"
    ACTIVATION = "activation"
    QUALITY = "quality"
    SECOND_VOICE = "secondVoice"
    CHALLENGE = "challenge"
    REPLAY = "replay"


class ThresholdFrom(StrEnum):
    """Who set a threshold."""

    DEFAULT = "default"
    SUBSCRIPTION = "subscription"
    REQUEST = "request"


@dataclass(frozen=True)
class Threshold:
    """A score in (0, 1)."""

    score: float
    origin: ThresholdFrom


@dataclass(frozen=True)
class PhraseHeard:
    """Of the phrase that was to be said: whether it was recognised, and whether all of it was heard. What else may have
    been said is not told."""

    recognised: bool
    complete: bool

    @classmethod
    def of(cls, heard: HeardPhrase, phrase: str) -> PhraseHeard:
        complete = heard.recognised and heard.phrase == phrase
        return cls(complete or heard.is_cut(phrase), complete)


@dataclass(frozen=True)
class Advice:
    """``code`` is for programs, ``text`` for the person who speaks."""

    code: str
    text: str


@dataclass(frozen=True)
class Explanation:
    """``None`` is what does not apply: nothing was measured, compared or refused.

    ``model_id`` and ``calibration`` are those that made the score. ``replay``: whether it was accepted before.
    """

    decided_by: DecidedBy | None = None
    measured: Measured | None = None
    decision: Decision | None = None
    threshold_from: ThresholdFrom | None = None
    model_id: str | None = None
    calibration: Calibration | None = field(default=None, repr=False)
    phrase: PhraseHeard | None = None
    advice: tuple[Advice, ...] = ()
    replay: bool | None = None

    def false_match_rate(self, score: float) -> float | None:
        """The share of strangers that is accepted from the score on, as far as the calibration may claim it."""
        return self.calibration.claimed_rate(score) if self.calibration else None

    def advised(self) -> Explanation:
        """With what would help where a decision is a reject."""
        if self.decision is None or self.decision.accepted:
            return self
        wholly = [_SAY_THE_WORDS[self.decided_by]] if self.decided_by in _SAY_THE_WORDS else []
        return replace(self, advice=(*self._circumstances(), *wholly))

    def of_two_voices(self) -> Explanation:
        """Of a reject by voice: a second one was heard beside the first."""
        return replace(self, advice=(*self.advice, _SPEAK_ALONE))

    def of_replay(self, replay: bool, *, refused: bool) -> Explanation:
        """Of a decision that was made, with what is known of the recording's past."""
        if not (replay and refused) or self.decision is None:
            return replace(self, replay=replay)
        rejected = Decision(0.0, self.decision.threshold)
        return replace(self, replay=True, decided_by=DecidedBy.REPLAY, decision=rejected, advice=(_SAY_IT_ANEW,))

    def of_refusal(self, refused: TimbreError) -> Explanation:
        """What was known before, and what the refusal adds to it."""
        decided_by, advise = next(_REFUSALS[kind] for kind in type(refused).__mro__ if kind in _REFUSALS)
        advice = (advise(refused),) if callable(advise) else (advise,) if advise else ()
        if isinstance(refused, errors.SecondVoiceHeard | errors.EnrollmentDiffers):
            compared = replace(
                self, decision=Decision(refused.score, refused.minimum), threshold_from=ThresholdFrom.DEFAULT
            )
        else:
            compared = replace(self, model_id=None)
        if isinstance(refused, errors.PassphraseRefused) and decided_by is DecidedBy.PHRASE:
            compared = replace(compared, phrase=PhraseHeard(recognised=refused.cut, complete=False))
        known = replace(compared, decided_by=decided_by)
        if isinstance(refused, errors.SpeechTooShort):
            circumstances = known._noise()
        else:
            circumstances = () if decided_by is DecidedBy.QUALITY else known._circumstances()
        return replace(known, advice=(*circumstances, *advice))

    def _circumstances(self) -> tuple[Advice, ...]:
        """What may have made a right speaker unlike: noise, or less speech than the calibration has seen."""
        if self.measured is None:
            return ()
        least = self.calibration.min_seconds if self.calibration and not self.phrase else 0.0
        short = (_longer(least - self.measured.speech_seconds),) if self.measured.speech_seconds < least else ()
        return (*self._noise(), *short)

    def _noise(self) -> tuple[Advice, ...]:
        if self.measured is None or (self.measured.speech_seconds == 0.0 and self.measured.level_dbfs < LOUD_DBFS):
            return ()
        good = GOOD_SNR_FOR_PHRASES_DB if self.decided_by is DecidedBy.PHRASE else GOOD_SNR_DB
        return (FIND_A_QUIETER_ROOM,) if self.measured.snr_db < good else ()


@contextmanager
def explained(known: Explanation) -> Iterator[None]:
    """A refusal inside, of the recording or of what is said in it, takes along what is known of the recording."""
    try:
        yield
    except (errors.RecordingRefused, errors.PassphraseRefused) as refused:
        refused.explanation = refused.explanation or known.of_refusal(refused)
        raise


def explanation_of(refused: TimbreError) -> Explanation | None:
    """``None`` where nothing was refused that has to do with the recording."""
    if refused.explanation or not isinstance(refused, errors.RecordingRefused | errors.PassphraseRefused):
        return refused.explanation
    return Explanation().of_refusal(refused)


FIND_A_QUIETER_ROOM: Final = Advice("quieterRoom", "Find a quieter room.")
SAY_THE_WHOLE_PHRASE: Final = Advice("wholePhrase", "Say the whole phrase.")
_SAY_THE_WORDS: Final = {
    DecidedBy.PHRASE: SAY_THE_WHOLE_PHRASE,
    DecidedBy.CHALLENGE: Advice("challengeDigits", "Say the digits that are shown, one by one, and nothing else."),
}
_SAY_IT_ANEW: Final = Advice("newRecording", "Make a new recording.")
_SPEAK_ALONE: Final = Advice("speakAlone", "Record one person alone.")
_NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _longer(seconds: float) -> Advice:
    """Whole seconds more, at least one."""
    count = max(1, math.ceil(seconds))
    number = _NUMBERS[count - 1] if count <= len(_NUMBERS) else str(count)
    return Advice("speakLonger", f"Speak for {number} more second{'s' if count > 1 else ''}.")


def _shorter(refused: errors.AudioTooLong) -> Advice:
    return Advice("speakShorter", f"Record at most {refused.maximum_seconds:g} seconds.")


_REFUSALS: Final[Mapping[type, tuple[DecidedBy, Advice | Callable[[Any], Advice] | None]]] = {
    errors.RecordingRefused: (DecidedBy.QUALITY, Advice("otherFormat", "Send a WAV file.")),
    errors.AudioTooShort: (DecidedBy.QUALITY, lambda refused: _longer(refused.minimum_seconds - refused.seconds)),
    errors.AudioTooLong: (DecidedBy.QUALITY, _shorter),
    errors.SpeechTooShort: (
        DecidedBy.QUALITY,
        lambda refused: _longer(refused.minimum_seconds - refused.speech_seconds),
    ),
    errors.AudioTooNoisy: (DecidedBy.QUALITY, FIND_A_QUIETER_ROOM),
    errors.AudioTooQuiet: (DecidedBy.QUALITY, Advice("speakCloser", "Speak closer to the microphone.")),
    errors.AudioClipped: (DecidedBy.QUALITY, Advice("speakFarther", "Speak farther from the microphone.")),
    errors.AudioTooNarrow: (DecidedBy.QUALITY, Advice("widerLine", "Use a microphone instead of a telephone.")),
    errors.TwoChannelsSpeak: (DecidedBy.QUALITY, Advice("chooseChannel", "Choose one channel of the recording.")),
    errors.SecondVoiceHeard: (DecidedBy.SECOND_VOICE, _SPEAK_ALONE),
    errors.EnrollmentDiffers: (DecidedBy.VOICE, None),
    errors.PassphraseRefused: (DecidedBy.PHRASE, SAY_THE_WHOLE_PHRASE),
    errors.ActivationNotHeard: (
        DecidedBy.ACTIVATION,
        Advice("activationPhrase", "Say the whole activation phrase."),
    ),
}
"""The rule behind a refusal, and what to do about it. A refusal that is not here counts as its nearest base class."""
