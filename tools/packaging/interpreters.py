"""The Pythons of this machine, by version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def interpreter(version: str) -> str | None:
    """Path of a CPython ``version`` ("3.13"): the running one, one on the path, or one of pyenv's. None without."""
    for candidate in _candidates(version):
        try:
            if version_of(candidate) == version:
                return candidate
        except (OSError, subprocess.CalledProcessError):
            continue  # pyenv leaves commands behind that only say which versions there are
    return None


def version_of(python: str) -> str:
    """The interpreter's own answer: "3.13", or "cpython candidate 3.13" and "pypy final 3.11" for other bytecode.

    Raises ``OSError`` or ``CalledProcessError`` when it does not run.
    """
    question = (
        "import sys; kind = sys.implementation.name, sys.version_info.releaselevel; "
        "print(*kind * (kind != ('cpython', 'final')), '%d.%d' % sys.version_info[:2])"
    )
    answer = subprocess.run([python, "-I", "-S", "-c", question], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    if command := shutil.which(f"python{version}"):
        yield command
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python")))
