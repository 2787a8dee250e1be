"""Writes ``activity.npz``: the probabilities of Silero's own network, as it lies in the pinned wheel, none of our code.

Each recording goes through in one run, with the network's own framing. From the top of the repository:

    python -m tests.unit.inference.golden.make_activity
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from shared.inference.model_card import read_catalogue
from tests.unit.inference.golden.activity_signals import FRAME, Signal, signals
from tools.models.sources import WheelSource
from tools.models.wheel import member_of_wheel

CONTEXT = 64


def main() -> None:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    network = member_of_wheel(WheelSource(**read_catalogue().voice_activity.source))
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    reference = {name: probabilities(session, signal) for name, signal in signals().items()}
    np.savez_compressed(Path(__file__).with_name("activity.npz"), allow_pickle=False, **reference)


def probabilities(session: onnxruntime.InferenceSession, signal: Signal) -> Signal:
    padded = np.concatenate([np.zeros(CONTEXT), signal, np.zeros(-len(signal) % FRAME)]).astype(np.float32)
    frames = [padded[start : start + CONTEXT + FRAME] for start in range(0, len(padded) - CONTEXT, FRAME)]
    state = np.zeros((1, 1, 128), np.float32)
    (found,) = session.run(["speech_probs"], {"input": np.stack(frames), "h": state, "c": state})
    return np.asarray(found, np.float32)


if __name__ == "__main__":
    main()
