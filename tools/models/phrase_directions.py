"""``python -m tools.models.phrase_directions MANIFEST``: find the directions in which sounds differ and voices do not.

The manifest is a CSV with the columns ``path`` and ``text``; takes of one text by several voices, rooms and lines. The
takes of a text are laid along its first one. So each frame of that has frames of the others, which hold the same sound:
what differs among them is voice and line, what differs among all frames is sound as well. Kept are the directions with
most of the second for the first (linear discriminant analysis: Fisher 1936, Rao 1948), each the less the more of it is
voice. To begin with, frames are compared by the directions that there are: run it twice where there were none for the
network.

Writes ``phrase-frames.npz``. Then: the model, another ``model_id`` in ``models/catalogue.json``, and the figures of
docs/phrases.md anew. Those that are shipped came of 390 synthetic takes (``docs/internals/passphrases.md``).
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from shared.domain.limits import V1_VERIFICATION
from shared.inference.fbank import fbank, leveled
from shared.inference.model_card import CATALOGUE_FILE
from shared.inference.phrase_examples import DIMENSION, LEVEL_DBFS, RULES, alignment
from tools.calibration.hearing import open_pipeline
from tools.calibration.progress import progress
from tools.models.phrase_frames_onnx import phrase_frames_onnx

Array = npt.NDArray[np.float32]
CHANNELS: Final = 512
FILE: Final = Path(__file__).with_name("phrase-frames.npz")
NETWORK: Final = CATALOGUE_FILE.parent / "campplus-channels.onnx"
_RIDGE: Final = 1e-3  # of the mean spread, so that a channel that never moves is no direction


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.models.phrase_directions", description=__doc__)
    parser.add_argument("manifest", type=Path)
    manifest = parser.parse_args().manifest
    whole = phrase_frames_onnx(NETWORK.read_bytes(), np.eye(CHANNELS, dtype=np.float32))
    network = onnxruntime.InferenceSession(whole, providers=["CPUExecutionProvider"])
    listener = open_pipeline("campplus-channels-1").listener
    takes: dict[str, list[Array]] = {}
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in progress(list(csv.DictReader(file)), "takes"):
            utterance = listener.listen((manifest.parent / row["path"]).read_bytes(), None, V1_VERIFICATION)
            features = fbank(leveled(utterance.spoken, LEVEL_DBFS), RULES)
            (channels,) = network.run(None, {"features": (features - features.mean(axis=0))[None]})[0]
            takes.setdefault(row["text"], []).append(channels - channels.mean(axis=0))
    with np.load(FILE, allow_pickle=False) as before:
        same = [group for text in takes.values() for group in aligned(text, before["directions"].astype(np.float32))]
    np.savez(FILE, allow_pickle=False, directions=discriminants(same, DIMENSION).astype(np.float16))
    print(f"{FILE.name}: {DIMENSION} directions out of {len(same):,} frames. Build the model: python dev.py model")
    return 0


def aligned(takes: Sequence[Array], directions: Array) -> list[Array]:
    """What the takes of one text have in each frame of the first: for each frame [takes, channels]."""
    first, *others = takes
    found = [(other, alignment(_unit(first @ directions), _unit(other @ directions))) for other in others]
    laid = [first, *(other[way] for other, way in found if way is not None)]
    return list(np.stack(laid, axis=1)) if len(laid) > 1 else []


def discriminants(same: Sequence[Array], most: int, ridge: float = _RIDGE) -> Array:
    """[channels, most]: in the order of how much more all frames differ than those of one group, and scaled by it."""
    every = np.concatenate(same).astype(np.float64)
    inside = np.concatenate([group - group.mean(axis=0) for group in same]).astype(np.float64)
    within = inside.T @ inside / (len(every) - len(same))
    within += np.eye(len(within)) * np.trace(within) / len(within) * ridge
    spread, axes = np.linalg.eigh(within)
    white = axes / np.sqrt(spread)
    ratio, directions = np.linalg.eigh(white.T @ (every.T @ every / len(every)) @ white)
    ratio, directions = ratio[::-1][:most], directions[:, ::-1][:, :most]
    return np.asarray(white @ directions * np.sqrt(np.maximum(ratio - 1.0, 0.0) / ratio), np.float32)


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


if __name__ == "__main__":
    sys.exit(main())
