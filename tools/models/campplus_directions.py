"""``python -m tools.models.campplus_directions``: find what a channel adds to the direction of a voice.

A telephone line, a codec, noise or a room moves every voice much the same way. Two strangers by the same line are then
more alike than by none, and one speaker by two lines less. So the embeddings of recordings through each channel of the
accuracy page are held against those of the same recordings as they are, and the few directions in which most of the
differences lie are left out of every embedding: nuisance attribute projection (Solomonoff, Campbell and Boardman,
ICASSP 2005). They are folded into the weights of the last product (``campplus_int8``) and cost nothing at run time.
``docs/decisions/network.md`` has what they bring to speakers that they were not found on.

Writes ``campplus-channels-directions.npz``. After a change of the weights: ``campplus_ranges``, this, the model, the
calibration.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from shared.inference.speaker_model import speaker_model
from tools.calibration.hearing import Pipeline, open_pipeline
from tools.calibration.kept import KEPT, KeptHearings
from tools.calibration.progress import progress
from tools.evaluation.channels import conditions, crowd_of
from tools.evaluation.degradations import Condition
from tools.evaluation.ears import Ear, our_ear
from tools.evaluation.pieces import DataSet, data_sets
from tools.evaluation.verification import heard_as
from tools.models.campplus_grids import Numbers
from tools.models.campplus_int8 import DIRECTIONS_FILE, campplus_int8
from tools.models.campplus_weights import ARRAYS_FILE, DIMENSION, Array, campplus, read_arrays

MODEL: Final = "campplus-channels-1"
DIRECTIONS: Final = 12
"""Fewer leave more of a channel; many more would begin to cost what tells voices apart."""
LENGTH: Final = "4 s"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.models.campplus_directions", description=__doc__)
    speech = Path(__file__).resolve().parents[3] / "shared" / "speech" / "manifest.csv"
    parser.add_argument("--manifest", type=Path, default=speech, help="columns path, speaker, source; 16 kHz files")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where what was heard is kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pipeline = _with_all_directions(open_pipeline(MODEL), Path(folder))
        sets = data_sets(options.manifest, pipeline.listener)
        channels = conditions(crowd_of(sets, sets[0]))
        ear = our_ear(pipeline, KeptHearings(options.kept))
        differences = [np.stack(list(_differences(data, ear, channels))) for data in sets]
    np.savez(DIRECTIONS_FILE, allow_pickle=False, directions=leading(differences, DIRECTIONS))
    pairs = ", ".join(f"{len(group):,} pairs of {data.name}" for group, data in zip(differences, sets, strict=True))
    print(
        f"{DIRECTIONS_FILE.name}: {DIRECTIONS} directions out of {pairs}. Build the model: python dev.py model {MODEL}"
    )
    return 0


def leading(differences: Sequence[Numbers], most: int) -> Array:
    """The directions [most, d] in which the differences are largest; each group of them [n, d] counts alike."""
    spread = np.sum([group.T @ group / len(group) for group in differences], axis=0)
    return np.asarray(np.linalg.eigh(spread)[1][:, ::-1][:, :most].T, np.float32)


def _with_all_directions(served: Pipeline, folder: Path) -> Pipeline:
    """The service's pipeline with a network that leaves none out."""
    whole = np.zeros((0, DIMENSION), np.float32)
    network = campplus_int8(campplus(read_arrays(ARRAYS_FILE.read_bytes())), directions=whole)
    (folder / served.card.file.name).write_bytes(network)
    code = served.fingerprint.partition("-")[2]
    fingerprint = f"{hashlib.sha256(network).hexdigest()[:16]}-{code}"
    card = replace(served.card, file=replace(served.card.file, sha256=hashlib.sha256(network).hexdigest()))
    return replace(served, model=speaker_model(card, folder), fingerprint=fingerprint)


def _differences(data: DataSet, ear: Ear, channels: Sequence[Condition]) -> Iterator[Numbers]:
    """[192] for the first test of each group of each speaker; the first channel must be the one without change."""
    for speaker in progress(data.speakers, f"channels of {data.name}"):
        for piece in speaker.tests:
            if piece.length != LENGTH or piece.number:
                continue
            unchanged, *changed = (heard_as(ear, channel, speaker, piece).embedding for channel in channels)
            if unchanged is not None:
                yield from (np.asarray(one - unchanged, np.float64) for one in changed if one is not None)


if __name__ == "__main__":
    sys.exit(main())
