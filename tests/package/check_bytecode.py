"""What is wrong with the bytecode in a folder, said by the interpreter that is to run it.

    python -I -S check_bytecode.py FOLDER DEPLOYED

Prints a line for each module whose bytecode is missing, for another Python, checked against its source at every import,
not made from the source beside it, or names another folder than ``DEPLOYED``. Standard library only.
"""

from __future__ import annotations

import marshal
import sys
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from types import CodeType

UNCHECKED = (0b01).to_bytes(4, "little")
"""The flags of PEP 552: the hash of the source stands behind them, and nobody compares it."""


def problems(folder: Path, deployed: str) -> Iterator[str]:
    for source in sorted(folder.rglob("*.py")):
        compiled = Path(cache_from_source(str(source)))
        if not compiled.is_file():
            problem = "missing"
        elif (content := compiled.read_bytes())[:4] != MAGIC_NUMBER:
            problem = "for another Python"
        elif content[4:8] != UNCHECKED:
            problem = "checked at import"
        elif content[8:16] != source_hash(source.read_bytes()):
            problem = "stale"
        elif files(marshal.loads(content[16:])) != {f"{deployed}/{source.relative_to(folder).as_posix()}"}:
            problem = "names another folder"
        else:
            continue
        yield f"{source.relative_to(folder).as_posix()}: {problem}"


def files(code: CodeType) -> set[str]:
    """The sources that a code object and those within it name."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return {code.co_filename}.union(*map(files, inner))


if __name__ == "__main__":
    print(*problems(Path(sys.argv[1]), sys.argv[2]), sep="\n")
