"""Makes the kept takes with flite (Debian package ``flite``).

python -m tests.speech.make                      every kept take anew, from the text that it carries
python -m tests.speech.make TEXT [VOICE [PACE]]  one more take
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 16_000
"""Samples per second of flite's voices awb, kal16, rms and slt; its voice kal has 8,000 and is not used."""

FOLDER = Path(__file__).parent


def path_of(text: str, voice: str, pace: float) -> Path:
    words = re.sub(r"[^a-z']+", "-", text.lower()).strip("-")
    return FOLDER / f"{voice}-{pace:.2f}-{words[:80]}.flac"


def synthesise(text: str, voice: str = "slt", pace: float = 1.0) -> NDArray[np.int16]:
    """``text`` as 16 kHz mono samples; a ``pace`` of 1.1 is a tenth faster. Needs the program flite."""
    command = ["flite", "-voice", voice, "--setf", f"duration_stretch={1 / pace:.3f}", "-t", text]
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "take.wav"
        subprocess.run([*command, "-o", str(wav)], check=True, capture_output=True)
        samples, rate = soundfile.read(wav, dtype="int16")
    assert rate == RATE, f"the voice {voice} has {rate} samples per second, not {RATE}"
    return np.asarray(samples, np.int16)


def keep(text: str, voice: str, pace: float) -> None:
    path = path_of(text, voice, pace)
    with soundfile.SoundFile(
        path, "w", RATE, channels=1, format="FLAC", subtype="PCM_16", compression_level=1.0
    ) as file:
        file.title = text
        file.write(synthesise(text, voice, pace))
    print(f"{path.name}: {path.stat().st_size:,} bytes")


def main(arguments: list[str]) -> None:
    if arguments:
        text, voice, pace = (*arguments, *("slt", "1")[len(arguments) - 1 :])
        keep(text, voice, float(pace))
        return
    for path in sorted(FOLDER.glob("*.flac")):
        voice, pace, _ = path.name.split("-", 2)
        with soundfile.SoundFile(path) as file:
            text = file.title
        keep(text, voice, float(pace))


if __name__ == "__main__":
    main(sys.argv[1:])
