"""Plain Resemblyzer behind a pipe. Runs in its own environment (.venv-peer): torch and librosa never meet the service.

Reads from stdin: a little-endian int32 sample rate and int32 count, then so many float32 samples. Answers on stdout
with 256 float32 of the embedding, all zero where Resemblyzer hears no speech. Its own resampling, level, silence
trimming (webrtcvad) and windows are used as its README uses them.
"""

from __future__ import annotations

import struct
import sys
import warnings

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from resemblyzer import VoiceEncoder, preprocess_wav  # noqa: E402

DIMENSION = 256


def main() -> None:
    torch.set_num_threads(1)  # four times less work in all: threads wait for each other longer than they compute
    encoder = VoiceEncoder("cpu", verbose=False)
    while header := sys.stdin.buffer.read(8):
        rate, count = struct.unpack("<ii", header)
        samples = np.frombuffer(sys.stdin.buffer.read(4 * count), "<f4")
        prepared = preprocess_wav(samples, source_sr=rate)
        embedding = encoder.embed_utterance(prepared) if len(prepared) else np.zeros(DIMENSION)
        sys.stdout.buffer.write(np.asarray(embedding, "<f4").tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
