"""``python dev.py evaluate [MANIFEST]``: measure the default model and write docs/accuracy.md and its comparison.

The manifest has the columns path, speaker and source, files of 16 kHz, and nine recordings of each speaker who is to be
enrolled. What was heard is kept in build/evaluate, so a second run takes a minute.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from tools.calibration.hearing import open_pipeline
from tools.calibration.kept import KEPT, KeptHearings
from tools.evaluate_second_voices import write as write_second_voices
from tools.evaluate_turns import write as write_turns
from tools.evaluation.ears import Ear, our_ear
from tools.evaluation.page import Findings, networks_page, page
from tools.evaluation.peer_environment import PeerMissing
from tools.evaluation.pieces import data_sets
from tools.evaluation.study import Study
from tools.meetings.page import written
from tools.second_voices.page import written as second_voices

MODEL: Final = "campplus-channels-1"
OURS: Final = "Timbre"
OTHERS: Final = {"CAM++ as published": "campplus-zh-en-1", "GE2E": "ge2e-1"}
"""Networks of the catalogue that are measured beside it, by the names of their columns."""
ROOT: Final = Path(__file__).resolve().parents[1]
SPEECH: Final = ROOT.parent / "shared" / "speech" / "manifest.csv"
DOCS: Final = ROOT / "docs"
BUILD: Final = ROOT / "build" / "evaluate"
CANNOT: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if not options.manifest.is_file():
        print(
            f"There is no manifest {options.manifest}: name one with the columns path, speaker, source.",
            file=sys.stderr,
        )
        return CANNOT
    kept = KeptHearings(KEPT)
    try:
        if options.turns:
            write_turns(options.manifest, DOCS)
            return 0
        if options.second_voices:
            write_second_voices(options.manifest, DOCS)
            return 0
        others = {name: our_ear(open_pipeline(_built(model_id)), kept) for name, model_id in OTHERS.items()}
        found = evaluate(options.manifest, kept, others)
    except (PeerMissing, ValueError) as problem:
        print(problem, file=sys.stderr)
        return CANNOT
    out = options.out or (DOCS if options.manifest.resolve() == SPEECH.resolve() else BUILD)
    shipped = DOCS / "accuracy.md"
    sections = (written(shipped), second_voices(shipped.read_text(encoding="utf-8"))) if out == DOCS else ()
    for name, text in (("accuracy.md", page(found, *sections)), ("internals/networks.md", networks_page(found))):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, encoding="utf-8")
        print(f"Written: {out / name}")
    return 0


def evaluate(manifest: Path, kept: KeptHearings, others: Mapping[str, Ear]) -> Findings:
    """Raises ``ValueError`` when no source has enough speakers."""
    pipeline = open_pipeline(MODEL)
    sets = data_sets(manifest, pipeline.listener)
    if not sets:
        raise ValueError(f"{manifest.name} has no source with five speakers of nine recordings each.")
    calibration = pipeline.card.calibration
    if calibration is None:
        raise ValueError(f"{MODEL} has no calibration: fit one first.")
    study = Study(sets, calibration, OURS, our_ear(pipeline, kept), others)
    return Findings(
        date=datetime.now(UTC).date().isoformat(),
        model_id=pipeline.model.model_id,
        model_date=pipeline.model.version,
        manifest="/".join(manifest.parts[-3:]),
        systems=(OURS, *OTHERS),
        sets=tuple(sets),
        clean=tuple(study.clean(data) for data in sets),
        channels=tuple(study.channels()),
        channels_of=study.main.name,
        groups=tuple(study.groups()),
        alike=study.alike(),
        bands=tuple(study.bands()),
        named=tuple(study.identification()),
        long_lists=tuple(study.long_lists()),
    )


def _built(model_id: str) -> str:
    """Raises ``ValueError`` where its file is not there."""
    file = read_catalogue().speaker(model_id).file
    if not (CATALOGUE_FILE.parent / file.name).is_file():
        raise ValueError(f"{model_id} is measured too and is not built: python dev.py model {model_id}")
    return model_id


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python dev.py evaluate", description=__doc__)
    parser.add_argument("manifest", type=Path, nargs="?", default=SPEECH, help=f"default: {SPEECH}")
    parser.add_argument("--out", type=Path, help="folder of the pages (docs for the development speech)")
    parser.add_argument("--turns", action="store_true", help="who spoke when instead: its section and its tables")
    parser.add_argument("--second-voices", action="store_true", help="two voices in one enrollment instead")
    return parser


if __name__ == "__main__":
    sys.exit(main())
