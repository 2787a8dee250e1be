"""``python -m tests.unit.inference.golden.make_segmentation``: write ``segmentation.npz``.

What the network that is checked against torch's own answer (``tests/unit/inference/test_segmentation.py``) says of two
synthetic voices in turns and at once: another build of the graph, or of ONNX Runtime, must say the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import soundfile

from shared.domain.heard_speech import WINDOW
from shared.domain.recording import Samples
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork

GOLDEN = Path(__file__).with_name("segmentation.npz")
SPEECH = Path(__file__).parents[3] / "speech"


def two_voices() -> Samples:
    """Ten seconds: a man, a woman from 4 s on, and from 7 s on both."""
    text = "please-tell-me-which-train-goes-to-the-harbour-this-evening-and-whether-i-should"
    man, woman = (soundfile.read(SPEECH / f"{voice}-1.00-{text}.flac", dtype="float32")[0] for voice in ("rms", "slt"))
    samples = np.zeros(WINDOW, np.float32)
    for take, start, end in ((man, 0, 48_000), (woman, 64_000, WINDOW), (man, 112_000, WINDOW)):
        part = take[: end - start]
        samples[start : start + len(part)] += part
    return samples


def main() -> int:
    network = OnnxNetwork(read_catalogue().segmentation)
    log_probabilities = network.run(["log_probabilities"], {"samples": two_voices()[None, None]})[0][0]
    np.savez_compressed(GOLDEN, allow_pickle=False, log_probabilities=log_probabilities.astype(np.float16))
    print(log_probabilities.argmax(axis=1).tolist())
    return 0


if __name__ == "__main__":
    sys.exit(main())
