"""Recordings of one voice and of two, drawn of speech with known speakers, as an enrollment may bring them."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from typing import Final

import numpy as np
import soxr

from shared.domain.recording import SAMPLE_RATE, Samples
from tools.evaluation.degradations import speech_power
from tools.evaluation.pieces import read
from tools.meetings.voices import FITTING, MIN_TAKES, Span, Take, trimmed

SENTENCE: Final = "one voice, as recorded"
BEGINNING: Final = "one voice, the first 8 s"
LONG: Final = "one voice, 25 s"
MOOD: Final = "one voice, half of it 15 % slower or faster"
TURNS: Final[Mapping[str, Sequence[float]]] = {
    "a second voice, 2 s in turns of 1 s": (1.0, 1.0),
    "a second voice, 4 s in turns of 1 s": (1.0, 1.0, 1.0, 1.0),
    "a second voice, 2.5 s at once": (2.5,),
    "a second voice, 6 s in turns of 2 s": (2.0, 2.0, 2.0),
}
"""Seconds of speech of each turn of the second voice."""
FIRST_SECONDS: Final = (10.0, 16.0)
"""Of speech of the first voice, as much as it has; voices with less than the lower number are no first voice."""
BEGINNING_SECONDS: Final = 8.0
LONG_SECONDS: Final = 25.0
FACTORS: Final = (1.15, 1 / 1.15)
LEVELS_DB: Final = 2.0
"""Two voices before one microphone differ by up to twice as much; the takes are brought to one level before."""
LEVEL_DBFS: Final = -26.0
PAUSE_SECONDS: Final = (0.05, 0.3)
"""Between turns."""
FADE: Final = SAMPLE_RATE // 200
_AS_ONE: Final = "+"
"""In the name of a speaker of the manifest: it is several."""


@dataclass(frozen=True)
class Speaker:
    name: str
    source: str
    gender: str
    recordings: tuple[Samples, ...] = field(repr=False)
    takes: tuple[Take, ...] = field(repr=False)

    @property
    def seconds(self) -> float:
        """Of speech."""
        return sum(span.end - span.start for take in self.takes for span in take.speech) / SAMPLE_RATE


@dataclass(frozen=True)
class Mixture:
    """``second`` is the second voice's speaker, ``None`` where there is none."""

    kind: str
    first: str
    second: str | None
    number: int
    samples: Samples = field(repr=False)


def speakers(manifest: Path) -> list[Speaker]:
    """Everyone of the manifest who is one person."""
    rows: dict[str, list[dict[str, str]]] = {}
    with manifest.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if _AS_ONE not in row["speaker"]:
                rows.setdefault(row["speaker"], []).append(row)
    return [_speaker(name, some, manifest.parent) for name, some in rows.items()]


def halves(everybody: Sequence[Speaker]) -> tuple[list[Speaker], list[Speaker]]:
    """Speakers to fit on, and speakers to count on.

    Of those with many recordings as where turns are counted; of the others every second one.
    """
    many = [one for one in everybody if len(one.recordings) >= MIN_TAKES]
    few = [one for one in everybody if len(one.recordings) < MIN_TAKES]
    fitting = [one for one in many if one.name in FITTING] + few[::2]
    return fitting, [one for one in everybody if one not in fitting]


def single_voices(of: Sequence[Speaker]) -> Iterator[Mixture]:
    """Every recording, the beginnings of long ones, and for speakers with many recordings two long ones, each also with
    one half in another mood."""
    for speaker in of:
        for number, samples in enumerate(speaker.recordings):
            yield Mixture(SENTENCE, speaker.name, None, number, samples)
            if len(samples) > BEGINNING_SECONDS * SAMPLE_RATE:
                yield Mixture(BEGINNING, speaker.name, None, number, samples[: round(BEGINNING_SECONDS * SAMPLE_RATE)])
        if len(speaker.recordings) >= MIN_TAKES:
            for number, factor in enumerate(FACTORS):
                samples = _long(speaker, number)
                yield Mixture(LONG, speaker.name, None, number, samples)
                yield Mixture(MOOD, speaker.name, None, number, _in_two_moods(samples, factor))


def second_voices(of: Sequence[Speaker]) -> Iterator[Mixture]:
    """Of each kind two for speakers with many recordings, with a second voice of the same sex and one of the other
    where sexes are known; one for others. Both voices are of the same source."""
    for kind, turns in TURNS.items():
        for first in of:
            if first.seconds < FIRST_SECONDS[0]:
                continue
            for number in range(2 if len(first.recordings) >= MIN_TAKES else 1):
                random = np.random.default_rng([number, zlib.crc32(f"{kind} {first.name}".encode())])
                others = [one for one in of if one.source == first.source and one is not first]
                others = [one for one in others if (one.gender == first.gender) == (number == 0) or not one.gender]
                others = [one for one in others if one.seconds >= sum(turns) + 1.0]
                second = others[int(random.integers(len(others)))] if others else None
                if second:
                    yield Mixture(kind, first.name, second.name, number, _mixed(first, second, turns, random))


def _speaker(name: str, rows: Sequence[Mapping[str, str]], folder: Path) -> Speaker:
    recordings = tuple(read(folder / row["path"]) for row in rows)
    takes = tuple(_levelled(trimmed(one)) for one in recordings)
    return Speaker(name, rows[0]["source"].split("-")[0], rows[0]["gender"], recordings, takes)


def _long(speaker: Speaker, number: int) -> Samples:
    """Whole recordings from the beginning or from the end of the list, until there are 25 s."""
    order = speaker.recordings[:: 1 if number == 0 else -1]
    return np.concatenate(order)[: round(LONG_SECONDS * SAMPLE_RATE)]


def _in_two_moods(samples: Samples, factor: float) -> Samples:
    """The second half ``factor`` times as long and as much lower."""
    half = len(samples) // 2
    played = soxr.resample(samples[half:], SAMPLE_RATE, SAMPLE_RATE * factor, quality="HQ")
    return np.concatenate([samples[:half], np.asarray(played, np.float32)])


def _mixed(first: Speaker, second: Speaker, turns: Sequence[float], random: np.random.Generator) -> Samples:
    """The second voice's turns between parts of the first's speech that are about equally long."""
    seconds = min(float(random.uniform(*FIRST_SECONDS)), first.seconds - 0.1)
    weights = random.uniform(0.5, 1.5, len(turns) + 1)
    own = _cut(first, list(seconds * weights / weights.sum()), random)
    others = _cut(second, turns, random)
    gains = 10.0 ** (random.uniform(-LEVELS_DB, LEVELS_DB, 2) / 20.0)
    parts = [own[0] * gains[0]]
    for mine, theirs in zip(own[1:], others, strict=True):
        pauses = [np.zeros(round(random.uniform(*PAUSE_SECONDS) * SAMPLE_RATE), np.float32) for _ in range(2)]
        parts += [pauses[0], theirs * gains[1], pauses[1], mine * gains[0]]
    mixed = np.concatenate(parts)
    noise = 10.0 ** (LEVEL_DBFS / 20.0 - 2.0) * random.standard_normal(len(mixed), np.float32)
    return np.asarray((mixed + noise) / max(1.0, float(np.abs(mixed).max()) / 0.95), np.float32)


def _cut(speaker: Speaker, seconds: Sequence[float], random: np.random.Generator) -> list[Samples]:
    """Parts with so much speech each, one behind the other in the speaker's recordings, which come in a drawn order;
    pauses inside stay."""
    takes = [speaker.takes[number] for number in random.permutation(len(speaker.takes))]
    samples = np.concatenate([take.samples for take in takes])
    starts = np.cumsum([0, *(len(take.samples) for take in takes)])
    spans = chain.from_iterable(
        (Span(one.start + start, one.end + start) for one in take.speech)
        for take, start in zip(takes, starts.tolist(), strict=False)
    )
    spoken = np.concatenate([np.arange(one.start, one.end) for one in spans])
    lengths = [round(one * SAMPLE_RATE) for one in seconds]
    offset = int(random.integers(max(1, len(spoken) - sum(lengths))))
    edges = offset + np.cumsum([0, *lengths])
    edges = np.minimum(edges, len(spoken))
    return [_faded(samples[spoken[start] : spoken[end - 1] + 1]) for start, end in pairwise(edges)]


def _levelled(take: Take) -> Take:
    gain = 10.0 ** (LEVEL_DBFS / 20.0) / np.sqrt(speech_power(take.samples))
    return Take(np.asarray(gain * take.samples, np.float32), take.speech)


def _faded(samples: Samples) -> Samples:
    ramp = np.minimum(1.0, np.arange(len(samples), dtype=np.float32) / FADE)
    return np.asarray(samples * ramp * ramp[::-1], np.float32)
