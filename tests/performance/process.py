"""What a process holds: memory, open files, threads."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """``megabytes`` are resident, of 10**6 bytes. ``None`` where the system does not tell: memory on Windows, the
    others everywhere but on Linux."""

    megabytes: float | None
    handles: int | None
    threads: int | None


def held(process_id: int) -> Held:
    folder = Path("/proc") / str(process_id)
    if not (folder / "task").is_dir():
        return Held(resident_megabytes(process_id), None, None)
    return Held(resident_megabytes(process_id), _entries(folder / "fd"), _entries(folder / "task"))


def resident_megabytes(process_id: int) -> float | None:
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    return int(said.stdout) * 1024 / 1e6 if said.stdout.strip().isdigit() else None


def _entries(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())
