"""The locked dependencies as wheels for Azure's Linux, whatever machine this runs on.

pip fetches the wheels of another Python and platform, but reads conditions such as ``python_version < "3.13"`` for the
Python that it runs on itself. So the lock's conditions are decided here, and afterwards it is checked that everything
that the installed packages ask for, under the target's conditions, is there.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.packaging.failure import CannotPackage
from tools.packaging.pins import Pin, read_lock

GLIBC: Final = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64")
"""The wheels' platforms. glibc 2.28 is older than that of any image Azure still runs Python 3.11 or later on; a wheel
for a newer one (cryptography offers 2.34 too) may not load."""

UNUSED: Final = (
    "bin",  # start scripts, with this machine's paths in them
    "onnxruntime/transformers",  # converters and quantisers: tools of model builders
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/datasets",
    "onnxruntime/backend",
    "numpy/f2py",
    "numpy/_core/include",
    "numpy/_core/lib",
)
"""What the service never opens, by path. The test of the package runs without it."""

UNUSED_ANYWHERE: Final = ("**/__pycache__", "**/*.pyi", "**/*.pxd", "**/*.h", "**/*.lib", "**/*.a", "numpy/**/tests")

NOT_REPRODUCIBLE: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""pip's notes about this installation: they name files that are left out, and how the call was worded."""


def environment(python: str) -> dict[str, str]:
    """What conditions in requirements are about, for that Python ("3.13") in Azure."""
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "extra": "",
    }


def installed(lock: str, python: str, cache: Path) -> Path:
    """A folder with the packages, made once for the same lock, Python and rules above."""
    pins = list(read_lock(lock, environment(python)))
    folder = cache / f"wheels-{python}-{_fingerprint(pins, python)}"
    if not folder.is_dir():
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        _install(pins, python, part)
        _strip(part)
        require_complete(distributions(path=[str(part)]), python)
        part.rename(folder)
    return folder


def asked_by(package: Distribution, python: str) -> Iterator[Requirement]:
    """What the package needs on that Python, and gets here."""
    for asked in map(Requirement, package.requires or ()):
        if not asked.marker or asked.marker.evaluate(environment(python)):
            yield asked


def require_complete(found: Iterable[Distribution], python: str) -> None:
    """``CannotPackage`` when a package asks for another, on that Python, that is not there in a fitting version."""
    there = {canonicalize_name(package.metadata["Name"]): package for package in found}
    for name, package in sorted(there.items()):
        for asked in asked_by(package, python):
            other = canonicalize_name(asked.name)
            if other not in there or not asked.specifier.contains(there[other].version, prereleases=True):
                raise CannotPackage(
                    f"{name} asks for {asked.name}{asked.specifier} on Python {python}, and the lock is without: "
                    "python dev.py lock"
                )


def _install(pins: Iterable[Pin], python: str, folder: Path) -> None:
    """Fetch by hash, then unpack. One ``pip install --target`` would do for a recent pip; those that come with Python
    3.11 and 3.12 hold every wheel against the Python that they run on, whatever ``--python-version`` says."""
    platforms = [argument for one in GLIBC for argument in ("--platform", one)]
    target = ["--python-version", python, "--implementation", "cp", "--only-binary", ":all:"]
    with tempfile.TemporaryDirectory() as fetched, tempfile.TemporaryDirectory() as asked:
        lines = Path(asked) / "requirements.txt"
        lines.write_text("\n".join(str(pin) for pin in pins), encoding="utf-8")
        exact = ["--no-deps", "--require-hashes", "--requirement", str(lines)]
        _pip(python, "download", *platforms, *target, "--dest", fetched, *exact)
        wheels = [str(path) for path in sorted(Path(fetched).iterdir())]
        unchecked = ["--no-deps", "--no-index", "--ignore-requires-python", "--no-compile"]
        _pip(python, "install", *platforms, *target, *unchecked, "--target", str(folder), *wheels)


def _pip(python: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = [line for line in ended.stderr.splitlines() if line.startswith("ERROR: ")]
        reason = said[-1].removeprefix("ERROR: ") if said else "pip failed"
        raise CannotPackage(f"Python {python} on Linux x86-64: {reason}. Check the network and the lock.")


def _strip(folder: Path) -> None:
    unused = [folder / name for name in UNUSED]
    unused += [path for pattern in UNUSED_ANYWHERE for path in folder.glob(pattern)]
    unused += [path for name in NOT_REPRODUCIBLE for path in folder.glob(f"*.dist-info/{name}")]
    for path in unused:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _fingerprint(pins: Iterable[Pin], python: str) -> str:
    rules: Mapping[str, object] = {"pins": [str(one) for one in pins], "python": python}
    text = repr((rules, GLIBC, UNUSED, UNUSED_ANYWHERE, NOT_REPRODUCIBLE))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
