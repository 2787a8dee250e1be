"""A report on paper, and one that comes back from its file."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.performance.bench import beside, with_section
from tests.performance.reporting import kept
from tests.performance.reporting.found import Bars, Curve, Found, Table
from tests.performance.reporting.plot import draw
from tests.performance.reporting.report import Report, Section, markdown, section_text
from tests.performance.reporting.targets import SLOPE, Measure

AT = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
TABLE = Table("Memory", ["when", "MB"], [["at first", 79.5], ["later", None], ["a | b", 3]], "MB of 10**6 bytes")
CURVE = Curve("Soak", "requests", "MB", "resident", [(1.0, 80.0), (2.0, 81.0)], log_x=True, limit=100.0)
BARS = Bars("Ratios", "ratio", [("verify", 1.2), ("identify", 1.9)], limit=1.5)
SOAK = Section("soak", "Soak", AT, 61.0, (0.5, None), Found([TABLE], [CURVE], [BARS], [Measure(SLOPE, 1.5, "a line")]))
COLD = Section("cold_start", "Cold start", AT, 5.0, (0.5, 0.6), Found([TABLE]))
REPORT = Report("2 cores", "synthesised speech", False, [SOAK])


def test_a_section_says_when_and_under_what_load() -> None:
    lines = section_text(SOAK).splitlines()
    assert lines[:2] == ["== Soak ==", "(2026-11-22 12:30 UTC, 61 s, load 0.5 before and ? at the end)"]
    assert lines[-1] == "(MB of 10**6 bytes)"


def test_markdown_has_the_targets_the_picture_and_every_table() -> None:
    lines = markdown(REPORT, "bench.svg").splitlines()
    slope = f"| {SLOPE.what} | less than 1.00 MB | 1.50 MB | missed by 50 % | a line |"
    assert slope in lines
    assert "![The same as curves and bars](bench.svg)" in lines
    found = lines.index("| when | MB |")
    assert lines[found + 1 : found + 5] == ["| --- | ---: |", "| at first | 79.5 |", "| later | - |", "| a \\| b | 3 |"]


def test_a_quick_run_says_that_its_figures_mean_nothing() -> None:
    assert "figures mean nothing" in markdown(replace(REPORT, quick=True), "bench.svg")
    assert "figures mean nothing" not in markdown(REPORT, "bench.svg")


def test_a_report_comes_back_from_its_file(tmp_path: Path) -> None:
    kept.write(REPORT, tmp_path / "bench.json")
    assert kept.read(tmp_path / "bench.json") == REPORT


def test_a_file_that_is_no_report_is_none(tmp_path: Path) -> None:
    assert kept.read(tmp_path / "absent.json") is None
    for text in ("{", "{}", '{"machine": "m", "source": "s", "quick": false, "sections": [{"part": "soak"}]}'):
        (tmp_path / "bench.json").write_text(text)
        assert kept.read(tmp_path / "bench.json") is None


def test_a_repeated_part_takes_the_place_of_its_earlier_section() -> None:
    again = replace(SOAK, seconds=70.0)
    report = with_section(with_section(REPORT, COLD), again)
    assert list(report.sections) == [COLD, again]


def test_figures_of_another_machine_are_not_mixed_in() -> None:
    empty = replace(REPORT, sections=[])
    assert beside(empty, REPORT) == REPORT
    assert beside(empty, replace(REPORT, machine="64 cores")) == empty
    assert beside(empty, None) == empty


def test_the_same_figures_draw_the_same_picture(tmp_path: Path) -> None:
    drawn = []
    for _ in range(2):
        draw(REPORT, tmp_path / "bench.svg")
        drawn.append((tmp_path / "bench.svg").read_text(encoding="utf-8"))
    assert drawn[0] == drawn[1]
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", drawn[0])
    assert {"Soak", "Ratios", "verify", "target 100"} <= set(texts)
