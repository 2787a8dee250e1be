"""A report as a JSON file, so that a part can be repeated beside the others' figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.performance.reporting.found import Bars, Curve, Found, Table
from tests.performance.reporting.report import Report, Section
from tests.performance.reporting.targets import TARGETS, Measure


def write(report: Report, file: Path) -> None:
    file.write_text(json.dumps(as_json(report), indent=1) + "\n", encoding="utf-8")


def read(file: Path) -> Report | None:
    """``None`` when there is none, or none that this version understands."""
    try:
        return _report(json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def as_json(report: Report) -> Mapping[str, object]:
    sections = [
        {
            **asdict(section),
            "taken_at": section.taken_at.isoformat(),
            "found": {
                **asdict(section.found),
                "measures": [
                    {"target": one.target.what, "figure": one.figure, "remark": one.remark}
                    for one in section.found.measures
                ],
            },
        }
        for section in report.sections
    ]
    return {"machine": report.machine, "source": report.source, "quick": report.quick, "sections": sections}


def _report(said: Mapping[str, Any]) -> Report:
    sections = [
        Section(
            **{
                **one,
                "taken_at": datetime.fromisoformat(one["taken_at"]),
                "load": tuple(one["load"]),
                "found": _found(one["found"]),
            }
        )
        for one in said["sections"]
    ]
    return Report(said["machine"], said["source"], said["quick"], sections)


def _found(said: Mapping[str, Any]) -> Found:
    targets = {one.what: one for one in TARGETS}
    return Found(
        tables=[Table(**one) for one in said["tables"]],
        curves=[Curve(**{**one, "points": [(x, y) for x, y in one["points"]]}) for one in said["curves"]],
        bars=[Bars(**{**one, "values": [(name, value) for name, value in one["values"]]}) for one in said["bars"]],
        measures=[
            Measure(targets[one["target"]], one["figure"], one["remark"])
            for one in said["measures"]
            if one["target"] in targets
        ],
    )
