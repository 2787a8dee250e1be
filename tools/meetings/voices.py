"""Who takes part in simulated meetings: takes in which somebody speaks, and other takes to enrol with."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from shared.domain.recording import SAMPLE_RATE, Samples
from tools.evaluation.pieces import read

ENROLLED: Final = 3
"""Takes that a voice enrols with. They are in no meeting."""
MIN_TAKES: Final = 9
FRAME: Final = SAMPLE_RATE // 100
LOUD_DB: Final = 30.0
"""Below the loud frames of a take, and ``ABOVE_FLOOR`` of the way up from its quiet ones: the edge of speech."""
ABOVE_FLOOR: Final = 0.3
SHORTEST_PAUSE: Final = 0.25
"""Seconds. Closures of stops last up to 180 ms (Heldner and Edlund 2010)."""
SHORTEST_SPEECH: Final = 0.08
FITTING: Final = frozenset(
    {
        "l1688", "l2414", "so0560", "so0739", "so0813", "so0960", "so1027", "so1029", "so1407", "so2022", "so2236",
        "so2251", "so2380", "so2427", "so2430", "so2621", "so3023", "so9607", "so9616", "so9624", "so9634", "so9639",
    }
)  # fmt: skip
"""Drawn once, of both sources; everyone else is counted."""
MARGIN: Final = 0.05
"""Seconds of a take that stay before its first sound and behind its last."""


@dataclass(frozen=True)
class Span:
    """``start`` and ``end`` in samples."""

    start: int
    end: int


@dataclass(frozen=True)
class Take:
    """One recording without the silence at its ends. ``speech`` are its spoken parts, in order."""

    samples: Samples = field(repr=False)
    speech: tuple[Span, ...]


@dataclass(frozen=True)
class Voice:
    name: str
    takes: tuple[Take, ...]
    enrolment: tuple[Samples, ...] = field(repr=False)


def voice(name: str, recordings: Sequence[Samples], enrolled: int = ENROLLED) -> Voice:
    """The first ``enrolled`` recordings are for enrolment alone."""
    return Voice(name, tuple(trimmed(one) for one in recordings[enrolled:]), tuple(recordings[:enrolled]))


def manifest_voices(manifest: Path) -> list[Voice]:
    """Speakers of the manifest with at least ``MIN_TAKES`` recordings, in its order."""
    paths: dict[str, list[Path]] = {}
    with manifest.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            paths.setdefault(row["speaker"], []).append(manifest.parent / row["path"])
    return [voice(name, [read(one) for one in some]) for name, some in paths.items() if len(some) >= MIN_TAKES]


def halves(voices: Sequence[Voice]) -> tuple[list[Voice], list[Voice]]:
    """Speakers to fit constants on, and speakers to count on.

    Nothing that the service ships to tell who spoke when may be chosen by meetings of the second half.
    """
    return [one for one in voices if one.name in FITTING], [one for one in voices if one.name not in FITTING]


def trimmed(samples: Samples) -> Take:
    """Raises ``ValueError`` where nothing is spoken."""
    speech = spoken(samples)
    if not speech:
        raise ValueError("Nothing is spoken in this take.")
    margin = round(MARGIN * SAMPLE_RATE)
    first, last = max(0, speech[0].start - margin), min(len(samples), speech[-1].end + margin)
    return Take(samples[first:last], tuple(Span(one.start - first, one.end - first) for one in speech))


def spoken(samples: Samples) -> list[Span]:
    """By level alone: a detector's own mistakes would be in the reference of all that use it.

    Of 134 single takes of the fitting half (473 s by level) Silero's detector, with its 64 ms on both sides, hears 25 s
    more and the segmentation network 70 s more; 7 s, 1.6 %, are heard by neither. So the reference is no wider than
    detectors are, and its pauses are more.
    """
    power = np.square(samples[: len(samples) // FRAME * FRAME], dtype=np.float64).reshape(-1, FRAME).mean(axis=1)
    if not power.any():
        return []
    levels = 10.0 * np.log10(np.convolve(power, np.ones(3) / 3.0, "same") + 1e-12)
    floor, loud = np.percentile(levels, (5, 95))
    above = levels > max(loud - LOUD_DB, floor + ABOVE_FLOOR * (loud - floor))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], above.astype(np.int8), [0])))) * FRAME
    spans = joined([Span(int(start), int(end)) for start, end in edges.reshape(-1, 2)])
    return [one for one in spans if one.end - one.start >= SHORTEST_SPEECH * SAMPLE_RATE]


def joined(spans: Sequence[Span]) -> list[Span]:
    """Sorted; those less than ``SHORTEST_PAUSE`` apart are one."""
    found: list[Span] = []
    for one in sorted(spans, key=lambda span: span.start):
        if found and one.start - found[-1].end < SHORTEST_PAUSE * SAMPLE_RATE:
            found[-1] = Span(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found
