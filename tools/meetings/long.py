"""A long meeting in slices, as the timer hears it: processor time and memory. A process of its own.

``python -m tools.meetings.long MANIFEST`` prints JSON: time and memory after each of ``MINUTES``, and after
``REPEATED`` times the last of them, whose second half is heard once and counted as often as it takes.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from shared.domain.heard_speech import STEP, STEP_FRAMES, WINDOW, HeardSpeech, HeardStretch
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.services.hear_speakers import HearSpeakers
from tools.meetings.simulation import Meeting, simulated, with_stranger
from tools.meetings.systems import Kept, Timbre
from tools.meetings.voices import halves, manifest_voices

MINUTES: Final = (5, 30, 60)
REPEATED: Final = 4
SPEAKERS: Final = 5
"""Four who have enrolled, and a stranger."""
SLICE: Final = 11 * STEP
NOISE: Final = 0.1
"""Of a repeated embedding, a vector of length 1: as little alike as two windows of one voice."""


def long_meeting(manifest: Path, minutes: int) -> Meeting:
    """Of the counting half."""
    _, voices = halves(manifest_voices(manifest))
    random = np.random.default_rng([SPEAKERS, minutes])
    drawn = [voices[index] for index in random.permutation(len(voices))]
    meeting = simulated(f"{minutes} minutes", drawn[:SPEAKERS], 60.0 * minutes, random)
    return with_stranger(meeting, drawn[SPEAKERS : SPEAKERS + 6])


def measured(manifest: Path) -> Iterator[dict[str, Any]]:
    meeting, timbre = long_meeting(manifest, MINUTES[-1]), Timbre(Kept())
    wanted = timbre.wanted(meeting)
    turns = timbre.services.identify_turns
    ctypes.CDLL("libc.so.6").malloc_trim(0)  # what making the meeting has left would hide what hearing takes
    before = _memory()
    heard: list[HeardSpeech] = []
    spent = 0.0
    for minutes in MINUTES:
        started = time.process_time()
        samples = meeting.samples[0][: minutes * 60 * SAMPLE_RATE]
        heard = list(_heard(turns.hear, samples, heard))
        spent += time.process_time() - started
        seconds = _timed(lambda: turns.name(wanted, heard))  # noqa: B023 - called at once
        yield _line(minutes, spent + seconds, seconds, before)
    often = [slice_ for number in range(REPEATED) for slice_ in _later(heard, number)]
    seconds = _timed(lambda: turns.name(wanted, often))
    yield _line(minutes * REPEATED, spent * REPEATED + seconds, seconds, before)


def _heard(hear: HearSpeakers, samples: Samples, before: Sequence[HeardSpeech]) -> Iterator[HeardSpeech]:
    """Slices of less than a minute; what was heard before stays."""
    yield from before
    start = before[-1].end_window * STEP if before else 0
    while start + WINDOW <= len(samples):
        yield (slice_ := hear(samples[start : start + SLICE - STEP + WINDOW], start / SAMPLE_RATE, last=False))
        start = slice_.end_window * STEP


def _later(heard: Sequence[HeardSpeech], times: int) -> Iterator[HeardSpeech]:
    random, windows = np.random.default_rng(times), heard[-1].end_window * times
    for one in heard:
        stretches = [_moved(stretch, windows, random) for stretch in one.stretches]
        seconds = one.seconds + windows * STEP / SAMPLE_RATE
        yield replace(
            one,
            first_window=one.first_window + windows,
            end_window=one.end_window + windows,
            seconds=seconds,
            stretches=tuple(stretches),
        )


def _moved(stretch: HeardStretch, windows: int, random: np.random.Generator) -> HeardStretch:
    frames = windows * STEP_FRAMES
    noisy = {
        name: vector + np.float32(NOISE / np.sqrt(len(vector))) * random.standard_normal(len(vector), np.float32)
        for name, vector in stretch.embeddings.items()
    }
    active = tuple((start + frames, end + frames) for start, end in stretch.active)
    return replace(stretch, window=stretch.window + windows, active=active, embeddings=noisy)


def _timed(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _line(minutes: int, spent: float, naming_seconds: float, before: float) -> dict[str, Any]:
    return {
        "minutes": minutes,
        "processor_share": spent / (60.0 * minutes),
        "naming_seconds": naming_seconds,
        "megabytes": _memory(peak=True) - before,
    }


def _memory(*, peak: bool = False) -> float:
    """MB of this process, now or at most so far since it was last asked for now. Linux alone."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    name = "VmHWM" if peak else "VmRSS"
    (line,) = (line for line in status.splitlines() if line.startswith(name))
    if not peak:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return int(line.split()[1]) / 1024.0


if __name__ == "__main__":
    for known in measured(Path(sys.argv[1])):
        print(json.dumps(known), flush=True)
