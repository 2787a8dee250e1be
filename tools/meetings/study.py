"""Everything that the pages say about who spoke when, measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from tools.calibration.hearing import as_wav
from tools.calibration.progress import progress
from tools.evaluation.degradations import Change, clean, mu_law
from tools.evaluation.pieces import read
from tools.meetings.measures import Errors, Naming, naming
from tools.meetings.simulation import Meeting, Turn, simulated, through, with_stranger
from tools.meetings.systems import Diarize, Diarized
from tools.meetings.voices import Voice

SPEAKERS: Final = (2, 3, 4, 5, 6)
SECONDS: Final = 120.0
LONG_SPEAKERS: Final = 5
ABSENT: Final = 6
"""Candidates who take no part."""
CHANNELS: Final[Mapping[str, Change]] = {"as recorded": clean, "telephone, mu-law": mu_law}
COLLARS: Final[Mapping[str, float]] = {"0.25": 0.25, "0.0": 0.0}
"""Seconds, by the names that ``peer_worker.py`` gives them."""
TWO_CHANNELS: Final = "calls on two channels"
HALF_HOURS: Final = "30 minutes, five people"
PUBLIC: Final = "public sample, 19 s"
_KATIE, _STEVE = "ms-katie", "ms-steve"
_SAMPLE_TURNS: Final = (
    Turn(1.05, 2.36, _KATIE),
    Turn(2.66, 3.33, _STEVE),
    Turn(4.0, 7.3, _KATIE),
    Turn(8.02, 8.89, _STEVE),
    Turn(9.49, 14.46, _KATIE),
    Turn(15.27, 16.26, _STEVE),
    Turn(16.67, 17.55, _STEVE),
)
"""Ours: where the level says that somebody speaks (``voices.spoken``), named by the two speakers' own recordings, on
which GE2E and CAM++ agree for each turn."""


@dataclass(frozen=True)
class Recording:
    """A meeting with the bytes that a client sends."""

    meeting: Meeting
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What one system made of one meeting. ``errors`` and ``naming`` by collar. Peers know no names: their ``naming``
    says nothing."""

    meeting: str
    errors: Mapping[str, Errors]
    naming: Mapping[str, Naming]
    speakers: int
    processor_share: float


Score = Callable[[Meeting, Diarized], Mapping[str, Mapping[str, float]]]
Answers = dict[str, list[Answer]]
"""By the name of the system."""


def meetings(voices: Sequence[Voice], of_each: int, seconds: float = SECONDS) -> Iterator[Meeting]:
    """So many of each number of speakers; the last of each is no candidate, and ``ABSENT`` others are."""
    for speakers in SPEAKERS:
        for number in range(of_each):
            yield _drawn(f"{speakers} speakers, {number + 1}", voices, speakers, seconds, [speakers, number])


def half_hours(voices: Sequence[Voice], count: int, seconds: float = 1800.0) -> list[Recording]:
    """Each of four enrolled people and a stranger. No longer than what the service decodes at once."""
    drawn = (
        _drawn(f"meeting {number + 1}", voices, LONG_SPEAKERS, seconds, [LONG_SPEAKERS, 30, number]).until(seconds)
        for number in range(count)
    )
    return [Recording(meeting, as_wav(meeting.samples[0])) for meeting in drawn]


def _drawn(name: str, voices: Sequence[Voice], speakers: int, seconds: float, seed: Sequence[int]) -> Meeting:
    random = np.random.default_rng(seed)
    drawn = [voices[index] for index in random.permutation(len(voices))]
    meeting = simulated(name, drawn[:speakers], seconds, random)
    return with_stranger(meeting, drawn[speakers : speakers + ABSENT])


def calls(voices: Sequence[Voice], count: int, seconds: float = SECONDS) -> Iterator[Recording]:
    """Two enrolled people, each on a channel."""
    for number in range(count):
        random = np.random.default_rng([2, 2, number])
        drawn = [voices[index] for index in random.permutation(len(voices))]
        call = simulated(f"call {number + 1}", drawn[:2], seconds, random, channels=2)
        yield Recording(replace(call, absent=tuple(drawn[2 : 2 + ABSENT])), as_wav(call.samples.T))


def changed(meeting: Meeting, change: Change) -> Recording:
    return Recording(*through(meeting, change, np.random.default_rng(0)))


def public_sample(speech: Path) -> Recording:
    """Microsoft's conversation of two, whose enrolment recordings are beside it."""
    folder = speech / "ms-samples"
    people = [
        Voice(name, (), (read(folder / name / f"enrollment_audio_{name.removeprefix('ms-')}.flac"),))
        for name in (_KATIE, _STEVE)
    ]
    samples = read(folder / "ms-katie+steve" / "katiesteve_mono.flac")[np.newaxis]
    meeting = Meeting(PUBLIC, samples, _SAMPLE_TURNS, tuple(people), frozenset())
    return Recording(meeting, as_wav(samples[0]))


def answers(recordings: Sequence[Recording], systems: Mapping[str, Diarize], score: Score, what: str) -> Answers:
    found: Answers = {name: [] for name in systems}
    for recording in progress(recordings, what):
        for name, diarize in systems.items():
            found[name].append(_answer(recording.meeting, diarize(recording.meeting, recording.body), score))
    return found


def _answer(meeting: Meeting, found: Diarized, score: Score) -> Answer:
    return Answer(
        meeting.name,
        {collar: Errors.of(kinds) for collar, kinds in score(meeting, found).items()},
        {name: naming(meeting.turns, found.turns, meeting.strangers, collar) for name, collar in COLLARS.items()},
        len({turn.speaker for turn in found.turns}),
        found.processor_seconds / meeting.seconds,
    )
