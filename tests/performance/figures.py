"""What the bench measures and prints: ratios of repetitions taken in turns, tables, figures held against a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Cell = str | float | int | None


def milliseconds(seconds: Sequence[float], percent: float = 50.0) -> float | None:
    """A percentile; ``None`` where nothing was measured."""
    return 1000.0 * float(np.percentile(seconds, percent)) if len(seconds) else None


def ratio_of_pairs(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the ratios of repetitions taken one right after the other.

    On a busy machine both of a pair run under the same load, so their ratio holds where two medians drift apart.
    Raises ``ValueError`` for series of different lengths.
    """
    return float(np.median([a / b for a, b in zip(over, under, strict=True)]))


def quotient(over: float | None, under: float | None) -> float | None:
    """``None`` where either is unknown or the lower is zero."""
    return over / under if over is not None and under else None


@dataclass(frozen=True)
class Table:
    """``note`` explains the units of the columns."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Target:
    """What the project promises of a figure."""

    name: str
    limit: float
    unit: str = "x"
    at_least: bool = False

    def is_met_by(self, figure: float) -> bool:
        return figure >= self.limit if self.at_least else figure <= self.limit


@dataclass(frozen=True)
class Measure:
    """``figure`` is ``None`` where it could not be measured, for the reason in ``remark``."""

    target: Target
    figure: float | None
    remark: str = ""

    @property
    def verdict(self) -> str:
        if self.figure is None:
            return "not measured"
        if self.target.is_met_by(self.figure):
            return "met"
        return f"missed by {100 * abs(self.figure - self.target.limit) / self.target.limit:.0f} %"

    @property
    def row(self) -> Sequence[Cell]:
        bound = "at least" if self.target.at_least else "at most"
        limit = f"{bound} {shown(self.target.limit)} {self.target.unit}"
        return self.target.name, limit, self.figure, self.verdict, self.remark


@dataclass(frozen=True)
class Result:
    """What a part of the bench brings back."""

    tables: Sequence[Table]
    measures: Sequence[Measure] = ()


def shown(cell: Cell) -> str:
    """Three digits of a float; an absent figure is a dash, never a zero."""
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"
    return str(cell)


def markdown(table: Table) -> str:
    """A Markdown table that is aligned, so that a terminal shows it well too."""
    lines = [list(table.header), *([shown(cell) for cell in row] for row in table.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.header))]
    body = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    note = ["", table.note] if table.note else []
    return "\n".join([f"### {table.title}", "", body[0], rule, *body[1:], *note, ""])
