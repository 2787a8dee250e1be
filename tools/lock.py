"""Locks every package, with all that it brings along, by version and sha256.

    python dev.py lock [--upgrade] [--upgrade-package NAME]

Reads pyproject.toml; writes ``LOCKS`` beside it, and THIRD_PARTY_NOTICES.md for what is deployed then. A version that
still fits stays, unless told otherwise. Arguments go to ``uv pip compile``. Exit code 0, or that of what failed, which
has said why.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tools import notices

REPOSITORY: Final = Path(__file__).resolve().parent.parent

DEV: Final = "requirements-dev.txt"
DIRECT: Final = "pyproject.toml"
LOCKS: Final[Mapping[str, Sequence[str]]] = {
    DEV: (DIRECT, "--group", "dev"),
    "requirements.txt": (DIRECT, "--constraints", DEV),
    "requirements-media.txt": ("--group", "media", "--constraints", DEV),
    "requirements-audit.txt": ("--group", "audit", "--constraints", DEV),
    # Alone, and for a Python that it says it runs on: pyproject.toml says why.
    "requirements-localhost.txt": ("--group", "localhost", "--no-deps", "--python-version", "3.13"),
}
"""What each lock is made of, for uv. The first knows most packages, so that it sets the versions of the others."""

UNIVERSAL: Final = ("--universal", "--generate-hashes", "--no-emit-index-url", "--annotation-style", "line")
"""One lock for every Python from 3.11 on and every system. Where it was fetched from stays out: a mirror has the same
files."""


def main(arguments: Sequence[str]) -> int:
    for name, made_of in LOCKS.items():
        header = ["--custom-compile-command", "python dev.py lock", "--quiet", "--output-file", name]
        command = [sys.executable, "-m", "uv", "pip", "compile", *made_of, *UNIVERSAL, *header, *arguments]
        if code := subprocess.run(command, cwd=REPOSITORY, check=False).returncode:
            return code
    return notices.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
