"""``python -m tools.fit_calibration --model ID``: fit a model's scores on the development speech, and measure them.

Enrolments are recordings as they are, tests the same voices through every channel of the accuracy page. The measured
rates are those of speakers that the line was not fitted on: it is fitted on each half of the speakers and measured on
the other. What goes into the catalogue is then fitted on all. What was heard is kept for ``dev.py evaluate``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.domain.calibration import Calibration, MeasuredRates
from shared.inference.model_card import CATALOGUE_FILE
from tools.calibration.fit import fitted
from tools.calibration.hearing import open_pipeline
from tools.calibration.kept import KEPT, KeptHearings
from tools.calibration.site import Halves, calibration, halves, held_out
from tools.calibration.trials import GROUP
from tools.evaluation.channels import CLEAN, LENGTHS, augmented, conditions, crowd_of, through
from tools.evaluation.ears import our_ear
from tools.evaluation.pieces import data_sets
from tools.evaluation.verification import Compared

RATE: Final = 0.01
"""The stated operating point: strangers taken for the speaker at score 0.5."""


def main() -> int:
    options = _parser().parse_args()
    pipeline = open_pipeline(options.model)
    sets = data_sets(options.manifest, pipeline.listener)
    (data,) = (one for one in sets if one.name == options.source)
    channels = conditions(crowd_of(sets, data))
    measured = through(data, our_ear(pipeline, KeptHearings(options.kept)), channels)
    every = augmented(measured)
    rates = _rates(measured, halves(every, range(len(data.speakers)), RATE))
    for rate in rates:
        print(_sentence(rate))
    about = (
        f"{options.source} of the development speech through {len(channels)} channels; tests of 1 to about 20 s, "
        "enrolments of 1, 3 and 6 recordings"
    )
    _write(options.model, calibration(fitted(every, RATE), RATE, about, every, rates))
    return 0


def _rates(measured: Mapping[str, Compared], parts: Halves) -> list[MeasuredRates]:
    """Tests as they are by length and number of enrolments; by each channel, one of 4 s behind three enrolments."""
    clean = held_out(measured[CLEAN.name].trials, parts, (1, GROUP, 2 * GROUP), LENGTHS)
    changed = [
        dataclasses.replace(rate, test=f"{rate.test}, {name}")
        for name, one in measured.items()
        if name != CLEAN.name
        for rate in held_out(one.trials, parts, (GROUP,), ("4 s",))
    ]
    return [*clean, *changed]


def _sentence(rate: MeasuredRates) -> str:
    return (
        f"{rate.enrolments} enrolled, test {rate.test:>4}: false match {rate.false_match:.2%} "
        f"({rate.false_match_low:.2%} to {rate.false_match_high:.2%}, {rate.strangers:,} comparisons), "
        f"false non-match {rate.false_non_match:.1%} ({rate.false_non_match_low:.1%} to "
        f"{rate.false_non_match_high:.1%}, {rate.same:,}), equal error {rate.equal_error:.2%}"
    )


def _write(model_id: str, fitted_calibration: Calibration) -> None:
    content = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    (entry,) = (entry for entry in content["speaker_models"] if entry["model_id"] == model_id)
    entry["calibration"] = dataclasses.asdict(fitted_calibration)
    CATALOGUE_FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.fit_calibration", description=__doc__)
    speech = Path(__file__).resolve().parents[2] / "shared" / "speech" / "manifest.csv"
    parser.add_argument("--model", default="campplus-channels-1", help="id of a model in the catalogue")
    parser.add_argument("--manifest", type=Path, default=speech, help="columns path, speaker, source; 16 kHz files")
    parser.add_argument("--source", default="speechocean762", help="the first word of the sources to fit on")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where what was heard is kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
