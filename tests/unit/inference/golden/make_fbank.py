"""Writes ``fbank.npz`` with the kaldi-native-fbank package, none of our code.

In an environment of its own, from the top of the repository:

    pip install numpy kaldi-native-fbank==1.23.0
    python -m tests.unit.inference.golden.make_fbank
"""

from __future__ import annotations

from pathlib import Path

import kaldi_native_fbank
import numpy as np

from tests.unit.inference.golden.signals import FRAME_STEP, voice

SCALES = {"hamming": 32768.0, "povey": 1.0}


def main() -> None:
    reference = {f"{window} {scale:.0f}": features(window, scale) for window, scale in SCALES.items()}
    np.savez_compressed(Path(__file__).with_name("fbank.npz"), allow_pickle=False, **reference)


def features(window: str, scale: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = window
    options.mel_opts.num_bins = 80
    computer = kaldi_native_fbank.OnlineFbank(options)
    computer.accept_waveform(16_000, (voice(4.0) * np.float32(scale)).tolist())
    computer.input_finished()
    frames = [computer.get_frame(index) for index in range(computer.num_frames_ready)]
    return np.stack(frames)[::FRAME_STEP]


if __name__ == "__main__":
    main()
