"""The section of docs/accuracy.md and the tables of docs/internals/turns.md about who spoke when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Final

from tools.calibration.curves import Estimate
from tools.evaluation.page import WIDTH, full, table
from tools.meetings.measures import difference, naming_share, rate
from tools.meetings.study import (
    ABSENT,
    COLLARS,
    HALF_HOURS,
    PUBLIC,
    SECONDS,
    SPEAKERS,
    TWO_CHANNELS,
    Answer,
    Answers,
)

BEGIN: Final = "<!-- who spoke when: written by python dev.py evaluate --turns -->"
END: Final = "<!-- who spoke when: end -->"
OURS: Final = "Timbre"
BORDERS: Final[Mapping[str, str]] = {"0.25": "0.25 s collar", "0.0": "no collar"}


@dataclass(frozen=True)
class Long:
    """A long meeting in slices. ``megabytes`` is what the process grew by at its highest."""

    minutes: int
    processor_share: float
    megabytes: float
    naming_seconds: float


@dataclass(frozen=True)
class TurnFindings:
    """``sets`` by the name of what the recordings came through, in the order of the tables."""

    date: str
    sets: Mapping[str, Answers]
    longs: Sequence[Long]
    voices: int


def section(found: TurnFindings) -> str:
    """Of docs/accuracy.md, between its marks."""
    return "\n\n".join((BEGIN, *_section(found), END))


def internals(found: TurnFindings) -> str:
    """The tables of docs/internals/turns.md, between the same marks."""
    tables = _kinds(found), _differences(found), _speakers(found), _half_hours(found.sets[HALF_HOURS][OURS])
    return "\n\n".join((BEGIN, _intro(found), *tables, END))


def replaced(page: str, text: str) -> str:
    """The page with ``text`` in the place of what is between the marks. Raises ``ValueError`` without marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("The page has no marks where the section belongs.")
    return before + text + after


def written(page: Path) -> str:
    """The section as it stands in the page, with its marks."""
    text = page.read_text(encoding="utf-8")
    return BEGIN + text.partition(BEGIN)[2].partition(END)[0] + END


def _section(found: TurnFindings) -> Iterator[str]:
    yield "## Who spoke when"
    yield _intro(found)
    yield _filled(
        "*Error* is the diarization error rate by pyannote.metrics: speech missed, sound taken for speech and speech "
        "given to the wrong person, over all speech. Overlapped speech is scored. The collar leaves out 0.25 s "
        "around each boundary.",
    )
    yield _errors(found)
    yield _filled(
        f"Names, of {OURS} alone: shares of the time that enrolled participants speak, and the share of a stranger's "
        "time that bears a candidate's name. What is neither is without a name, or not heard. Names go by the shipped "
        "calibration, which was fitted on both halves of the speakers.",
    )
    yield _names(found)
    yield _speed(found)


def _intro(found: TurnFindings) -> str:
    first = next(iter(found.sets.values()))[OURS]
    return _filled(
        f"{found.date}. {len(first)} simulated meetings of {SECONDS / 60:.0f} minutes with {min(SPEAKERS)} to "
        f"{max(SPEAKERS)} of {found.voices} speakers, and {len(found.sets[HALF_HOURS][OURS])} of 30 minutes with five, "
        "on none of whom the rules of clustering were fitted: read "
        "sentences in turns, with the gaps and overlaps of published conversations. One participant of each "
        f"has not enrolled, and {ABSENT} people who have are absent. Sentences come again in long meetings, and nobody "
        "moves, coughs or laughs: real meetings are harder. 95 % intervals come from drawing other meetings."
    )


def _errors(found: TurnFindings) -> str:
    rows = []
    for name, answers in found.sets.items():
        for system, some in answers.items():
            errors = (_rate(some, collar) for collar in COLLARS)
            rows.append((name, system, *errors))
    return table(("recordings", "system", "error, 0.25 s collar", "error, no collar"), rows)


def _kinds(found: TurnFindings) -> str:
    rows = [
        (
            f"{name}, {system}",
            *(_plain(rate([one.errors[collar] for one in some], what)) for what in ("missed", "false_alarm")),
            _plain(rate([one.errors[collar] for one in some], "confusion")),
        )
        for name, answers in found.sets.items()
        for system, some in answers.items()
        for collar in list(COLLARS)[:1]
    ]
    return table(("recordings and system, 0.25 s collar", "missed", "false alarm", "confusion"), rows)


def _differences(found: TurnFindings) -> str:
    rows = []
    for name, answers in found.sets.items():
        for system, some in answers.items():
            if system != OURS and name != PUBLIC:
                pairs = ((answers[OURS], some, collar) for collar in COLLARS)
                rows.append((name, system, *(_difference(*one) for one in pairs)))
    return table(("recordings", "peer", "its error less ours, 0.25 s collar", "no collar"), rows)


def _speakers(found: TurnFindings) -> str:
    """How many speakers are found in meetings of so many."""
    rows = []
    for name, answers in found.sets.items():
        if name in (PUBLIC, TWO_CHANNELS, HALF_HOURS):
            continue
        for system, some in answers.items():
            by_count = [
                [one.speakers for one in some if one.meeting.startswith(f"{count} speakers")] for count in SPEAKERS
            ]
            rows.append((f"{name}, {system}", " / ".join(f"{sum(one) / len(one):.1f}" for one in by_count)))
    return table(("recordings and system", f"speakers found where there are {' / '.join(map(str, SPEAKERS))}"), rows)


def _names(found: TurnFindings) -> str:
    rows = []
    for name, answers in found.sets.items():
        shown = full if len(answers[OURS]) > 1 else _plain
        for collar, border in BORDERS.items():
            some = [one.naming[collar] for one in answers[OURS]]
            shares = (naming_share(some, what) for what in ("right", "other", "unnamed"))
            strangers = naming_share(some, "strangers_named") if any(one.strangers for one in some) else None
            rows.append((f"{name}, {border}", *map(shown, shares), shown(strangers) if strangers else "no stranger"))
    return table(("recordings", "right name", "another's name", "no name", "strangers' time named"), rows)


def _half_hours(answers: Sequence[Answer]) -> str:
    """Meeting by meeting."""
    rows = []
    for one in answers:
        right = naming_share([one.naming["0.25"]], "right")
        others = (naming_share([one.naming["0.0"]], what) for what in ("right", "other", "strangers_named"))
        rows.append((one.meeting, *map(_plain, (right, *others))))
    titles = ("right name, 0.25 s collar", "right name", "another's name", "strangers' time named")
    return table(("meeting; no collar where none is named", *titles), rows)


def _speed(found: TurnFindings) -> str:
    shares = {
        system: [one.processor_share for answers in found.sets.values() for one in answers.get(system, [])]
        for system in next(iter(found.sets.values()))
    }
    times = ", ".join(f"{system} {sum(some) / len(some):.3f}" for system, some in shares.items())
    lines = [(f"{one.minutes} min", f"{one.processor_share:.3f}", f"{one.megabytes:.0f} MB") for one in found.longs]
    rows = table(("recording", "processor time, share of real time", "memory it adds"), lines)
    text = f"Processor time of one thread as a share of real time, mean of the recordings above: {times}."
    return f"{_filled(text)}\n\n{rows}"


def _rate(answers: Sequence[Answer], collar: str) -> str:
    estimate = rate([one.errors[collar] for one in answers])
    return full(estimate) if len(answers) > 1 else _plain(estimate)


def _filled(text: str) -> str:
    return fill(text, WIDTH, break_on_hyphens=False)


def _plain(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} %"


def _difference(ours: Sequence[Answer], theirs: Sequence[Answer], collar: str) -> str:
    one = difference([each.errors[collar] for each in ours], [each.errors[collar] for each in theirs])
    return f"{100 * one.value:.1f} points ({100 * one.low:.1f} to {100 * one.high:.1f})"
