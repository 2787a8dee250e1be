"""docs/accuracy.md, written whole: every number on it was measured by the run that wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from tools.calibration.curves import Estimate
from tools.calibration.evidence import Evidence
from tools.calibration.trials import GROUP
from tools.evaluation.ears import PEER
from tools.evaluation.identification import Outcome
from tools.evaluation.pieces import DataSet
from tools.evaluation.study import FITTED_ON, Band, Measured, Named, Row

TEMPLATE: Final = Path(__file__).with_name("accuracy.md")


@dataclass(frozen=True)
class Findings:
    """What one run found."""

    date: str
    model_id: str
    model_date: str
    manifest: str
    sets: tuple[DataSet, ...]
    clean: tuple[Measured, ...]
    channels: tuple[Row, ...]
    channels_of: str
    bands: tuple[Band, ...]
    named: tuple[Named, ...]


def page(found: Findings) -> str:
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        date=found.date,
        model=found.model_id,
        model_date=found.model_date,
        manifest=found.manifest,
        peer=PEER,
        data=_data(found.sets),
        summary="\n".join(f"- {line}" for line in _summary(found)),
        verification="\n".join(_measured(one) for one in found.clean),
        channels_of=found.channels_of,
        channels=_channels(found.channels),
        peer_phone=_peer_phone(found.channels),
        bands=_bands(found.bands),
        identification=_identification(found.named),
    )


def _data(sets: Sequence[DataSet]) -> str:
    rows = []
    for data in sets:
        count, enrolled = len(data.speakers), len(data.enrolled)
        pairs = _pairs(data)
        role = "fitted the shipped calibration; measured by halves" if data.name == FITTED_ON else "outside every fit"
        smallest = Evidence(count, pairs, 0.01).smallest_rate
        rows.append((data.name, str(count), str(enrolled), f"{pairs:,}", _share(smallest), role))
    head = ("data set", "speakers", "of them enrolled", "pairs of speakers", "least claimable false-match rate", "role")
    return _table(head, rows)


def _pairs(data: DataSet) -> int:
    """Pairs of different speakers that are compared: inside each half where a set is measured by halves."""
    count, enrolled = len(data.speakers), len(data.enrolled)
    if data.name == FITTED_ON:
        halves = (count + 1) // 2, count // 2
        return sum(half * (half - 1) // 2 for half in halves)
    return enrolled * (count - 1) - enrolled * (enrolled - 1) // 2


def _summary(found: Findings) -> Iterable[str]:
    for measured in found.clean:
        for row in measured.rows:
            if row.enrolments == GROUP and row.length == "4 s":
                ours = row.ours
                peer = f", {_share(row.peer.equal_error.value)} for {PEER} on the same audio" if row.peer else ""
                yield (
                    f"**{measured.data.name}**, three recordings enrolled, 4 s of speech tested: equal error rate "
                    f"{_full(ours.equal_error)}{peer}. At score 0.5 {_full(ours.false_match)} of strangers pass and "
                    f"{_full(ours.false_non_match)} of own voices are refused."
                )
    short = [row for row in found.channels if row.length == "4 s"]
    clean = next(row.ours for row in short if row.name == "clean")
    worst, refusing, letting_in = (
        max(short, key=lambda row: getattr(row.ours, rate).value)
        for rate in ("equal_error", "false_non_match", "false_match")
    )
    errors = f"{_share(clean.equal_error.value)} to {_share(worst.ours.equal_error.value)} ({worst.name})"
    yield (
        f"**Another channel than at enrolment is where it is weak.** Equal errors rise from {errors}, and 0.5 no "
        f"longer means what it says: up to {_share(refusing.ours.false_non_match.value)} of own voices are refused "
        f"({refusing.name}), up to {_share(letting_in.ours.false_match.value)} of strangers pass ({letting_in.name})."
    )
    worst_list = max(
        (one for one in found.named if one.length == "4 s"), key=lambda one: one.corrected.false_alarms.value
    )
    lists = worst_list.corrected
    yield (
        f"**Identification** from 4 s of speech ranks the right one of {lists.candidates} candidates of "
        f"{worst_list.profiles} first in {_full(lists.rank_1)} of tests; {_full(lists.false_alarms)} of strangers are "
        "named as somebody there, more than on any other list below."
    )


def _measured(measured: Measured) -> str:
    how = (
        "Each half of the speakers is scored with a calibration that the other half gave."
        if measured.held_out
        else "Scored with the shipped calibration, which has seen none of these speakers."
    )
    rows = [
        (
            str(row.enrolments),
            row.length,
            f"{row.ours.strangers:,} / {row.ours.same:,}",
            _full(row.ours.equal_error),
            _number(row.ours.min_dcf),
            _full(row.ours.false_match),
            _full(row.ours.false_non_match),
            _full(row.peer.equal_error) if row.peer else "not run",
            _number(row.peer.min_dcf) if row.peer else "not run",
        )
        for row in measured.rows
    ]
    head = (
        "enrolled", "test", "strangers / own", "EER", "minDCF", "false match at 0.5", "false non-match at 0.5",
        f"{PEER}: EER", "its minDCF",
    )  # fmt: skip
    return f"### {measured.data.name}\n\n{how}\n\n{_table(head, rows)}\n"


def _channels(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(row.name for row in rows))
    table = []
    for name in names:
        full, short = (
            next(row for row in rows if row.name == name and row.length == length) for length in ("full", "4 s")
        )
        table.append(
            (
                name,
                _full(full.ours.equal_error),
                _full(short.ours.equal_error),
                _number(short.ours.min_dcf),
                _full(short.ours.false_match),
                _full(short.ours.false_non_match),
                _share(short.refused),
            )
        )
    head = (
        "test recording", "EER, full", "EER, 4 s", "minDCF, 4 s", "false match at 0.5, 4 s",
        "false non-match at 0.5, 4 s", "not heard, 4 s",
    )  # fmt: skip
    return _table(head, table)


def _peer_phone(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        if row.peer is not None:
            lines.append((row.name, row.length, _full(row.ours.equal_error), _full(row.peer.equal_error)))
    if not lines:
        return "The peer was not run."
    return _table(("test recording", "length", "Timbre: EER", f"{PEER}: EER"), lines)


def _bands(bands: Sequence[Band]) -> str:
    return _table(
        ("answer", "of strangers", "of own voices"),
        [(band.answer, _share(band.strangers), _share(band.same)) for band in bands],
    )


def _identification(named: Sequence[Named]) -> str:
    rows = [
        (
            one.profiles,
            str(one.corrected.candidates),
            one.length,
            f"{one.corrected.tests} of {one.corrected.speakers}",
            _full(one.corrected.rank_1),
            *_outcome(one.corrected),
            _share(one.plain.misses.value),
            _share(one.plain.false_alarms.value),
        )
        for one in named
    ]
    head = (
        "profiles", "candidates", "test", "tests of speakers", "rank-1", "missed", "of them named as another",
        "strangers named", "missed, uncorrected", "strangers named, uncorrected",
    )  # fmt: skip
    return _table(head, rows)


def _outcome(one: Outcome) -> tuple[str, str, str]:
    return _full(one.misses), _share(one.mistaken.value), _full(one.false_alarms)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _full(estimate: Estimate) -> str:
    if estimate.high == 0.0:
        return "0.00 % (no error seen)"
    return f"{_share(estimate.value)} ({_bare(estimate.low)} to {_bare(estimate.high)})"


def _number(estimate: Estimate) -> str:
    if estimate.high == 0.0:
        return "0.00 (no error seen)"
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _share(share: float) -> str:
    return f"{_bare(share)} %"


def _bare(share: float) -> str:
    return f"{100 * share:.2f}" if share < 0.0995 else f"{100 * share:.1f}"
