"""Recognition must not get worse unnoticed: a small part of docs/accuracy.md, measured anew, within bounds.

The bounds are no claims. They were set on 2026-11-30 from this very measurement, which stands beside them, with room
for a handful of comparisons going the other way, so that another decoder or ONNX Runtime passes. These speakers were
part of the calibration's fit; the page says what holds for others.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from shared.config import MODEL
from shared.domain.calibration import Calibration
from tools.calibration.curves import Scored, curves
from tools.calibration.fit import line_of
from tools.calibration.hearing import Pipeline, open_pipeline
from tools.calibration.kept import KeptHearings
from tools.evaluation.channels import CLEAN, conditions
from tools.evaluation.ears import our_ear
from tools.evaluation.pieces import DataSet, data_sets
from tools.evaluation.verification import compared

pytestmark = pytest.mark.speech

SPEAKERS = 20
BOUNDS = {
    "clean": (0.020, 0.025, 0.025),  # measured 0.0072, 0.0123, 0.0000
    "8 kHz": (0.022, 0.025, 0.025),  # measured 0.0100, 0.0152, 0.0000
    "G.711 mu-law": (0.022, 0.025, 0.050),  # measured 0.0090, 0.0102, 0.0083
    "GSM full rate": (0.025, 0.025, 0.090),  # measured 0.0100, 0.0102, 0.0417
    "white noise, 10 dB": (0.030, 0.025, 0.060),  # measured 0.0156, 0.0143, 0.0167
    "room, 0.8 s": (0.020, 0.025, 0.025),  # measured 0.0084, 0.0140, 0.0000
}
"""Equal errors, strangers passed and own voices refused at 0.5, at most."""


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return open_pipeline(MODEL.default or "")


@pytest.fixture(scope="module")
def data(speech: Path, pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Every second of the forty speakers of speechocean762, nine recordings each."""
    with (speech / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["source"] == "speechocean762"]
    chosen = list(dict.fromkeys(row["speaker"] for row in rows))[: 2 * SPEAKERS : 2]
    manifest = tmp_path_factory.mktemp("gate") / "manifest.csv"
    with manifest.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["path", "speaker", "source"])
        for row in rows:
            if row["speaker"] in chosen:
                writer.writerow([speech / row["path"], row["speaker"], row["source"]])
    (data,) = data_sets(manifest, pipeline.listener)
    assert len(data.speakers) == SPEAKERS
    return data


@pytest.fixture(scope="module")
def scored(data: DataSet, pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scored]:
    """Comparisons of three recordings enrolled with one test, by the kind of test."""
    ear = our_ear(pipeline, KeptHearings(tmp_path_factory.mktemp("heard")))
    calibration = pipeline.card.calibration
    assert isinstance(calibration, Calibration)
    clean = compared(data, ear, CLEAN, CLEAN, ("4 s",), True, CLEAN.name)
    found = {}
    for condition in conditions([]):
        if condition.name in BOUNDS:
            made = clean if condition == CLEAN else compared(data, ear, condition, clean.voices, ("4 s",), True, "")
            trials = made.trials.of(3, "4 s")
            found[condition.name] = Scored(line_of(calibration).logit(trials), trials.enrolled, trials.tested)
    return found


@pytest.mark.parametrize("channel", BOUNDS)
def test_errors_stay_within_their_bounds(scored: dict[str, Scored], channel: str) -> None:
    drawn = curves(scored[channel], np.array([0.0]), resamplings=20)
    passed, missed = drawn.at(0.0)
    measured = {"equal error": drawn.equal_error.value, "false match": passed.value, "false non-match": missed.value}
    bounds = dict(zip(measured, BOUNDS[channel], strict=True))
    assert {name: (value, bounds[name]) for name, value in measured.items() if value > bounds[name]} == {}


def test_the_gate_would_notice_a_score_that_says_nothing(scored: dict[str, Scored]) -> None:
    """The same comparisons with their scores mixed up are far outside the bounds."""
    clean = scored[CLEAN.name]
    mixed = Scored(np.random.default_rng(0).permutation(clean.logit), clean.enrolled, clean.tested)
    assert curves(mixed, np.array([0.0]), resamplings=20).equal_error.value > 0.3
