"""Builds the package that Azure runs.

    python dev.py package [--python-version 3.13] [--out build]

Leaves ``timbre-<version>.zip`` and the same files unpacked in ``package/``, which is what azd deploys (azure.yaml).
From the same commit, models and wheels come the same bytes. Exit code 0, or 2 when no package could be made.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.packaging.archive import write_folder, write_zip
from tools.packaging.contents import PACKAGES, app_files
from tools.packaging.failure import CannotPackage
from tools.packaging.wheels import installed

REPOSITORY: Final = Path(__file__).resolve().parent.parent

PYTHON: Final = "3.13"
"""The Python of the deployment, as ``infra/modules/function-app.bicep`` asks for: docs/decisions/package.md."""

MAX_ZIP_MB: Final = 75
MAX_FILES_MB: Final = 190
"""Every new instance fetches and unpacks the package before its first answer, so size is time of a cold start.
Measured: 60 and 163 MB, half of it ONNX Runtime and numpy; the room above is for a second model. Whoever needs more
says so here."""


@dataclass(frozen=True)
class Built:
    archive: Path
    folder: Path
    sha256: str
    zip_bytes: int
    files_bytes: int


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="dev.py package", description="The package that Azure runs.")
    parser.add_argument("--python-version", default=PYTHON, help=f"Python of the deployment, {PYTHON} unless told")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build", help="folder for the package")
    options = parser.parse_args(arguments)
    try:
        built = build(options.out, options.python_version)
    except CannotPackage as problem:
        print(problem, file=sys.stderr)
        return 2
    print(f"{built.archive}: {built.zip_bytes / 1e6:.1f} MB, {built.files_bytes / 1e6:.0f} MB unpacked")
    print(f"sha256 {built.sha256}")
    return 0


def build(out: Path, python: str = PYTHON, cache: Path = REPOSITORY / "build") -> Built:
    """Raises ``CannotPackage``. Wheels that were fetched before are taken from ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    requirements = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    wheels = installed(requirements, python, cache)
    entries = dict(app_files(REPOSITORY))
    entries |= {f"{PACKAGES}/{one.relative_to(wheels).as_posix()}": one for one in wheels.rglob("*") if one.is_file()}
    archive = out / f"timbre-{version()}.zip"
    write_zip(entries, archive)
    write_folder(entries, out / "package")
    content = archive.read_bytes()
    built = Built(
        archive,
        out / "package",
        hashlib.sha256(content).hexdigest(),
        len(content),
        sum(one.stat().st_size for one in entries.values()),
    )
    if built.zip_bytes > MAX_ZIP_MB * 1e6 or built.files_bytes > MAX_FILES_MB * 1e6:
        raise CannotPackage(
            f"The package has grown to {built.zip_bytes / 1e6:.0f} MB, {built.files_bytes / 1e6:.0f} MB unpacked: "
            f"beyond {MAX_ZIP_MB} and {MAX_FILES_MB}. Take something out, or raise the budget in tools/package.py."
        )
    return built


def version() -> str:
    """Said once, in pyproject.toml."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


if __name__ == "__main__":
    sys.exit(main())
