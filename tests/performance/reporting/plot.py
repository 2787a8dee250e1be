"""The report's curves and bars as one SVG. matplotlib is a dependency of tools, never of the service."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.performance.figures import shown
from tests.performance.reporting.found import Bars, Curve
from tests.performance.reporting.report import Report

_COLUMNS = 2
_INCHES = (6.4, 3.8)
"""Of one panel."""

mpl.rcParams.update({"svg.hashsalt": "timbre", "svg.fonttype": "none", "font.size": 9})
"""The salt: the same figures give the same file."""


def draw(report: Report, file: Path) -> None:
    panels = panels_of(report)
    rows = max(1, math.ceil(len(panels) / _COLUMNS))
    figure = Figure(figsize=(_INCHES[0] * _COLUMNS, _INCHES[1] * rows), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False)
    flat: list[Axes] = list(axes.flat)
    for one, panel in zip(flat, panels, strict=False):
        if isinstance(panel, Bars):
            _bars(one, panel)
        else:
            _curves(one, panel)
    for one in flat[len(panels) :]:
        one.set_visible(False)
    figure.savefig(file, format="svg", metadata={"Date": None})


def panels_of(report: Report) -> list[Bars | list[Curve]]:
    """In the order of the sections; curves with one title share a panel."""
    panels: list[Bars | list[Curve]] = []
    for section in report.sections:
        panels += section.found.bars
        titles = dict.fromkeys(one.panel for one in section.found.curves)
        panels += [[one for one in section.found.curves if one.panel == title] for title in titles]
    return panels


def _curves(axes: Axes, curves: Sequence[Curve]) -> None:
    first = curves[0]
    for one in curves:
        axes.plot([x for x, _ in one.points], [y for _, y in one.points], marker=".", label=one.label)
    if first.log_x:
        axes.set_xscale("log")
    if first.log_y:
        axes.set_yscale("log")
    if first.limit is not None:
        axes.axhline(first.limit, linestyle="--", color="gray", linewidth=1, label=f"target {first.limit:g}")
    axes.set(title=first.panel, xlabel=first.x_label, ylabel=first.y_label)
    axes.grid(visible=True, alpha=0.3)
    if len(curves) > 1 or first.limit is not None:
        axes.legend(fontsize=8)


def _bars(axes: Axes, bars: Bars) -> None:
    names, values = [name for name, _ in bars.values], [value for _, value in bars.values]
    drawn = axes.barh(names, values, height=0.6)
    axes.bar_label(drawn, labels=[shown(one) for one in values], padding=2, fontsize=8)
    axes.invert_yaxis()
    if bars.limit is not None:
        axes.axvline(bars.limit, linestyle="--", color="gray", linewidth=1, label=f"target {bars.limit:g}")
        axes.legend(fontsize=8)
    axes.set(title=bars.panel, xlabel=bars.x_label)
    axes.margins(x=0.15)
