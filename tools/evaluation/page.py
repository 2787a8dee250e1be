"""docs/accuracy.md and docs/internals/networks.md: the run that writes them has measured every number in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from textwrap import fill
from typing import Final

from tools.calibration.curves import Estimate
from tools.calibration.evidence import Evidence
from tools.calibration.trials import GROUP
from tools.evaluation.channels import SO_TOO
from tools.evaluation.findings import Alike, Apart, Band, Grouped, Measured, Named, Row
from tools.evaluation.identification import Outcome
from tools.evaluation.long_lists import LongList
from tools.evaluation.pieces import DataSet
from tools.evaluation.study import FITTED_ON, SHORT

TEMPLATE: Final = Path(__file__).with_name("accuracy.md")
WIDTH: Final = 116
NETWORKS_TEMPLATE: Final = Path(__file__).with_name("networks.md")


@dataclass(frozen=True)
class Findings:
    """What one run found. ``systems`` are the columns of the tables that compare, this model first."""

    date: str
    model_id: str
    model_date: str
    manifest: str
    systems: tuple[str, ...]
    sets: tuple[DataSet, ...]
    clean: tuple[Measured, ...]
    channels: tuple[Row, ...]
    channels_of: str
    groups: tuple[Grouped, ...]
    alike: Alike
    bands: tuple[Band, ...]
    named: tuple[Named, ...]
    long_lists: tuple[LongList, ...]


def page(found: Findings, turns: str = "", second_voices: str = "") -> str:
    """``turns`` and ``second_voices``: the sections of who spoke when and of two voices, which are measured by
    themselves."""
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        date=found.date,
        model=found.model_id,
        model_date=found.model_date,
        data=_data(found.sets),
        alike=_item(f"**Alike speakers.** {_alike(found.alike)}"),
        summary="\n".join(_item(line) for line in _summary(found)),
        verification="\n".join(_measured(one) for one in found.clean),
        channels_of=found.channels_of,
        channels=_channels(found.channels),
        unheard=_unheard(found.channels),
        groups=_groups(found.groups),
        bands=_bands(found.bands),
        identification=_identification(found.named),
        long_lists=_long_lists(found.long_lists),
        turns=turns,
        second_voices=second_voices,
    )


def networks_page(found: Findings) -> str:
    """The comparison with ``found.systems``."""
    template = Template(NETWORKS_TEMPLATE.read_text(encoding="utf-8"))
    table = _networks(found.channels, found.systems)
    return template.substitute(date=found.date, manifest=found.manifest, networks=table)


def _item(text: str) -> str:
    """An item of a list, in lines of at most ``WIDTH`` characters."""
    return fill(text, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _data(sets: Sequence[DataSet]) -> str:
    rows = []
    for data in sets:
        count, enrolled = len(data.speakers), len(data.enrolled)
        pairs = _pairs(data)
        role = "fitted the shipped calibration; measured by halves" if data.name == FITTED_ON else "outside every fit"
        smallest = Evidence(count, pairs, 0.01).smallest_rate
        rows.append((data.name, f"{count} / {enrolled}", f"{pairs:,}", _share(smallest), role))
    head = ("data set", "speakers / of them enrolled", "pairs of speakers", "least claimable false-match rate", "role")
    return table(head, rows)


def _pairs(data: DataSet) -> int:
    """Pairs of different speakers that are compared: inside each half where a set is measured by halves."""
    count, enrolled = len(data.speakers), len(data.enrolled)
    if data.name == FITTED_ON:
        halves = (count + 1) // 2, count // 2
        return sum(half * (half - 1) // 2 for half in halves)
    return enrolled * (count - 1) - enrolled * (enrolled - 1) // 2


def _summary(found: Findings) -> Iterator[str]:
    for measured in found.clean:
        (ours,) = (row.ours for row in measured.rows if (row.enrolments, row.length) == (GROUP, SHORT))
        yield (
            f"**{measured.data.name}**, three recordings enrolled, 4 s tested: {full(ours.false_match)} of strangers "
            f"pass, {full(ours.false_non_match)} of own voices are refused, equal errors {full(ours.equal_error)}."
        )
    changed = [row for row in found.channels if row.name != "clean" and not row.name.endswith(SO_TOO)]
    refusing = max(changed, key=lambda row: row.ours.false_non_match.value)
    yield (
        f"**Through {len(changed)} other channels** than at enrolment: {_passing(changed)} of strangers pass. Own "
        f"voices are refused most through *{refusing.name}*: {full(refusing.ours.false_non_match)}."
    )
    both = [row for row in found.channels if row.name.endswith(SO_TOO)]
    yield (
        "**Where enrolment and test came by the same narrow channel** strangers are more alike: "
        f"{_passing(both)} of them pass."
    )
    lists = [one for one in found.named if one.length == SHORT]
    worst = max(lists, key=lambda one: (one.corrected.false_alarms.value, one.corrected.candidates))
    yield (
        f"**Identification** from 4 s among {worst.corrected.candidates} of {worst.profiles}: "
        f"{full(worst.corrected.misses)} of the enrolled are not named, {full(worst.corrected.false_alarms)} of "
        "strangers are. No other list of real candidates below is worse."
    )


def _passing(rows: Sequence[Row]) -> str:
    shares = [row.ours.false_match.value for row in rows]
    return f"{_bare(min(shares))} to {_share(max(shares))}"


def _measured(measured: Measured) -> str:
    how = (
        "Each half of the speakers is scored with a calibration that the other half gave."
        if measured.held_out
        else "Scored with the shipped calibration, which has seen none of these speakers."
    )
    rows = [
        (
            f"{row.enrolments}, {row.length}",
            f"{row.ours.strangers:,} / {row.ours.same:,}",
            full(row.ours.equal_error),
            full(row.ours.false_match),
            full(row.ours.false_non_match),
        )
        for row in measured.rows
    ]
    head = ("enrolled, test", "strangers / own", "equal errors", "strangers passing at 0.5", "own refused at 0.5")
    return f"### {measured.data.name}\n\n{how}\n\n{table(head, rows)}\n"


def _channels(rows: Sequence[Row]) -> str:
    head = (
        "test recording", "equal errors", "strangers passing at 0.5", "the same, from 1 s to 20 s",
        "own refused at 0.5",
    )  # fmt: skip
    return table(
        head,
        [
            (
                row.name,
                full(row.ours.equal_error),
                full(row.ours.false_match),
                f"{_bare(row.lowest)} to {_share(row.highest)}",
                full(row.ours.false_non_match),
            )
            for row in rows
        ],
    )


def _unheard(rows: Sequence[Row]) -> str:
    some = [f"{row.name} {_share(row.unheard)}" for row in rows if row.unheard]
    return ", ".join(some) if some else "none"


def _networks(rows: Sequence[Row], systems: Sequence[str]) -> str:
    """Equal errors / own voices refused where 1 % of this row's strangers pass."""
    compared = [
        [row.name, *(_apart(row.networks[system]) for system in systems)] for row in rows if len(row.networks) > 1
    ]
    return table(("test recording", *systems), compared)


def _apart(network: Apart) -> str:
    return f"{_bare(network.equal_error)} / {_bare(network.refused)}"


def _groups(groups: Sequence[Grouped]) -> str:
    if not any(one.group != "all" for one in groups):
        return "The list of recordings names no genders."
    return table(
        ("group", "tests", "equal errors", "strangers passing at 0.5", "own refused at 0.5"),
        [
            (
                f"{one.group}, {one.speakers}",
                one.tests,
                full(one.ours.equal_error),
                full(one.ours.false_match),
                full(one.ours.false_non_match),
            )
            for one in groups
        ],
    )


def _alike(found: Alike) -> str:
    return (
        f"{found.as_one} of {found.pairs} pairs of different speakers are as alike as one voice: their enrolments have "
        f"cosines up to {found.highest:.2f}, one speaker's own {found.own_median:.2f} in the median and "
        f"{found.own_lowest:.2f} at least. They are counted as strangers."
    )


def _bands(bands: Sequence[Band]) -> str:
    return table(
        ("answer", "of strangers", "of own voices"),
        [(band.answer, _share(band.strangers), _share(band.same)) for band in bands],
    )


def _identification(named: Sequence[Named]) -> str:
    rows = [
        (
            f"{one.corrected.candidates} of {one.profiles}, {one.length}",
            full(one.corrected.rank_1),
            *_outcome(one.corrected),
            f"{_bare(one.plain.misses.value)} / {_bare(one.plain.false_alarms.value)}",
        )
        for one in named
    ]
    head = ("candidates, test", "ranked first", "missed", "strangers named", "uncorrected: missed / strangers named")
    return table(head, rows)


def _outcome(one: Outcome) -> tuple[str, str]:
    return f"{full(one.misses)}; as another {_share(one.mistaken.value)}", full(one.false_alarms)


def _long_lists(lists: Sequence[LongList]) -> str:
    head = ("candidates", "ranked first", "missed", "strangers named", "missed where 5 % are named")
    return table(
        head,
        [
            (
                f"{one.candidates:,} {one.kind}",
                _share(one.first),
                _share(one.missed),
                _share(one.strangers_named),
                _share(one.missed_at_best),
            )
            for one in lists
        ],
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def full(estimate: Estimate) -> str:
    if estimate.high == 0.0:
        return "0.00 % (no error seen)"
    return f"{_share(estimate.value)} ({_bare(estimate.low)} to {_bare(estimate.high)})"


def _share(share: float) -> str:
    return f"{_bare(share)} %"


def _bare(share: float) -> str:
    return f"{100 * share:.2f}" if share < 0.0995 else f"{100 * share:.1f}"
