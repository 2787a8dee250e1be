"""Everything that docs/accuracy.md reports, measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.decision import Confidence, Decision
from shared.inference.calibration import sigmoid
from shared.inference.model_card import Calibration
from tools.calibration.curves import Scored
from tools.calibration.fit import Line, fitted, line_of
from tools.calibration.hearing import FULL
from tools.calibration.trials import GROUP, GROUPS, Enrolled, Test, Trials
from tools.evaluation import degradations
from tools.evaluation.degradations import Condition
from tools.evaluation.ears import Ear
from tools.evaluation.identification import Asked, Outcome, outcome
from tools.evaluation.pieces import DataSet, Speaker
from tools.evaluation.verification import (
    RESAMPLINGS,
    Compared,
    Rates,
    compared,
    enrolment,
    heard_as,
    rates,
    within_halves,
)

Numbers = npt.NDArray[np.float64]

FITTED_ON: Final = "speechocean762"
"""The data set whose speakers fitted the shipped calibration: measured with lines that halves of them gave."""
RATE: Final = 0.01
LENGTHS: Final = (FULL, "4 s", "2 s", "1 s")
SHORT: Final = (FULL, "4 s")
SNRS: Final = (20.0, 10.0, 5.0)
CLEAN: Final = Condition("clean", degradations.clean)
EIGHT_KILOHERTZ: Final = Condition("8 kHz, nothing cut below 4 kHz", degradations.eight_kilohertz)
HANDSET: Final = Condition("8 kHz, a bass that falls away below 200 Hz", degradations.handset)
TELEPHONE: Final = Condition("telephone band, 300 to 3400 Hz at 8 kHz", degradations.telephone)


@dataclass(frozen=True)
class Row:
    """One line of a table. ``refused``: share of tests that the service would not hear. ``peer`` may be absent."""

    name: str
    enrolments: int
    length: str
    ours: Rates
    refused: float
    peer: Rates | None = None


@dataclass(frozen=True)
class Named:
    """Identification over one set of profiles, with and without the correction for the length of the list."""

    profiles: str
    length: str
    corrected: Outcome
    plain: Outcome


@dataclass(frozen=True)
class Band:
    """How often strangers and own voices get this answer."""

    answer: str
    strangers: float
    same: float


@dataclass(frozen=True)
class Measured:
    data: DataSet
    rows: tuple[Row, ...]
    held_out: bool


class Study:
    """Hears every data set once, clean, and then answers the questions of the page."""

    def __init__(
        self, sets: Sequence[DataSet], card: Calibration, ours: Ear, peer: Ear | None, resamplings: int = RESAMPLINGS
    ) -> None:
        self._ours, self._peer, self._resamplings = ours, peer, resamplings
        self._sets = list(sets)
        self._clean = {
            one.name: compared(one, ours, CLEAN, CLEAN, LENGTHS, False, f"{one.name}, clean") for one in self._sets
        }
        self._lines = {one.name: self._lines_for(one, line_of(card)) for one in self._sets}

    def _lines_for(self, data: DataSet, shipped: Line) -> list[tuple[list[int], Line]]:
        """Groups of speakers, each with a line that none of its speakers fitted."""
        everybody = list(range(len(data.speakers)))
        if data.name != FITTED_ON:
            return [(everybody, shipped)]
        every = self._clean[data.name].trials
        halves = (everybody[::2], everybody[1::2])
        return [(half, fitted(every.among(other), RATE)) for half, other in (halves, halves[::-1])]

    def clean(self, data: DataSet) -> Measured:
        peer = None
        if self._peer is not None:
            peer = compared(data, self._peer, CLEAN, CLEAN, LENGTHS, False, f"{data.name}, clean, peer")
        ours = self._clean[data.name]
        rows = [
            self._row(data, "clean", ours, peer, enrolments, length) for enrolments in (1, GROUP) for length in LENGTHS
        ]
        return Measured(data, tuple(rows), data.name == FITTED_ON)

    def channels(self, data: DataSet, crowd: DataSet) -> Iterator[Row]:
        """Tests through another channel than the enrolment of three recordings, the whole test and its first 4 s."""
        voices = [speaker.takes[0].samples for speaker in crowd.speakers if speaker.is_stranger]
        for condition in conditions(voices):
            with_peer = self._peer is not None and condition.name in (CLEAN.name, TELEPHONE.name)
            peer = None
            if with_peer and self._peer is not None:
                peer = compared(data, self._peer, condition, CLEAN, SHORT, True, f"{condition.name}, peer")
            ours = compared(data, self._ours, condition, self._clean[data.name].voices, SHORT, True, condition.name)
            for length in SHORT:
                yield self._row(data, condition.name, ours, peer, GROUP, length)
        for condition, name in (
            (EIGHT_KILOHERTZ, "8 kHz"),
            (HANDSET, "bass that falls away"),
            (TELEPHONE, "telephone band"),
        ):
            both = compared(data, self._ours, condition, condition, SHORT, True, f"{name}, both")
            for length in SHORT:
                yield self._row(data, f"{name}, enrolled so too", both, None, GROUP, length)

    def _row(
        self, data: DataSet, name: str, ours: Compared, peer: Compared | None, enrolments: int, length: str
    ) -> Row:
        measured = rates(*self._scored(data, ours.trials), enrolments, length, self._resamplings)
        other = None
        if peer is not None:
            groups = [group for group, _ in self._lines[data.name]]
            of = _joined([peer.trials.among(group) for group in groups])
            other = rates(of, Scored(of.cosine, of.enrolled, of.tested), enrolments, length, self._resamplings)
        return Row(name, enrolments, length, measured, ours.refused[length] / ours.asked[length], other)

    def _scored(self, data: DataSet, every: Trials) -> tuple[Trials, Scored]:
        groups, lines = zip(*self._lines[data.name], strict=True)
        return within_halves(every, lines, groups)

    def bands(self, data: DataSet, enrolments: int, length: str) -> list[Band]:
        """v1.0's answers, from the surest reject to the surest accept."""
        of, scored = self._scored(data, self._clean[data.name].trials)
        scored = scored.where((of.enrolments == enrolments) & (of.length == length))
        answers = [_answer(float(score)) for score in sigmoid(scored.logit)]
        given, same = np.array(answers), scored.same
        order = [f"Reject, {band}" for band in ("High", "Normal", "Low")]
        order += [f"Accept, {band}" for band in ("Low", "Normal", "High")]
        return [Band(one, float((given[~same] == one).mean()), float((given[same] == one).mean())) for one in order]

    def identification(self) -> Iterator[Named]:
        """Lists drawn from one data set, and from all together."""
        for chosen in ([one] for one in self._sets):
            yield from self._named(chosen, chosen[0].name)
        if len(self._sets) > 1:
            yield from self._named(self._sets, "all together")

    def _named(self, chosen: Sequence[DataSet], name: str) -> Iterator[Named]:
        profiles = sum(len(one.speakers) for one in chosen)
        for length in SHORT:
            asked = self._asked(chosen, length)
            for candidates in sorted({min(10, profiles), min(50, profiles), profiles}):
                yield Named(
                    name, length, outcome(asked, candidates, shifted=True), outcome(asked, candidates, shifted=False)
                )

    def _asked(self, chosen: Sequence[DataSet], length: str) -> list[Asked]:
        """Profiles of three recordings (a stranger's of his only one); a test never meets the group it is from."""
        offsets = np.cumsum([0, *(len(one.speakers) for one in chosen)])
        made = [[self._profiles(one, number) for number in range(len(one.speakers))] for one in chosen]
        others = [profiles[0] for of_set in made for profiles in of_set]
        asked = []
        for data, offset, of_set in zip(chosen, offsets[:-1].tolist(), made, strict=True):
            line_of_speaker = {number: line for group, line in self._lines[data.name] for number in group}
            for number, voice in enumerate(self._clean[data.name].voices):
                if data.speakers[number].is_stranger:
                    continue
                for test in (test for test in voice.tests if test.length == length):
                    against = list(others)
                    against[offset + number] = of_set[number][(test.group + 1) % GROUPS]
                    logit = _against(line_of_speaker[number], test, against)
                    asked.append(Asked(offset + number, offset + number, logit))
        return asked

    def _profiles(self, data: DataSet, number: int) -> list[Enrolled]:
        speaker: Speaker = data.speakers[number]
        if not speaker.is_stranger:
            enrolled = self._clean[data.name].voices[number].enrolled
            return [one for group in range(GROUPS) for one in enrolled if one.count == GROUP and one.groups == {group}]
        heard = heard_as(self._ours, CLEAN, speaker, speaker.takes[0])
        if heard.embedding is None:
            raise ValueError(f"The recording of {speaker.name} was refused: {heard.message}")
        return [enrolment([heard], {0})]


def conditions(crowd: list[npt.NDArray[np.float32]]) -> list[Condition]:
    """``crowd`` are the voices that babble is made of: none of them is tested."""
    noise = [Condition(f"white noise at {snr:g} dB", degradations.white_noise(snr)) for snr in SNRS]
    if len(crowd) >= degradations.CROWD:
        noise += [
            Condition(f"babble of {degradations.CROWD} voices at {snr:g} dB", degradations.babble(crowd, snr))
            for snr in SNRS
        ]
    return [
        CLEAN,
        EIGHT_KILOHERTZ,
        HANDSET,
        TELEPHONE,
        Condition("GSM full rate, 13 kbit/s", degradations.gsm),
        Condition("mu-law, 64 kbit/s", degradations.mu_law),
        Condition("Opus, about 12 kbit/s", degradations.opus),
        Condition("MP3, about 30 kbit/s", degradations.mp3),
        *noise,
        Condition("reverberation of 0.4 s", degradations.reverberation(0.4)),
        Condition("reverberation of 0.8 s", degradations.reverberation(0.8)),
    ]


def _against(line: Line, test: Test, profiles: Sequence[Enrolled]) -> Numbers:
    cosines = np.array([float(one.direction @ test.embedding) for one in profiles])
    enrolled = np.array([one.seconds for one in profiles])
    return line.log_odds(cosines, np.minimum(test.seconds, enrolled), np.maximum(test.seconds, enrolled))


def _answer(score: float) -> str:
    decision = Decision(score)
    band = {Confidence.HIGH: "High", Confidence.NORMAL: "Normal", Confidence.LOW: "Low"}[decision.confidence]
    return f"{'Accept' if decision.accepted else 'Reject'}, {band}"


def _joined(parts: Sequence[Trials]) -> Trials:
    return Trials(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})
