"""The package built, unpacked into an empty folder, and beside it what Azure brings along: an interpreter and the
worker library."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import azure_functions_runtime

from tools.package import PYTHON, REPOSITORY, build
from tools.packaging.interpreters import interpreter, version_of

ADAPTER = ("__init__.py", "failure.py", "protos.py", "worker.py")
"""Of the local host: what speaks with the worker library."""


@dataclass(frozen=True)
class Place:
    """The layout of the folder, which is all that another process needs to be told."""

    folder: Path

    @property
    def archive(self) -> Path:
        (archive,) = self.folder.glob("timbre-*.zip")
        return archive

    @property
    def app(self) -> Path:
        return self.folder / "app"

    @property
    def worker(self) -> Path:
        return self.folder / "host" / "worker.py"

    @property
    def python(self) -> str:
        """The interpreter that runs the package."""
        return (self.folder / "python").read_text(encoding="utf-8")


def prepare(place: Place, python: str) -> None:
    """Fill the empty folder. Raises ``tools.packaging.failure.CannotPackage``.

    Wheels come from ``build/`` when they were fetched before.
    """
    with zipfile.ZipFile(build(place.folder, version_of(python)).archive) as archive:
        archive.extractall(place.app)
    (place.folder / "python").write_text(python, encoding="utf-8")
    host = place.worker.parent
    (host / "localhost").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("worker.py"), host)
    for name in ADAPTER:
        shutil.copy(REPOSITORY / "localhost" / name, host / "localhost")
    extensions = importlib.util.find_spec("azurefunctions.extensions.base")
    assert extensions is not None
    assert extensions.origin is not None
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(azure_functions_runtime.__file__).parent, host / "azure_functions_runtime", ignore=without)
    shutil.copytree(Path(extensions.origin).parent, host / "azurefunctions" / "extensions" / "base", ignore=without)


def python_for_tests() -> str:
    """The Python of the deployment where this machine has it, otherwise the one that runs the tests."""
    return interpreter(PYTHON) or sys.executable
