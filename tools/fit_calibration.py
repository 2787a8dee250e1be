"""``python -m tools.fit_calibration``: fit a model's scores on the development speech, and measure them.

The measured rates are those of speakers that the line was not fitted on: it is fitted on each half of the speakers and
measured on the other. What goes into the catalogue is then fitted on all.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from shared.audio.voice_activity import VoiceActivity
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.inference.embedder import speaker_model
from shared.inference.model_card import CATALOGUE_FILE, Calibration, MeasuredRates, read_catalogue
from shared.inference.session import OnnxNetwork
from tools.calibration.fit import fitted
from tools.calibration.progress import progress
from tools.calibration.site import calibration, held_out
from tools.calibration.trials import GROUP, GROUPS, Voice, trials, voice

RATE: Final = 0.01
"""The stated operating point: strangers taken for the speaker at score 0.5."""
LENGTHS: Final = ("full", "4 s", "2 s", "1 s")


def main() -> int:
    options = _parser().parse_args()
    voices = _voices(options.model, options.manifest, options.source)
    every = trials(voices)
    rates = held_out(every, range(len(voices)), RATE, (1, GROUP, 2 * GROUP), LENGTHS)
    for rate in rates:
        print(_sentence(rate))
    about = f"{options.source} of the development speech; tests of 1 to about 12 s, enrolments of 1, 3 and 6 recordings"
    _write(options.model, calibration(fitted(every, RATE), RATE, about, every, rates))
    return 0


def _voices(model_id: str, manifest: Path, source: str) -> list[Voice]:
    catalogue = read_catalogue()
    detector = VoiceActivity(OnnxNetwork(CATALOGUE_FILE.parent / catalogue.voice_activity.file.name))
    model = speaker_model(catalogue.speaker(model_id))
    speakers: dict[str, list[Path]] = {}
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["source"] == source:
                speakers.setdefault(row["speaker"], []).append(manifest.parent / row["path"])
    enough = {name: paths for name, paths in speakers.items() if len(paths) >= GROUP * GROUPS}
    voices = []
    for paths in progress(list(enough.values()), "speakers"):
        recordings = [_spoken(path, detector) for path in paths[: GROUP * GROUPS]]
        voices.append(voice(recordings, model.embed_samples))
    return voices


def _spoken(path: Path, detector: VoiceActivity) -> Samples:
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE:
        raise ValueError(f"{path.name} has {rate} Hz, expected {SAMPLE_RATE}.")
    return np.asarray(samples[detector.speech_mask(samples)], np.float32)


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
    parser.add_argument("--model", default="ge2e-1", help="id of a model in the catalogue")
    parser.add_argument("--manifest", type=Path, default=speech, help="columns path, speaker, source; 16 kHz files")
    parser.add_argument("--source", default="speechocean762", help="the rows of the manifest to fit on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
