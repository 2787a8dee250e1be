"""The report's plots, as SVG to be put into the page. matplotlib is a dependency of this tool, never of the service."""

from __future__ import annotations

import io
import re
from statistics import NormalDist
from typing import Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.calibration.figures import Report
from tools.calibration.groups import MIN_SPEAKERS
from tools.calibration.words import name as name_of

Numbers = npt.NDArray[np.float64]

OWN: Final = "#0b6e75"
STRANGERS: Final = "#c8501e"
BAND: Final = "#9fd0d2"
GREY: Final = "#6b7280"
TICKS: Final = (0.0005, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
SCORE_TICKS: Final = (0.000001, 0.001, 0.1, 0.5, 0.9, 0.999, 0.999999)
_DPI: Final = 100

mpl.rcParams.update(
    {
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.grid": True,
        "grid.color": "#e5e7eb",
        "grid.linewidth": 0.8,
        "axes.axisbelow": True,
        "legend.frameon": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "timbre",
    }
)


def det(report: Report) -> str:
    """False non-matches against false matches on normal-deviate axes (Martin et al., 1997), with the 95 % band."""
    figure, axes = _figure(5.6, 5.0)
    strangers = int((~report.curves.scored.same).sum())
    rates = np.geomspace(max(1.0 / strangers, TICKS[0] / 2), 0.5, 150)
    misses, low, high = report.curves.misses_at(rates)
    axes.fill_between(_probit(rates), _probit(low), _probit(high), color=BAND, alpha=0.6, lw=0, label="95 % band")
    axes.plot(_probit(rates), _probit(misses), color=OWN, lw=2)
    diagonal = _probit(np.array([TICKS[0] / 2, 0.5]))
    axes.plot(diagonal, diagonal, color=GREY, lw=0.8, ls=":", label="equal errors")
    now, found = report.in_force.threshold, report.recommended.plain.at.threshold
    marks = (
        (f"score {now:g}, in force", now, "o", OWN),
        (f"score {found:g}, judged", found, "D", STRANGERS),
    )
    for name, threshold, shape, colour in marks:
        at = report.curves.at(float(np.log(threshold / (1.0 - threshold))))
        point = _probit(np.array([at[0].value, at[1].value]))
        axes.plot(*point, shape, color=colour, ms=7, mec="white", label=name, clip_on=False, zorder=5)
    ticks = _probit(np.array(TICKS))
    axes.set_xticks(ticks, [_percent(tick) for tick in TICKS])
    axes.set_yticks(ticks, [_percent(tick) for tick in TICKS])
    axes.set(xlim=(ticks[0], ticks[-1]), ylim=(ticks[0], ticks[-1]))
    axes.set(xlabel="strangers accepted (false match)", ylabel="own voice refused (false non-match)")
    axes.legend(loc="upper right")
    return _svg(figure, "DET curve")


def histograms(report: Report) -> str:
    """Densities of both kinds of scores over log-odds, marked with the scores that the wire shows."""
    figure, axes = _figure(5.6, 3.0)
    scored = report.curves.scored
    low, high = np.quantile(scored.logit, [0.0005, 1.0])
    bins = np.linspace(low, high, 90)
    for kind, colour, name in ((~scored.same, STRANGERS, "strangers"), (scored.same, OWN, "same speaker")):
        axes.hist(
            np.clip(scored.logit[kind], low, high), bins.tolist(), density=True, color=colour, alpha=0.55, label=name
        )
    _thresholds(axes, report)
    axes.set(xlabel="score (on a log-odds scale)", ylabel="density", yticks=[])
    axes.grid(axis="y", visible=False)
    _score_axis(axes, low, high)
    axes.legend(loc="upper left")
    return _svg(figure, "Score histograms")


def rates(report: Report) -> str:
    """Both error rates over the threshold, with bands."""
    figure, axes = _figure(5.6, 3.0)
    drawn = report.curves
    sides: tuple[tuple[Numbers, str, str, int], ...] = (
        (drawn.false_match, STRANGERS, "strangers accepted", 0),
        (drawn.false_non_match, OWN, "own voice refused", 1),
    )
    for resampled, colour, name, side in sides:
        low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
        exact = np.array([drawn.at(threshold)[side].value for threshold in drawn.thresholds])
        axes.fill_between(drawn.thresholds, 100 * low, 100 * high, color=colour, alpha=0.18, lw=0)
        axes.plot(drawn.thresholds, 100 * exact, color=colour, lw=1.8, label=name)
    _thresholds(axes, report)
    now = report.in_force.threshold
    centre = float(np.log(now / (1.0 - now)))
    axes.set(ylim=(0, 30), xlabel="threshold (score)", ylabel="% wrong")
    _score_axis(axes, centre - 14, centre + 14)
    axes.legend(loc="upper left")
    return _svg(figure, "Error rates by threshold")


def parts(report: Report) -> str:
    """Both error rates at the judged threshold, by length of speech and by group, as points with whiskers."""
    shown = [part for part in report.recommended.plain.parts if part.false_match and part.false_non_match]
    figure, axes = _figure(11.0, 1.2 + 0.36 * len(shown))
    for row, part in enumerate(reversed(shown)):
        for rate, colour, shift in ((part.false_match, STRANGERS, 0.13), (part.false_non_match, OWN, -0.13)):
            assert rate is not None
            ends = [[100 * (rate.value - rate.low)], [100 * (rate.high - rate.value)]]
            axes.errorbar([100 * rate.value], [row + shift], xerr=ends, fmt="o", color=colour, ms=5, capsize=3, lw=1.4)
    axes.set_yticks(range(len(shown)), [name_of(part) for part in reversed(shown)])
    judged = [part.false_match.high for part in shown if part.false_match and part.speakers >= MIN_SPEAKERS]
    widest = max(judged, default=1.0)  # the intervals of a few speakers run out of the picture
    axes.set(
        xlim=(0, 115 * widest),
        xlabel=f"% wrong at score {report.recommended.plain.at.threshold:g}",
        ylim=(-0.6, len(shown) - 0.4),
    )
    axes.grid(axis="y", visible=False)
    for colour, name in ((STRANGERS, "strangers accepted"), (OWN, "own voice refused")):
        axes.plot([], [], "o", color=colour, label=name)
    figure.legend(loc="outside upper right", ncols=2)
    return _svg(figure, "Error rates by length and group")


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    return figure, figure.add_subplot()


def _thresholds(axes: Axes, report: Report) -> None:
    now, found = report.in_force.threshold, report.recommended.plain.at.threshold
    for threshold, style, name in (
        (now, "-", f"in force {now:g}"),
        (found, "--", f"judged {found:g}"),
    ):
        axes.axvline(float(np.log(threshold / (1.0 - threshold))), color="#111827", lw=1.1, ls=style, label=name)


def _score_axis(axes: Axes, low: float, high: float) -> None:
    at = np.log(np.array(SCORE_TICKS) / (1.0 - np.array(SCORE_TICKS)))
    names = ["0.000001", "0.001", "0.1", "0.5", "0.9", "0.999", "0.999999"]
    axes.set_xticks(at, names)
    axes.set_xlim(low, high)


def _probit(shares: Numbers) -> Numbers:
    normal = NormalDist()
    return np.array([normal.inv_cdf(min(max(float(share), 1e-5), 1.0 - 1e-5)) for share in shares])


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _svg(figure: Figure, title: str) -> str:
    """The drawing alone: no XML declaration, its ids told apart from those of the page's other drawings."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Title": title}, transparent=True)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    prefix = re.sub(r"\W+", "-", title.lower())
    text = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', text)
