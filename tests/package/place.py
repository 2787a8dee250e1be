"""The package built, unpacked into an empty folder, and beside it what Azure brings along: an interpreter and the
worker library."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import azure_functions_runtime

from tools.package import PYTHON, REPOSITORY, build

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


def version_of(python: str) -> str:
    """ "3.13", asked of the interpreter. Raises ``OSError`` or ``CalledProcessError`` when it does not run."""
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-I", "-S", "-c", asked], capture_output=True, text=True, check=True).stdout.strip()


def interpreter() -> str:
    """The Python of the deployment where this machine has it, otherwise the one that runs the tests."""
    for candidate in _candidates():
        try:
            if version_of(candidate) == PYTHON:
                return candidate
        except (OSError, subprocess.CalledProcessError):
            continue  # pyenv leaves commands behind that only say which versions there are
    return sys.executable


def _candidates() -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(f"python{PYTHON}"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(one) for one in sorted(pyenv.glob(f"versions/{PYTHON}.*/bin/python")))
