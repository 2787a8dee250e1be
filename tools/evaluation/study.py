"""Everything that docs/accuracy.md reports, measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.calibration import Calibration
from shared.domain.decision import Confidence, Decision
from shared.inference.calibration import sigmoid
from tools.calibration.curves import Scored
from tools.calibration.fit import Line, line_of
from tools.calibration.hearing import FULL
from tools.calibration.metrics import equal_error
from tools.calibration.site import Halves, halves
from tools.calibration.trials import GROUP, GROUPS, Enrolled, Test, Trials, joined
from tools.evaluation.channels import (
    CLEAN,
    LENGTHS,
    augmented,
    conditions,
    crowd_of,
    through,
)
from tools.evaluation.degradations import Condition
from tools.evaluation.ears import Ear
from tools.evaluation.findings import Alike, Apart, Band, Grouped, Measured, Named, Row
from tools.evaluation.identification import Asked, outcome
from tools.evaluation.long_lists import LongList, Part, long_lists
from tools.evaluation.pieces import DataSet, Speaker
from tools.evaluation.verification import (
    RESAMPLINGS,
    Compared,
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
SHORT: Final = "4 s"
ASKED: Final = (FULL, SHORT)
GENDERS: Final = {"f": "women", "m": "men"}


class Study:
    """Hears every data set once, clean, the largest through all channels; then answers the questions of the page.

    ``others`` are other systems by their names, given the same audio.
    """

    def __init__(
        self,
        sets: Sequence[DataSet],
        card: Calibration,
        name: str,
        ours: Ear,
        others: Mapping[str, Ear],
        resamplings: int = RESAMPLINGS,
    ) -> None:
        self.main = max(sets, key=lambda data: len(data.enrolled))
        self._sets, self._resamplings = list(sets), resamplings
        self._name, self._ours, self._others = name, ours, others
        self._known: dict[tuple[str, str], Compared] = {}
        self._conditions = conditions(crowd_of(sets, self.main))
        self._channels = through(self.main, ours, self._conditions)
        self._clean = {one.name: self._as_they_are(one, name, ours) for one in sets if one is not self.main}
        self._clean[self.main.name] = self._channels[CLEAN.name]
        self._lines = {one.name: self._lines_for(one, line_of(card)) for one in sets}

    def _lines_for(self, data: DataSet, shipped: Line) -> Halves:
        """Groups of speakers, each with a line that none of its speakers fitted."""
        everybody = range(len(data.speakers))
        if data.name != FITTED_ON:
            return [(everybody, shipped)]
        return halves(augmented(self._channels), everybody, RATE)

    def _as_they_are(self, data: DataSet, name: str, ear: Ear) -> Compared:
        """Heard once."""
        if (data.name, name) not in self._known:
            what = f"{data.name}, clean, {name}"
            self._known[data.name, name] = compared(data, ear, CLEAN, CLEAN, LENGTHS, False, what)
        return self._known[data.name, name]

    def clean(self, data: DataSet) -> Measured:
        ours = self._clean[data.name]
        others = {name: self._as_they_are(data, name, ear) for name, ear in self._others.items()}
        rows = [
            self._row(CLEAN.name, data, ours, others, enrolments, length)
            for enrolments in (1, GROUP)
            for length in LENGTHS
            if ours.trials.of(enrolments, length).same.any()
        ]
        return Measured(data, tuple(rows), data.name == FITTED_ON)

    def channels(self) -> Iterator[Row]:
        """4 s through each channel, behind an enrolment of three recordings as they are; then both through it."""
        plain = {one.name: one for one in self._conditions}
        for name, ours in self._channels.items():
            asked = self._others.items() if name in plain else ()
            others = {other: self._through(plain[name], other, ear) for other, ear in asked}
            yield self._row(name, self.main, ours, others, GROUP, SHORT)

    def _through(self, condition: Condition, name: str, ear: Ear) -> Compared:
        clean = self._as_they_are(self.main, name, ear)
        if condition is CLEAN:
            return clean
        return compared(self.main, ear, condition, clean.voices, (SHORT,), True, f"{condition.name}, {name}")

    def _row(
        self, name: str, data: DataSet, ours: Compared, others: Mapping[str, Compared], enrolments: int, length: str
    ) -> Row:
        of, scored = self._scored(data, ours.trials)
        behind = of.enrolments == enrolments
        passing = [
            float((scored.logit[chosen] >= 0.0).mean())
            for chosen in (behind & ~of.same & (of.length == one) for one in np.unique(of.length))
        ]
        networks = {self._name: ours, **others}
        return Row(
            name=name,
            enrolments=enrolments,
            length=length,
            ours=rates(of, scored, enrolments, length, self._resamplings),
            unheard=ours.refused[length] / ours.asked[length],
            lowest=min(passing),
            highest=max(passing),
            networks={one: _apart(each.trials.of(enrolments, length)) for one, each in networks.items()},
        )

    def _scored(self, data: DataSet, every: Trials) -> tuple[Trials, Scored]:
        groups, lines = zip(*self._lines[data.name], strict=True)
        return within_halves(every, lines, groups)

    def groups(self) -> Iterator[Grouped]:
        """Each group against strangers of the same group: tests as they are, and through all channels together."""
        tests = {"as they are": self._channels[CLEAN.name].trials}
        tests["through all channels"] = joined([one.trials.of(GROUP, SHORT) for one in self._channels.values()])
        genders = np.array([speaker.gender for speaker in self.main.speakers])
        for how, every in tests.items():
            of, scored = self._scored(self.main, every)
            for name, of_group in (("all", genders == genders), *((one, genders == one) for one in GENDERS)):
                if of_group.sum() >= 2:
                    chosen = of_group[of.enrolled] & of_group[of.tested]
                    found = rates(of.where(chosen), scored.where(chosen), GROUP, SHORT, self._resamplings)
                    yield Grouped(GENDERS.get(name, name), int(of_group.sum()), how, found)

    def alike(self) -> Alike:
        """Enrolments of three recordings, of different speakers and of one."""
        voices = [one for one in self._clean[self.main.name].voices if one.enrolled]
        made = [np.stack([one.direction for one in voice.enrolled if one.count == GROUP]) for voice in voices]
        own = [float(np.mean((one @ one.T)[np.triu_indices(len(one), 1)])) for one in made]
        pairs = [float(np.mean(one @ other.T)) for one, other in combinations(made, 2)]
        return Alike(len(pairs), sum(pair >= min(own) for pair in pairs), max(pairs), min(own), float(np.median(own)))

    def bands(self) -> list[Band]:
        """v1.0's answers, from the surest reject to the surest accept; three recordings enrolled, 4 s tested."""
        of, scored = self._scored(self.main, self._clean[self.main.name].trials)
        scored = scored.where((of.enrolments == GROUP) & (of.length == SHORT))
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

    def long_lists(self) -> Iterator[LongList]:
        """Tests of the main set against candidates around those speakers of it who are in the other half."""
        count = len(self.main.speakers)
        made = {one.name: [self._profiles(one, number) for number in range(len(one.speakers))] for one in self._sets}
        own = made[self.main.name]
        directions = {name: np.stack([of_one[0].direction for of_one in some]) for name, some in made.items()}
        spread = np.concatenate([some - some.mean(axis=0) for some in directions.values()])
        seconds = float(np.median([of_one[0].seconds for of_one in own]))
        parts = []
        lines = [line for _, line in self._lines[self.main.name]]
        for half, line in ((range(0, count, 2), lines[0]), (range(1, count, 2), lines[-1])):
            other = [number for number in range(count) if number not in half]
            tests = [
                (test, float(own[number][(min(test.groups) + 1) % GROUPS].direction @ test.embedding))
                for number in half
                for test in self._clean[self.main.name].voices[number].tests
                if test.length == SHORT and not self.main.speakers[number].is_stranger
            ]
            parts.append(
                Part(
                    tests=np.stack([test.embedding for test, _ in tests]),
                    own=np.array([cosine for _, cosine in tests]),
                    seconds=np.array([test.seconds for test, _ in tests]),
                    enrolled_seconds=seconds,
                    real=directions[self.main.name][other],
                    line=line,
                )
            )
        return long_lists(parts, np.asarray(spread, np.float32))

    def _named(self, chosen: Sequence[DataSet], name: str) -> Iterator[Named]:
        profiles = sum(len(one.speakers) for one in chosen)
        for length in ASKED:
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
                    (group,) = test.groups
                    against = list(others)
                    against[offset + number] = of_set[number][(group + 1) % GROUPS]
                    logit = against_all(line_of_speaker[number], test, against)
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


def against_all(line: Line, test: Test, profiles: Sequence[Enrolled]) -> Numbers:
    cosines = np.asarray(np.stack([one.direction for one in profiles]) @ test.embedding, np.float64)
    enrolled = np.array([one.seconds for one in profiles])
    return line.log_odds(cosines, np.minimum(test.seconds, enrolled), np.maximum(test.seconds, enrolled))


def _apart(of: Trials) -> Apart:
    line = np.quantile(of.cosine[~of.same], 1.0 - RATE, method="higher")
    return Apart(equal_error(of.cosine, of.same), float((of.cosine[of.same] < line).mean()))


def _answer(score: float) -> str:
    decision = Decision(score)
    band = {Confidence.HIGH: "High", Confidence.NORMAL: "Normal", Confidence.LOW: "Low"}[decision.confidence]
    return f"{'Accept' if decision.accepted else 'Reject'}, {band}"
