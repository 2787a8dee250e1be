"""The report as one HTML page that needs nothing else: plots inside, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from shared.domain.calibration import MeasuredRates
from tools.calibration import plots
from tools.calibration.evidence import Verdict, percent
from tools.calibration.figures import AtThreshold, Pair, Refusals, Report
from tools.calibration.groups import Part, Standing
from tools.calibration.words import about_site, estimate, interval, name, rates, sentences, share

TEMPLATE: Final = Path(__file__).with_name("page.html")
_CLASSES: Final = {Standing.KEPT: "", Standing.OPEN: "thin", Standing.EXCEEDED: "bad"}
_NAMES: Final = {Standing.KEPT: "recommended", Standing.OPEN: "recommended", Standing.EXCEEDED: "not recommended"}


def page(report: Report) -> str:
    advice = report.recommended
    refused = advice.plain.standing is Standing.EXCEEDED
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        manifest=escape(report.manifest),
        about=_about(report),
        verdict_class=_colour(report),
        verdict=escape(report.verdict),
        notes="".join(f"<li>{escape(note)}</li>" for note in (*sentences(advice), *report.notes)),
        wanted=percent(advice.wanted),
        lead="In force, and confirmed" if advice.confirmed else "Recommended",
        threshold="none" if refused else f"{advice.plain.at.threshold:.3f}",
        threshold_rates=escape(next(iter(sentences(advice))) if refused else rates(advice.plain.at)),
        cautious=f"{advice.cautious.at.threshold:.3f}",
        cautious_rates=escape(rates(advice.cautious.at)),
        judged=f"{advice.plain.at.threshold:g}",
        cards="".join(_cards(report)),
        det=plots.det(report),
        histograms=plots.histograms(report),
        rates=plots.rates(report),
        parts=plots.parts(report),
        thresholds="".join(_threshold_row(report, one) for one in report.thresholds),
        part_rows="".join(_part_row(one) for one in advice.plain.parts),
        refusals=_refusals(report),
        strangers=_pairs(report.highest_strangers),
        own=_pairs(report.lowest_same),
        site=_site(report),
    )


def _colour(report: Report) -> str:
    """Of the worse of two: what the data can carry, and what the groups say."""
    standing, verdict = report.recommended.plain.standing, report.evidence.verdict
    if verdict is Verdict.TOO_LITTLE or standing is Standing.EXCEEDED:
        return "bad"
    return "thin" if verdict is Verdict.THIN or standing is Standing.OPEN else "good"


def _about(report: Report) -> str:
    unenrolled = len(report.unenrolled)
    strangers = f", {unenrolled} of them with too few recordings to enrol: strangers only" if unenrolled else ""
    return escape(
        f"{report.recordings:,} recordings of {report.speakers} speakers{strangers}. {report.signatures} signatures of "
        f"{report.enrollments} recordings. Model {report.model_id}, audio rules {report.rules}. {report.date}. "
        f"Calibration in force: {report.in_force.calibration}. Threshold in force: {report.in_force.threshold:g}."
    )


def _cards(report: Report) -> Iterable[str]:
    overall = report.overall
    yield _card("Equal error rate", share(overall.equal_error.value), interval(overall.equal_error), "")
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
    yield _card(
        "Failure to acquire", share(refused / report.recordings), f"{refused:,} of {report.recordings:,} recordings", ""
    )


def _card(name: str, value: str, below: str, meaning: str) -> str:
    note = f"<small>{escape(meaning)}</small>" if meaning else ""
    return f"<div class='card'><h3>{escape(name)}</h3><b>{value}</b><span>{escape(below)}</span>{note}</div>"


def _threshold_row(report: Report, one: AtThreshold) -> str:
    advice = report.recommended
    named = (
        (report.in_force.threshold, "in force"),
        (advice.plain.at.threshold, _NAMES[advice.plain.standing]),
        (advice.cautious.at.threshold, "cautious"),
    )
    mark = ", ".join(name for threshold, name in named if threshold == one.threshold)
    rates = [cell for rate in (one.false_match, one.false_non_match) for cell in (share(rate.value), interval(rate))]
    return _row((f"{one.threshold:g}", *rates, mark), "marked" if mark else "")


def _part_row(part: Part) -> str:
    counts = (str(part.speakers), f"{part.compared_strangers:,}", f"{part.compared_same:,}")
    rates = (estimate(part.false_match), estimate(part.false_non_match))
    return _row((name(part), *counts, *rates, part.standing), _CLASSES[part.standing])


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
    found = report.site
    if found is None:
        return f"<p>{escape(report.no_calibration_because)}</p>"
    return (
        f"<p><b>{escape(about_site(found, ''))}</b></p>"
        "<p>Fitted on these recordings so that score 0.5 is the wanted false-match rate at every length; written to "
        f"<code>calibration.json</code>. <code>python dev.py model {escape(report.model_id)} --calibration "
        "calibration.json</code> makes it the service's own. Below are its rates on speakers outside the fit: each "
        "half measured with the other's line.</p><table><tr><th>test</th><th>recordings<br>enrolled</th>"
        "<th>false match</th><th>95 %</th><th>false non-match</th><th>95 %</th></tr>"
        + "".join(_site_row(one) for one in found.calibration.measured)
        + "</table>"
    )


def _site_row(one: MeasuredRates) -> str:
    match = (share(one.false_match), f"{share(one.false_match_low)} to {share(one.false_match_high)}")
    miss = (share(one.false_non_match), f"{share(one.false_non_match_low)} to {share(one.false_non_match_high)}")
    return _row((one.test, str(one.enrolments), *match, *miss))


def _row(cells: Sequence[str], kind: str = "") -> str:
    return f"<tr class='{kind}'>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _score(score: float) -> str:
    return f"{score:.3f}" if 0.0005 <= score <= 0.9995 else f"{score:.1e}" if score < 0.5 else "> 0.999"
