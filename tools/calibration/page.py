"""The report as one HTML page that needs nothing else: plots inside, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from shared.domain.calibration import MeasuredRates
from tools.calibration import plots
from tools.calibration.curves import Estimate
from tools.calibration.evidence import Verdict, percent
from tools.calibration.figures import AtThreshold, Pair, Part, Refusals, Report

TEMPLATE: Final = Path(__file__).with_name("page.html")
_COLOURS: Final = {Verdict.TOO_LITTLE: "bad", Verdict.THIN: "thin", Verdict.ENOUGH: "good"}


def page(report: Report) -> str:
    advice = report.recommended
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        manifest=escape(report.manifest),
        about=_about(report),
        verdict_class=_COLOURS[report.evidence.verdict],
        verdict=escape(report.verdict),
        notes="".join(f"<li>{escape(note)}</li>" for note in report.notes),
        wanted=percent(advice.wanted),
        threshold=f"{advice.threshold:.3f}",
        threshold_rates=_rates(advice.at_threshold),
        cautious=f"{advice.cautious:.3f}",
        cautious_rates=_rates(advice.at_cautious),
        in_force=f"{report.in_force:g}",
        cards="".join(_cards(report)),
        det=plots.det(report),
        histograms=plots.histograms(report),
        rates=plots.rates(report),
        parts=plots.parts(report),
        thresholds="".join(_threshold_row(report, one) for one in report.thresholds),
        part_rows="".join(_part_row(one) for one in (*report.lengths, *report.groups)),
        refusals=_refusals(report),
        strangers=_pairs(report.highest_strangers),
        own=_pairs(report.lowest_same),
        site=_site(report),
    )


def _about(report: Report) -> str:
    unenrolled = len(report.unenrolled)
    strangers = f", {unenrolled} of them with too few recordings to enrol: strangers only" if unenrolled else ""
    return escape(
        f"{report.recordings:,} recordings of {report.speakers} speakers{strangers}. {report.signatures} signatures of "
        f"{report.enrollments} recordings. Model {report.model_id}, audio rules {report.rules}. {report.date}."
    )


def _cards(report: Report) -> Iterable[str]:
    overall = report.overall
    yield _card("Equal error rate", _share(overall.equal_error.value), _interval(overall.equal_error), "")
    yield _card(
        "minDCF (p = 0.01)",
        f"{overall.min_dcf.value:.3f}",
        f"{overall.min_dcf.low:.3f} to {overall.min_dcf.high:.3f}",
        "1 is useless, 0 perfect",
    )
    meaning = "score 0.5 is a false-match rate, not a likelihood ratio of one: the first figure holds that shift"
    costs = f"{overall.cllr_shifted:.3f} without the shift, {overall.cllr_min:.3f} at best"
    yield _card("Cllr", f"{overall.cllr:.3f}", costs, meaning)
    refused = sum(one.count for one in report.refusals)
    share = refused / report.recordings
    yield _card("Failure to acquire", _share(share), f"{refused:,} of {report.recordings:,} recordings", "")


def _card(name: str, value: str, below: str, meaning: str) -> str:
    note = f"<small>{escape(meaning)}</small>" if meaning else ""
    return f"<div class='card'><h3>{escape(name)}</h3><b>{value}</b><span>{escape(below)}</span>{note}</div>"


def _threshold_row(report: Report, one: AtThreshold) -> str:
    advice = report.recommended
    named = ((report.in_force, "in force"), (advice.threshold, "recommended"), (advice.cautious, "cautious"))
    mark = ", ".join(name for threshold, name in named if threshold == one.threshold)
    rates = [cell for rate in (one.false_match, one.false_non_match) for cell in (_share(rate.value), _interval(rate))]
    return _row((f"{one.threshold:g}", *rates, mark), "marked" if mark else "")


def _part_row(part: Part) -> str:
    counts = (str(part.speakers), f"{part.strangers:,}", f"{part.same:,}")
    rates = [
        cell
        for rate in (part.false_match, part.false_non_match)
        for cell in ((_share(rate.value), _interval(rate)) if rate else ("–", "none compared"))
    ]
    equal = _share(part.equal_error) if part.equal_error is not None else "–"
    return _row((f"{part.name}: {part.value}", *counts, *rates, equal))


def _refusals(report: Report) -> str:
    if not report.refusals:
        return "<p>None: every recording was accepted.</p>"
    rows = "".join(_refusal_row(one) for one in report.refusals)
    return f"<table><tr><th>reason</th><th>recordings</th><th>for example</th></tr>{rows}</table>"


def _refusal_row(one: Refusals) -> str:
    example = f"{one.message} ({Path(one.paths[0]).name})"
    return _row((one.reason, f"{one.count:,}", example))


def _pairs(pairs: Sequence[Pair]) -> str:
    return "".join(
        f"<tr><td>{_score(pair.score)}</td>"
        f"<td>{escape(pair.enrolled)}{''.join(_player(path) for path in pair.enrolled_paths[:1])}</td>"
        f"<td>{escape(pair.tested)}{_player(pair.tested_path)}</td></tr>"
        for pair in pairs
    )


def _player(path: str) -> str:
    place = escape(Path(path).resolve().as_uri(), quote=True)
    shown = escape("/".join(Path(path).parts[-2:]))
    return f"<audio controls preload='none' src='{place}'></audio><code>{shown}</code>"


def _site(report: Report) -> str:
    found = report.site_calibration
    if found is None:
        return f"<p>{escape(report.no_calibration_because)}</p>"
    return (
        "<p>Fitted on these recordings so that score 0.5 is the wanted false-match rate at every length; written to "
        f"<code>calibration.json</code>. <code>python dev.py model {escape(report.model_id)} --calibration "
        "calibration.json</code> makes it the service's own. Below are its rates on speakers outside the fit: each "
        "half measured with the other's line.</p><table><tr><th>test</th><th>recordings<br>enrolled</th>"
        "<th>false match</th><th>95 %</th><th>false non-match</th><th>95 %</th></tr>"
        + "".join(_site_row(one) for one in found.measured)
        + "</table>"
    )


def _site_row(one: MeasuredRates) -> str:
    match = (_share(one.false_match), f"{_share(one.false_match_low)} to {_share(one.false_match_high)}")
    miss = (_share(one.false_non_match), f"{_share(one.false_non_match_low)} to {_share(one.false_non_match_high)}")
    return _row((one.test, str(one.enrolments), *match, *miss))


def _rates(at: AtThreshold) -> str:
    return (
        f"{_share(at.false_match.value)} of strangers accepted ({_interval(at.false_match)}), "
        f"{_share(at.false_non_match.value)} of own voices refused ({_interval(at.false_non_match)})"
    )


def _row(cells: Sequence[str], kind: str = "") -> str:
    return f"<tr class='{kind}'>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _share(share: float) -> str:
    return f"{100 * share:.2f} %" if share < 0.0995 else f"{100 * share:.1f} %"


def _interval(estimate: Estimate) -> str:
    return f"{_share(estimate.low)} to {_share(estimate.high)}"


def _score(score: float) -> str:
    return f"{score:.3f}" if 0.0005 <= score <= 0.9995 else f"{score:.1e}" if score < 0.5 else "> 0.999"
