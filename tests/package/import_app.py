"""Which of a package's modules Python compiles when it imports the app.

    python -I -S -B import_app.py APP HOST

``HOST`` is the folder with the worker library. Prints the path of each; none for a package with its bytecode.
"""

from __future__ import annotations

import sys
from typing import Any


def note(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook (PEP 578): Python raises ``compile`` for every source, whoever compiles it."""
    if event == "compile" and str(arguments[1]).startswith(app):
        compiled.append(str(arguments[1]))


app, host = sys.argv[1:]
compiled: list[str] = []
sys.addaudithook(note)
sys.path[:0] = [app, f"{app}/.python_packages/lib/site-packages", host]

import function_app  # noqa: E402, F401

print(*compiled, sep="\n")
