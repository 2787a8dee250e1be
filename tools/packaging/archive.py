"""A zip that depends on its contents alone: sorted names, one date, one set of rights."""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""

RIGHTS: Final = stat.S_IFREG | 0o644
"""Readable by all: the app runs as another user than the one that unpacks it."""


def files_of(folder: Path) -> dict[str, Path]:
    """Every file in ``folder`` and below, by its path from there with slashes."""
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def write_zip(entries: Mapping[str, Path], archive: Path) -> None:
    """``entries``: name in the archive and file."""
    part = archive.with_name(f"{archive.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        for name in sorted(entries):
            about = zipfile.ZipInfo(name, MOMENT)
            about.create_system = 3  # rights are Unix's, on whatever system this runs
            about.external_attr = RIGHTS << 16
            about.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(about, entries[name].read_bytes())
    part.replace(archive)


def write_folder(entries: Mapping[str, Path], folder: Path) -> None:
    """The same unpacked; nothing else is left in the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in sorted(entries):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entries[name], target)
