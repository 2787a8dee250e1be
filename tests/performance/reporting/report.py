"""A run of the bench as a person reads it: on the terminal, and as Markdown that stands in ``docs``."""

from __future__ import annotations

import os
import platform
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.performance.figures import shown, table
from tests.performance.reporting.found import Found, Table
from tests.performance.reporting.targets import Measure, all_measures, verdict

_WIDTH = 118


@dataclass(frozen=True)
class Section:
    """One part and when it was measured. ``load``: how many processes wanted to run, over the minute before the part
    and before its end; the cores should be no fewer. ``None`` where the system does not tell."""

    part: str
    title: str
    taken_at: datetime
    seconds: float
    load: tuple[float | None, float | None]
    found: Found


@dataclass(frozen=True)
class Report:
    machine: str
    source: str
    """Whose speech it was."""
    quick: bool
    sections: Sequence[Section]

    @property
    def measures(self) -> list[Measure]:
        return all_measures([one for section in self.sections for one in section.found.measures])


def this_machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def load_average() -> float | None:
    return os.getloadavg()[0] if sys.platform != "win32" else None


def section_text(section: Section) -> str:
    """For the terminal."""
    parts = [table(one.title, one.header, one.rows, _wrapped(one.note)) for one in section.found.tables]
    return "\n".join([f"== {section.title} ==", f"({_taken(section)})", "", *parts])


def targets_text(report: Report) -> str:
    rows = [[one.target.what, _limit(one), _figure(one), verdict(one), one.remark] for one in report.measures]
    return table("Targets", ["target", "limit", "found", "", "remark"], rows)


def markdown(report: Report, plot: str) -> str:
    """``plot`` is the picture's address, from where the text will stand."""
    quick = ["**A quick run: it shows that everything runs. Its figures mean nothing.**", ""] if report.quick else []
    lines = [
        "# Figures of the bench",
        "",
        "Written by `python dev.py bench`; [performance.md](performance.md) says what is measured and how, each part "
        "when and under what load.",
        f"{report.machine}; {report.source}.",
        "",
        *quick,
        "## Targets",
        "",
        *_markdown_rows(
            ["target", "limit", "found", "", "remark"],
            [[one.target.what, _limit(one), _figure(one), verdict(one), one.remark] for one in report.measures],
        ),
        f"![The same as curves and bars]({plot})",
        "",
    ]
    for section in report.sections:
        lines += [f"## {section.title}", "", f"{_taken(section)}.", ""]
        for one in section.found.tables:
            lines += _markdown_table(one)
    return "\n".join(lines)


def _taken(section: Section) -> str:
    before, after = ("?" if one is None else f"{one:.1f}" for one in section.load)
    return (
        f"{section.taken_at:%Y-%m-%d %H:%M} UTC, {section.seconds:.0f} s, load {before} before and {after} at the end"
    )


def _limit(measure: Measure) -> str:
    target = measure.target
    return f"{target.bound.value} {shown(float(target.limit))} {target.unit}".rstrip()


def _figure(measure: Measure) -> str:
    return "-" if measure.figure is None else f"{shown(measure.figure)} {measure.target.unit}".rstrip()


def _markdown_table(one: Table) -> list[str]:
    note = [f"({one.note})", ""] if one.note else []
    cells = [[shown(cell) for cell in row] for row in one.rows]
    return [f"### {one.title}", "", *_markdown_rows(one.header, cells), *note]


def _markdown_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines] + [""]


def _wrapped(note: str) -> str:
    return "\n".join(textwrap.wrap(f"({note})", _WIDTH)) if note else ""
