"""Makes the recordings in ``samples/`` with flite, so that the README's calls work on a machine without a microphone.

They are synthetic: nobody's voice is in this repository. Run: ``python -m tools.make_samples`` (needs flite and sox).
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PHRASE = "my voice is my passport, verify me"


@dataclass(frozen=True)
class Take:
    """One recording: ``stretch`` is the tempo, ``pitch_hz`` the voice's mean pitch, so that takes differ."""

    name: str
    voice: str
    stretch: float
    pitch_hz: float
    text: str = PHRASE


TAKES = (
    Take("passphrase-1", "slt", 1.00, 170),
    Take("passphrase-2", "slt", 1.06, 175),
    Take("passphrase-3", "slt", 0.97, 166),
    Take("passphrase-4", "slt", 1.03, 172),
    Take("other-speaker", "rms", 1.00, 95),
    Take("other-phrase", "slt", 1.00, 170, "houston, we have had a problem"),
)


def main() -> int:
    SAMPLES.mkdir(exist_ok=True)
    for take in TAKES:
        target = SAMPLES / f"{take.name}.wav"
        try:
            _speak(take, target)
        except FileNotFoundError as error:
            print(f"{error.filename} is missing: install Debian's packages flite and sox.", file=sys.stderr)
            return 2
        print(f"{target.name}: {target.stat().st_size:,} bytes")
    return 0


def _speak(take: Take, target: Path) -> None:
    spoken = target.with_suffix(".flite.wav")
    settings = ["--setf", f"duration_stretch={take.stretch}", "--setf", f"int_f0_target_mean={take.pitch_hz}"]
    subprocess.run(["flite", "-voice", take.voice, *settings, "-t", take.text, "-o", str(spoken)], check=True)  # noqa: S607
    try:
        convert = ["sox", "-D", str(spoken), "-r", "16000", "-c", "1", "-b", "16", str(target), "pad", "0.2", "0.2"]
        subprocess.run(convert, check=True)
    finally:
        spoken.unlink()


if __name__ == "__main__":
    sys.exit(main())
