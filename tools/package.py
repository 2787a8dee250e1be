"""Builds the package that Azure runs.

    python dev.py package [--python-version 3.13] [--out build] [--media]

Leaves ``timbre-<version>.zip``, its bill of materials ``timbre-<version>.cdx.json``, and the same files unpacked in
``package/``, which is what azd deploys (azure.yaml).
Modules are there as source and as bytecode; the bytecode is left out where this machine lacks the deployment's Python.
From the same commit, models, wheels and Python come the same bytes. Exit code 0, or 2 when no package could be made.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from tools.packaging.archive import files_of, write_folder, write_zip
from tools.packaging.bytecode import compile_folder
from tools.packaging.contents import PACKAGES, app_files
from tools.packaging.failure import CannotPackage
from tools.packaging.interpreters import interpreter
from tools.packaging.sbom import bill_of_materials
from tools.packaging.wheels import installed

REPOSITORY: Final = Path(__file__).resolve().parent.parent

PYTHON: Final = "3.13"
"""The Python of the deployment, as ``infra/modules/function-app.bicep`` asks for: docs/decisions/package.md."""

MAX_ZIP_MB: Final = 115
MAX_FILES_MB: Final = 250
"""Every new instance fetches the package before its first answer, so size is time of a cold start. Measured: 103 MB,
229 unpacked, 34 and 44 of it what writes down English speech, half of the rest ONNX Runtime and numpy. 7 and 18 MB are
bytecode, which spares each cold start more than half of its imports. Whoever needs more gives the reason here."""

MEDIA: Final = "requirements-media.txt"
MEDIA_ZIP_MB: Final = 40
MEDIA_FILES_MB: Final = 115
"""What the media extra may add: docs/decisions/media-extra.md."""


@dataclass(frozen=True)
class Built:
    """``compiled_by`` is the interpreter that made the bytecode, None in a package without."""

    archive: Path
    folder: Path
    python: str
    compiled_by: str | None
    sha256: str
    zip_bytes: int
    files_bytes: int

    def __str__(self) -> str:
        lines = [
            f"{self.archive}: {self.zip_bytes / 1e6:.1f} MB, {self.files_bytes / 1e6:.0f} MB unpacked",
            f"Bytecode for Python {self.python}, compiled by {self.compiled_by}"
            if self.compiled_by
            else f"No bytecode: this machine has no Python {self.python}. Every cold start will compile all modules, "
            f"which takes about half a second. Install Python {self.python} and build again.",
            f"sha256 {self.sha256}",
        ]
        return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="dev.py package", description="The package that Azure runs.")
    parser.add_argument("--python-version", default=PYTHON, help=f"Python of the deployment, {PYTHON} unless told")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build", help="folder for the package")
    parser.add_argument("--media", action="store_true", help="with FFmpeg for AAC, ALAC and AMR (102 MB more)")
    options = parser.parse_args(arguments)
    try:
        print(build(options.out, options.python_version, media=options.media))
    except CannotPackage as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


def build(out: Path, python: str = PYTHON, cache: Path = REPOSITORY / "build", *, media: bool = False) -> Built:
    """Raises ``CannotPackage``. Wheels that were fetched before are taken from ``cache``. ``media``: with
    requirements-media.txt."""
    cache.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    lists = ["requirements.txt", *([MEDIA] if media else [])]
    lock = "\n".join((REPOSITORY / name).read_text(encoding="utf-8") for name in lists)
    wheels = installed(lock, python, cache)
    folder, archive = out / "package", out / f"timbre-{version()}.zip"
    packages = {f"{PACKAGES}/{name}": file for name, file in files_of(wheels).items()}
    write_folder(dict(app_files(REPOSITORY)) | packages, folder)
    if compiler := interpreter(python):
        compile_folder(folder, compiler)
    entries = files_of(folder)
    write_zip(entries, archive)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    files_bytes = sum(file.stat().st_size for file in entries.values())
    built = Built(archive, folder, python, compiler, sha256, archive.stat().st_size, files_bytes)
    bill = bill_of_materials(folder, archive, project(), python)
    archive.with_suffix(".cdx.json").write_text(bill, encoding="utf-8")
    _require_small(built, *((MEDIA_ZIP_MB, MEDIA_FILES_MB) if media else (0, 0)))
    return built


def _require_small(built: Built, more_zip_mb: int, more_files_mb: int) -> None:
    zip_mb, files_mb = MAX_ZIP_MB + more_zip_mb, MAX_FILES_MB + more_files_mb
    if built.zip_bytes > zip_mb * 1e6 or built.files_bytes > files_mb * 1e6:
        raise CannotPackage(
            f"The package has grown to {built.zip_bytes / 1e6:.0f} MB, {built.files_bytes / 1e6:.0f} MB unpacked: "
            f"beyond {zip_mb} and {files_mb}. Take something out, or raise the budget in tools/package.py."
        )


def version() -> str:
    """Said once, in pyproject.toml."""
    return str(project()["version"])


def project() -> Mapping[str, Any]:
    """The table of pyproject.toml."""
    tables = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return cast("Mapping[str, Any]", tables["project"])


if __name__ == "__main__":
    sys.exit(main())
