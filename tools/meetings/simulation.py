"""Simulated meetings: real takes in turns, with the gaps and overlaps of conversations, and who spoke when.

Where the laws of timing come from:

- Turns of ``TURN_SECONDS``: 12 changes of speaker a minute in 348 calls of Switchboard (Roberts, Torreira and Levinson
  2015, doi 10.3389/fpsyg.2015.00509), drawn from an exponential law.
- The next speaker begins ``TRANSFER_SECONDS`` after the last one ends, with the mean and the deviation of the 19,754
  changes counted there: two in three are gaps and one in three is an overlap, as in the corpora of Heldner and
  Edlund (2010, doi 10.1016/j.wocn.2010.08.002) and Levinson and Torreira (2015, doi 10.3389/fpsyg.2015.00731).
- ``LISTENERS`` of the turns have a few words of a listener inside them, the second type of overlap of Yuan, Liberman
  and Cieri (ICPhS 2007). Reece et al. (2023, doi 10.1126/sciadv.adf3197) hear them in nearly two thirds of longer
  turns; some of ours are short. In all 10 % of the time that somebody speaks is overlapped (``overlapped``: 8 to 11 %
  in twelve meetings of half an hour, 9 to 13 % in short ones; Shriberg, Stolcke and Baron, Eurospeech 2001, and others
  count up to a tenth in meetings). Of what each one says that is 14 to 27 %: an overlapped moment is two people's.
- Whoever spoke before the last speaker is ``RETURNS`` times as likely to go on (after Stasser and Taylor 1991).

Everything is drawn from a generator that is passed in.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import soundfile
import soxr

from shared.domain.recording import SAMPLE_RATE, Samples
from tools.evaluation.degradations import Change, Numbers, speech_power
from tools.meetings.voices import Span, Take, Voice, joined

TURN_SECONDS: Final = 4.8
SHORTEST_TURN: Final = 0.7
LONGEST_TURN: Final = 20.0
TRANSFER_SECONDS: Final = (0.187, 0.448)
TRANSFER_BOUNDS: Final = (-1.2, 2.0)
PAUSE_SECONDS: Final = (0.2, 0.8)
"""Between two takes of one turn, uniform. The pauses inside takes stay."""
LISTENERS: Final = 0.5
LISTENER_SECONDS: Final = (0.4, 1.2)
RETURNS: Final = 2.0
LEVEL_DBFS: Final = -26.0
LEVELS_DB: Final = 4.0
"""Voices differ by up to so much, either way."""
NOISE_DB: Final = 35.0
"""The room's noise, below the speech."""
CUT_SECONDS: Final = 0.25
"""A turn ends at the quietest moment within so much of its drawn length."""
FADE: Final = SAMPLE_RATE // 200


@dataclass(frozen=True)
class Turn:
    """Seconds in which ``speaker`` is heard without a longer pause. ``channel`` from 0."""

    start: float
    end: float
    speaker: str
    channel: int = 0


@dataclass(frozen=True)
class Meeting:
    """``samples`` [channels, n] at 16 kHz. ``strangers`` took part and have not enrolled; ``absent`` the reverse."""

    name: str
    samples: Samples = field(repr=False)
    turns: tuple[Turn, ...] = field(repr=False)
    participants: tuple[Voice, ...] = field(repr=False)
    strangers: frozenset[str]
    absent: tuple[Voice, ...] = field(default=(), repr=False)

    @property
    def candidates(self) -> tuple[Voice, ...]:
        """Everyone who has enrolled."""
        return (*(one for one in self.participants if one.name not in self.strangers), *self.absent)

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[-1] / SAMPLE_RATE)

    def until(self, seconds: float) -> Meeting:
        """Its beginning."""
        turns = tuple(replace(turn, end=min(turn.end, seconds)) for turn in self.turns if turn.start < seconds)
        return replace(self, samples=self.samples[:, : round(seconds * SAMPLE_RATE)], turns=turns)


def simulated(
    name: str, voices: Sequence[Voice], seconds: float, random: np.random.Generator, channels: int = 1
) -> Meeting:
    """A meeting of these voices, everyone heard at least once; with two channels every second voice is on the second.

    It lasts about ``seconds``, at least one turn of everybody.
    """
    mouths = [_Mouth(one, random) for one in voices]
    heard = list(_conversation(mouths, seconds, random))
    length = max(one.start + len(one.words.samples) for one in heard) + SAMPLE_RATE // 2
    mixed = np.zeros((channels, length), np.float32)
    for one in heard:
        mixed[one.mouth % channels, one.start : one.start + len(one.words.samples)] += one.words.samples
    noise = 10.0 ** ((LEVEL_DBFS - NOISE_DB) / 20.0)
    mixed += noise * random.standard_normal(mixed.shape, np.float32)
    mixed /= max(1.0, float(np.abs(mixed).max()) / 0.99)
    turns = [turn for number in range(len(voices)) for turn in _turns(heard, number, voices[number].name, channels)]
    return Meeting(name, mixed, tuple(sorted(turns, key=lambda turn: turn.start)), tuple(voices), frozenset())


def with_stranger(meeting: Meeting, absent: Sequence[Voice]) -> Meeting:
    """Its last participant has not enrolled, and ``absent`` have."""
    return replace(meeting, strangers=frozenset({meeting.participants[-1].name}), absent=tuple(absent))


def through(meeting: Meeting, change: Change, random: np.random.Generator) -> tuple[Meeting, bytes]:
    """The same turns behind a channel: the meeting with the changed sound at 16 kHz, and the bytes that a client sends.

    One channel only.
    """
    body = change(meeting.samples[0], random)
    samples, rate = soundfile.read(io.BytesIO(body), dtype="float32")
    wide = soxr.resample(samples, rate, SAMPLE_RATE, quality="HQ")
    length = meeting.samples.shape[1]
    fitted = np.pad(wide, (0, max(0, length - len(wide))))[:length]
    return replace(meeting, samples=np.asarray(fitted[np.newaxis], np.float32)), body


def rttm(name: str, turns: Sequence[Turn]) -> str:
    """NIST's Rich Transcription Time Marked lines."""
    line = "SPEAKER {} {} {:.3f} {:.3f} <NA> <NA> {} <NA> <NA>\n"
    return "".join(
        line.format(name, turn.channel + 1, turn.start, turn.end - turn.start, turn.speaker) for turn in turns
    )


def overlapped(turns: Sequence[Turn]) -> float:
    """Share of the time that somebody speaks in which two do."""
    edges = sorted([(turn.start, 1) for turn in turns] + [(turn.end, -1) for turn in turns])
    spoken_seconds = overlapped_seconds = 0.0
    active, last = 0, 0.0
    for at, step in edges:
        spoken_seconds += (at - last) * (active > 0)
        overlapped_seconds += (at - last) * (active > 1)
        active, last = active + step, at
    return overlapped_seconds / spoken_seconds if spoken_seconds else 0.0


@dataclass(frozen=True)
class _Placed:
    mouth: int
    start: int
    words: Take


class _Mouth:
    """Says its takes in a drawn order, each to its end before the next, and again once all are said."""

    def __init__(self, voice: Voice, random: np.random.Generator) -> None:
        level = LEVEL_DBFS + random.uniform(-LEVELS_DB, LEVELS_DB)
        self._takes = [Take(_levelled(take.samples, level), take.speech) for take in voice.takes]
        self._random = random
        self._queue: list[Take] = []

    def say(self, seconds: float) -> Take:
        """About ``seconds``, pauses included."""
        parts: list[Samples] = []
        wanted = round(seconds * SAMPLE_RATE)
        speech: list[Span] = []
        at = 0
        while wanted > 0:
            piece = self._next(wanted)
            speech += [Span(one.start + at, one.end + at) for one in piece.speech]
            pause = round(self._random.uniform(*PAUSE_SECONDS) * SAMPLE_RATE)
            parts += [piece.samples, np.zeros(pause, np.float32)]
            at += len(piece.samples) + pause
            wanted -= len(piece.samples) + pause
        return Take(np.concatenate(parts[:-1]), tuple(speech))

    def _next(self, wanted: int) -> Take:
        if not self._queue:
            self._queue = [self._takes[number] for number in self._random.permutation(len(self._takes))]
        take = self._queue.pop()
        within = round(CUT_SECONDS * SAMPLE_RATE)
        if len(take.samples) > wanted + 3 * within:
            cut = _quietest(take.samples, max(within, wanted - within), wanted + within)
            take, rest = _part(take, 0, cut), _part(take, cut, len(take.samples))
            self._queue += [rest] if rest.speech else []
        return Take(_faded(take.samples), take.speech)


def _conversation(mouths: Sequence[_Mouth], seconds: float, random: np.random.Generator) -> Iterator[_Placed]:
    talkative = random.uniform(0.5, 1.5, len(mouths))
    opening = list(random.permutation(len(mouths)))
    silent = [0] * len(mouths)  # nobody begins before his own last words have ended
    before = last = -1
    end = SAMPLE_RATE // 2
    while opening or end < seconds * SAMPLE_RATE:
        number = int(opening.pop()) if opening else _next_speaker(talkative, before, last, random)
        turn = mouths[number].say(float(np.clip(random.exponential(TURN_SECONDS), SHORTEST_TURN, LONGEST_TURN)))
        transfer = round(float(np.clip(random.normal(*TRANSFER_SECONDS), *TRANSFER_BOUNDS)) * SAMPLE_RATE)
        start = max(0, end + transfer, silent[number])
        yield _Placed(number, start, turn)
        silent[number] = start + len(turn.samples)
        if len(mouths) > 1 and random.random() < LISTENERS:
            listener = int(random.choice([other for other in range(len(mouths)) if other != number]))
            words = mouths[listener].say(random.uniform(*LISTENER_SECONDS))
            inside = start + int(random.integers(max(0, len(turn.samples) - len(words.samples)) + 1))
            yield _Placed(listener, max(inside, silent[listener]), words)
            silent[listener] = max(inside, silent[listener]) + len(words.samples)
        before, last, end = last, number, max(end, silent[number])


def _next_speaker(talkative: Numbers, before: int, last: int, random: np.random.Generator) -> int:
    """Anyone but the last."""
    numbers = np.arange(len(talkative))
    weights = talkative * np.where(numbers == before, RETURNS, 1.0) * (numbers != last)
    if not weights.any():
        return last
    return int(random.choice(len(talkative), p=weights / weights.sum()))


def _turns(heard: Sequence[_Placed], mouth: int, name: str, channels: int) -> Iterator[Turn]:
    own = [one for one in heard if one.mouth == mouth]
    for span in joined([Span(s.start + one.start, s.end + one.start) for one in own for s in one.words.speech]):
        yield Turn(span.start / SAMPLE_RATE, span.end / SAMPLE_RATE, name, mouth % channels)


def _quietest(samples: Samples, low: int, high: int) -> int:
    window = SAMPLE_RATE // 50
    power = np.convolve(np.square(samples[low:high], dtype=np.float64), np.ones(window), "same")
    return low + int(np.argmin(power))


def _part(take: Take, start: int, end: int) -> Take:
    clipped = [Span(max(one.start, start) - start, min(one.end, end) - start) for one in take.speech]
    shortest = SAMPLE_RATE // 25
    return Take(take.samples[start:end], tuple(one for one in clipped if one.end - one.start >= shortest))


def _levelled(samples: Samples, level_dbfs: float) -> Samples:
    gain = 10.0 ** (level_dbfs / 20.0) / np.sqrt(speech_power(samples))
    return np.asarray(gain * samples, np.float32)


def _faded(samples: Samples) -> Samples:
    """Without a click at either end."""
    ramp = np.minimum(1.0, np.arange(len(samples), dtype=np.float32) / FADE)
    return np.asarray(samples * ramp * ramp[::-1], np.float32)
