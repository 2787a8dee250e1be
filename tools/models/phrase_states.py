"""``python -m tools.models.phrase_states MANIFEST``: find the directions in which states of the encoder tell sounds.

The manifest is a CSV with the columns ``path``, ``start``, ``end`` (in seconds) and ``sound``: the phones of recordings
as any aligner lays them, recordings of many voices, rooms and lines. The first, the middle and the last third of a
phone are sounds of their own. Kept are the directions with most of what differs among all for what differs within one
(as ``phrase_directions.py`` does).

Writes ``models/phrase-states.npz``. Then: another ``STATES_ID`` in ``shared/inference/phrase_states.py``, and the
figures of docs/phrases.md anew. ``docs/internals/passphrases.md`` says what those that are shipped came of.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.limits import V1_IDENTIFICATION_ENROLL
from shared.inference.fbank import leveled
from shared.inference.model_card import read_catalogue
from shared.inference.phrase_examples import DIMENSION, LEVEL_DBFS
from shared.inference.phrase_states import DIRECTIONS, states_card
from shared.inference.transcriber import Transcriber
from tools.calibration.hearing import open_pipeline
from tools.calibration.progress import progress
from tools.models.phrase_directions import discriminants

Array = npt.NDArray[np.float32]

STEP_SECONDS: Final = 0.024
FIRST_SECONDS: Final = 0.028
"""The middle of the first state; each next one is a step later."""
_THIRDS: Final = 3
_RIDGE: Final = 1e-2
_FEWEST: Final = 6  # states of a sound, so that it says how far one spreads


@dataclass(frozen=True)
class Stretch:
    """Where a recording has a sound, in seconds."""

    start: float
    end: float
    sound: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.models.phrase_states", description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--out", type=Path, default=DIRECTIONS)
    arguments = parser.parse_args()
    listener = open_pipeline("campplus-channels-1").listener
    transcriber = Transcriber(states_card(read_catalogue()))
    heard = []
    for path, stretches in progress(list(read(arguments.manifest).items()), "recordings"):
        content = (arguments.manifest.parent / path).read_bytes()
        samples = listener.listen(content, None, V1_IDENTIFICATION_ENROLL).recording.samples
        states = transcriber.hear(leveled(samples, LEVEL_DBFS)).states[0]
        heard.append((states - states.mean(axis=0), stretches))
    np.savez(arguments.out, allow_pickle=False, directions=directions(heard).astype(np.float16))
    print(f"{arguments.out.name}: {DIMENSION} directions out of {len(heard):,} recordings")
    return 0


def read(manifest: Path) -> Mapping[str, Sequence[Stretch]]:
    """What each recording says, by its path."""
    stretches: dict[str, list[Stretch]] = defaultdict(list)
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            stretches[row["path"]].append(Stretch(float(row["start"]), float(row["end"]), row["sound"]))
    return stretches


def directions(heard: Iterable[tuple[Array, Sequence[Stretch]]]) -> Array:
    """[width, ``DIMENSION``] of states [frames, width] of recordings, and of what each of them says."""
    sounds: dict[tuple[str, int], list[Array]] = defaultdict(list)
    for states, stretches in heard:
        moments = FIRST_SECONDS + STEP_SECONDS * np.arange(len(states))
        for stretch in stretches:
            for at in np.flatnonzero((moments >= stretch.start) & (moments < stretch.end)):
                passed = (moments[at] - stretch.start) / (stretch.end - stretch.start)
                sounds[stretch.sound, int(passed * _THIRDS)].append(states[at])
    same = [np.array(group) for group in sounds.values() if len(group) >= _FEWEST]
    mean = np.concatenate(same).mean(axis=0)
    return discriminants([group - mean for group in same], DIMENSION, _RIDGE)


if __name__ == "__main__":
    sys.exit(main())
