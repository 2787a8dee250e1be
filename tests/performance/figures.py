"""Arithmetic and layout of what the bench prints: percentiles, ratios, covered time, tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Repetitions of one measurement, in milliseconds, in the order they were taken."""

    milliseconds: tuple[float, ...]

    @classmethod
    def of_seconds(cls, seconds: Iterable[float]) -> Times:
        return cls(tuple(1000.0 * one for one in seconds))

    @property
    def p50(self) -> float:
        return percentile(self.milliseconds, 50.0)

    @property
    def p95(self) -> float:
        return percentile(self.milliseconds, 95.0)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which ``percent`` of the values lie, between neighbours by straight line (numpy's default).

    Raises ``ValueError`` for no values: a measurement that was not taken has no percentile.
    """
    if not values:
        raise ValueError("No values were measured.")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100.0
    below, above = math.floor(place), math.ceil(place)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def ratio_of_pairs(over: Times, under: Times) -> float:
    """The median of the ratios of repetitions taken one right after the other.

    On a busy machine both of a pair run under the same load, so their ratio holds where two medians drift apart.
    """
    return percentile([a / b for a, b in zip(over.milliseconds, under.milliseconds, strict=True)], 50.0)


@dataclass(frozen=True)
class Slope:
    """``error`` is the standard error for points that are independent, which samples of one process are not quite."""

    per_unit: float
    error: float


def slope(points: Sequence[tuple[float, float]]) -> Slope:
    """Of the straight line y = a + b x through points (x, y) with the least squares.

    Raises ``ValueError`` for fewer than three points, or all of them at one x: no line can be judged by them.
    """
    number = len(points)
    mean_x, mean_y = (sum(one[axis] for one in points) / max(1, number) for axis in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if number < 3 or spread == 0.0:
        raise ValueError("A slope needs three points at two places.")
    found = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    left = sum((y - mean_y - found * (x - mean_x)) ** 2 for x, y in points)
    return Slope(found, math.sqrt(left / (number - 2) / spread))


def covered(intervals: Iterable[tuple[float, float]]) -> float:
    """How long at least one of the intervals (start, end) was under way: calls side by side count once."""
    total, reached = 0.0, -math.inf
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


Cell = str | float | int | None


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = "") -> str:
    """Plain text: the first column to the left, the others to the right; floats with a sensible number of digits."""
    lines = [[*header], *[[shown(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    body = [
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in pairs).rstrip()
        for pairs in (list(enumerate(zip(line, widths, strict=True))) for line in lines)
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([title, "", body[0], rule, *body[1:], *([note] if note else []), ""])


def shown(cell: Cell) -> str:
    """An absent figure is a dash, never a zero."""
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"
    return str(cell)
