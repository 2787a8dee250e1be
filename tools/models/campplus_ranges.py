"""``python -m tools.models.campplus_ranges``: measure what speech makes of CAM++'s values, for its graph of 8 bits.

Writes ``campplus-channels-ranges.npz``: for each tensor that ``campplus_grids`` counts in whole numbers, the lowest,
the highest and the mean value of each channel; for what a rectifier gives to the convolution behind it, the mean.
Recordings of the development speech through several channels are heard by the graph of floats. After a change of the
weights, run it again, then build the model.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import soundfile
import soxr
from onnx import TensorProto, helper

from shared.audio.voice_activity import VoiceActivity
from shared.domain.recording import SAMPLE_RATE, Samples
from shared.inference.fbank import segments
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from tools.calibration.progress import progress
from tools.evaluation import degradations
from tools.models.campplus_grids import RANGES_FILE, RECTIFIED
from tools.models.campplus_onnx import INPUT, campplus_onnx
from tools.models.campplus_weights import ARRAYS_FILE, Array, campplus, read_arrays

MODEL: Final = "campplus-channels-1"
SECONDS: Final = 4
EACH: Final = 12
"""Recordings through each channel, drawn anew for each."""
CHANNELS: Final = (
    degradations.clean, degradations.mu_law, degradations.gsm, degradations.opus, degradations.white_noise(20.0),
    degradations.white_noise(10.0), degradations.reverberation(0.4), degradations.reverberation(0.8),
)  # fmt: skip

_MEASURED: Final = re.compile(
    r"front|behind|frames|residual\d(_first|_second|_short)?"
    r"|block\d_(end|\d+_(hidden|local|added|mask)|(\d+|transit)_(raised|lowered))"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.models.campplus_ranges", description=__doc__)
    speech = Path(__file__).resolve().parents[3] / "shared" / "speech" / "manifest.csv"
    parser.add_argument("--manifest", type=Path, default=speech, help="columns path, speaker, source; 16 kHz files")
    parser.add_argument("--source", default="speechocean762", help="the rows of the manifest to measure on")
    options = parser.parse_args()
    ranges = measured(list(_recordings(options.manifest, options.source)))
    np.savez(RANGES_FILE, allow_pickle=False, **ranges)
    print(f"{RANGES_FILE.name}: {len(ranges)} tensors. Build the model: python dev.py model {MODEL}")
    return 0


def measured(recordings: list[Samples]) -> dict[str, Array]:
    """Lowest, highest and mean of each channel, [3, channels], by the name of the tensor, or the mean alone,
    [1, channels]; recordings are [n] at 16 kHz."""
    rules = read_catalogue().speaker(MODEL).fbank
    assert rules is not None
    session, names = _opened()
    seen: dict[str, list[Array]] = {}
    for samples in progress(recordings, "recordings"):
        (features,) = segments(np.resize(samples, SECONDS * SAMPLE_RATE), rules)
        values = dict(zip(names, session.run(names, {INPUT: features[None]}), strict=True))
        for name, tensor in (values | {INPUT: features.T[None]}).items():
            channels = tensor[0].reshape(tensor.shape[1], -1)
            statistics = channels.min(axis=1), channels.max(axis=1), channels.mean(axis=1)
            seen.setdefault(name, []).append(np.stack(statistics))
    return {name: _over_all(np.stack(of_all), name) for name, of_all in seen.items()}


def _over_all(statistics: Array, name: str) -> Array:
    """From [recordings, 3, channels]."""
    lowest, highest, mean = statistics.swapaxes(0, 1)
    rows = [mean.mean(axis=0)]
    if not name.endswith(RECTIFIED):
        rows = [lowest.min(axis=0), highest.max(axis=0), *rows]
    return np.stack(rows).astype(np.float32)


def _opened() -> tuple[Any, list[str]]:
    """The graph of floats with every measured tensor as an output."""
    model = onnx.load_from_string(campplus_onnx(campplus(read_arrays(ARRAYS_FILE.read_bytes()))))
    names = [name for node in model.graph.node for name in node.output if _MEASURED.fullmatch(name)]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]), names


def _recordings(manifest: Path, source: str) -> Iterator[Samples]:
    with manifest.open(encoding="utf-8", newline="") as file:
        paths = [manifest.parent / row["path"] for row in csv.DictReader(file) if row["source"] == source]
    activity = read_catalogue().voice_activity
    detector = VoiceActivity(OnnxNetwork(activity))
    random = np.random.default_rng(1)
    for channel in CHANNELS:
        for index in random.choice(len(paths), EACH, replace=False):
            samples, _ = soundfile.read(paths[index], dtype="float32")
            heard, rate = soundfile.read(io.BytesIO(channel(samples, random)), dtype="float32")
            heard = np.asarray(soxr.resample(heard, rate, SAMPLE_RATE, quality="HQ"), np.float32)
            spoken = detector.speech_mask(heard)
            yield heard[spoken] if spoken.any() else heard


if __name__ == "__main__":
    sys.exit(main())
