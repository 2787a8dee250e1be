"""Makes the kept takes with flite, espeak-ng (Debian packages of these names) and Pico (the package py-nanotts).

python -m tests.speech.make                      every kept take anew, from the text that it carries
python -m tests.speech.make TEXT [VOICE [PACE]]  one more take
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

RATE = 16_000
"""Samples per second of flite's voices awb, kal16, rms and slt, and of Pico; flite's kal has 8,000 and is not used."""

ESPEAK_VOICES = {"espeak.zh": "cmn-latn-pinyin"}
PICO_VOICES = {"pico.de": "de-DE"}
FINEST = 256
"""Step of the samples of these voices, 42 dB below the loudest: such files are half as large."""

FOLDER = Path(__file__).parent


def path_of(text: str, voice: str, pace: float) -> Path:
    words = re.sub(r"[^a-z']+", "-", text.lower()).strip("-")
    return FOLDER / f"{voice}-{pace:.2f}-{words[:80]}.flac"


def synthesise(text: str, voice: str = "slt", pace: float = 1.0) -> NDArray[np.int16]:
    """``text`` as 16 kHz mono samples; a ``pace`` of 1.1 is a tenth faster. Needs the voice's program."""
    if voice in PICO_VOICES:
        pico = import_module("py_nanotts").NanoTTS()
        return _coarse(np.frombuffer(pico.speak(text, PICO_VOICES[voice], speed=pace), np.int16))
    if voice in ESPEAK_VOICES:
        command = ["espeak-ng", "-v", ESPEAK_VOICES[voice], "-s", f"{round(150 * pace)}", "--stdout", text]
        spoken = subprocess.run(command, check=True, capture_output=True).stdout
        samples, rate = soundfile.read(io.BytesIO(spoken), dtype="int16")
        return _coarse(soxr.resample(samples, rate, RATE))
    command = ["flite", "-voice", voice, "--setf", f"duration_stretch={1 / pace:.3f}", "-t", text]
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "take.wav"
        subprocess.run([*command, "-o", str(wav)], check=True, capture_output=True)
        samples, rate = soundfile.read(wav, dtype="int16")
    assert rate == RATE, f"the voice {voice} has {rate} samples per second, not {RATE}"
    return np.asarray(samples, np.int16)


def _coarse(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    return np.asarray(samples // FINEST * FINEST, np.int16)


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
