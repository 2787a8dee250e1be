"""Who said a phrase of a transcript: the speaker whose turns overlap it most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

TICKS_PER_SECOND: Final = 10_000_000
"""Azure's unit of time, 100 ns: milliseconds are whole in it, and sums of it are exact."""

Ticks: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Span:
    """A stretch of a recording, or of one of its channels (from 1), in ticks; ``end`` is not before ``start``."""

    start: int
    end: int
    channel: int | None = None


@dataclass(frozen=True)
class SpokenSpan:
    speaker: str
    span: Span


def speakers_of(phrases: Sequence[Span], turns: Sequence[SpokenSpan]) -> list[str | None]:
    """Of each phrase the speaker of most of it; of two with the same share who speaks first in the recording.

    ``None`` where nobody speaks. Where both a phrase and a turn name their channel, it has to be the same. A phrase of
    no length belongs to who speaks then. Takes time of phrases times speakers, however the turns overlap.
    """
    speakers: list[str | None] = [None] * len(phrases)
    ordered = sorted(turns, key=lambda turn: turn.span.start)
    for channel in {phrase.channel for phrase in phrases}:
        numbers = [number for number, phrase in enumerate(phrases) if phrase.channel == channel]
        heard = [turn for turn in ordered if channel is None or turn.span.channel in (None, channel)]
        for number, speaker in zip(numbers, _most_of([phrases[number] for number in numbers], heard), strict=True):
            speakers[number] = speaker
    return speakers


def _most_of(phrases: Sequence[Span], turns: Sequence[SpokenSpan]) -> Iterator[str | None]:
    starts = np.array([phrase.start for phrase in phrases], np.int64)
    ends = np.maximum([phrase.end for phrase in phrases], starts + 1)
    names = list(dict.fromkeys(turn.speaker for turn in turns))
    spans: dict[str, list[Span]] = {name: [] for name in names}
    for turn in turns:
        spans[turn.speaker].append(turn.span)
    most, best = np.zeros(len(phrases), np.int64), np.full(len(phrases), -1)
    for number, name in enumerate(names):
        overlap = _spoken_before(ends, spans[name]) - _spoken_before(starts, spans[name])
        best[overlap > most] = number
        most = np.maximum(most, overlap)
    return (names[number] if number >= 0 else None for number in best)


def _spoken_before(moments: Ticks, spans: Sequence[Span]) -> Ticks:
    """Ticks of the spans that lie before each moment, shape [n]."""
    return _since(moments, [span.start for span in spans]) - _since(moments, [span.end for span in spans])


def _since(moments: Ticks, events: Sequence[int]) -> Ticks:
    """Of each moment the ticks since every event before it, summed up."""
    ordered = np.sort(np.array(events, np.int64))
    sums = np.concatenate([[0], np.cumsum(ordered)])
    before = np.searchsorted(ordered, moments)
    ticks: Ticks = before * moments - sums[before]
    return ticks
