"""What a part of the bench brings back: tables, curves for the plot, and figures that targets are held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.performance.figures import Cell
from tests.performance.recordings import Material
from tests.performance.reporting.targets import Measure


@dataclass(frozen=True)
class Table:
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """One line of a panel of the plot; panels are told apart by their title. ``log``: axes with powers of ten."""

    panel: str
    x_label: str
    y_label: str
    label: str
    points: Sequence[tuple[float, float]]
    log_x: bool = False
    log_y: bool = False
    limit: float | None = None
    """A target, drawn as a level line."""


@dataclass(frozen=True)
class Bars:
    """A panel of level bars, each with its name; ``limit`` as above."""

    panel: str
    x_label: str
    values: Sequence[tuple[str, float]]
    limit: float | None = None


@dataclass(frozen=True)
class Found:
    tables: Sequence[Table]
    curves: Sequence[Curve] = ()
    bars: Sequence[Bars] = ()
    measures: Sequence[Measure] = ()


@dataclass(frozen=True)
class Run:
    """What all parts are told. ``quick``: few repetitions and small sizes, to see that everything runs. ``most``: the
    largest number of speakers. ``minutes``: of the soak on Azure's host. ``say`` shows a line of progress."""

    spoken: Material = field(repr=False)
    say: Callable[[str], None]
    quick: bool
    most: int
    minutes: float
