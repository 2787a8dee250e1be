"""The package's modules, compiled while it is packed, because Azure mounts it read-only and keeps nothing compiled."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tools.packaging.failure import CannotPackage

DEPLOYED: Final = "/home/site/wwwroot"
"""Where Azure mounts the package: the folder in the code objects, in place of this machine's. Python corrects it when
it loads the file from elsewhere."""


def compile_folder(folder: Path, python: str) -> None:
    """Puts ``__pycache__`` beside every module in ``folder``, as the interpreter ``python`` reads it.

    The hash of the source is in each file and is not checked at import (PEP 552): dates, which a zip does not keep
    exactly, play no part, and no source is opened. The same sources and Python give the same bytes.
    Raises ``CannotPackage`` when a module does not compile.
    """
    root = str(folder.resolve())
    paths = ["-s", root, "-p", DEPLOYED]
    command = [python, "-I", "-S", "-m", "compileall", "-q", *paths, "--invalidation-mode", "unchecked-hash", root]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise CannotPackage(f"Not every module compiles: {' '.join((ended.stdout + ended.stderr).split())}")
