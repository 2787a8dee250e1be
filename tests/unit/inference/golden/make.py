"""Writes ``reference.npz`` with Resemblyzer's own code under torch and librosa, none of ours.

The signals are repeated up to the end of their last window before: what Resemblyzer would fill with silence, ours fills
so (``shared/inference/mel_windows.py`` says why), and then both see the same.

In an environment of its own, from the top of the repository:

    pip install torch==2.13.0 librosa==0.11.0 && pip install --no-deps Resemblyzer==0.1.4
    python -m tests.unit.inference.golden.make
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np

from tests.unit.inference.golden.signals import FILLED_SAMPLES, FRAME_STEP, SECONDS, voice

# Resemblyzer imports these for trimming silence, which is not under test here.
sys.modules["webrtcvad"] = ModuleType("webrtcvad")
sys.modules["scipy.ndimage.morphology"] = ModuleType("scipy.ndimage.morphology")
sys.modules["scipy.ndimage.morphology"].__dict__["binary_dilation"] = None

from resemblyzer import VoiceEncoder, audio  # noqa: E402


def main() -> None:
    encoder = VoiceEncoder("cpu", verbose=False)
    reference = {}
    for name, seconds in SECONDS.items():
        reference[f"mel {name}"] = audio.wav_to_mel_spectrogram(voice(seconds))[::FRAME_STEP]
        reference[f"embedding {name}"] = encoder.embed_utterance(np.resize(voice(seconds), FILLED_SAMPLES[name]))
    np.savez_compressed(Path(__file__).with_name("reference.npz"), allow_pickle=False, **reference)


if __name__ == "__main__":
    main()
