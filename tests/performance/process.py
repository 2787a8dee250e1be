"""What a running service costs: memory, processor time, open files and threads of its processes. Linux only."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """Of a process and all its descendants; ``megabytes`` are resident, of 10**6 bytes."""

    megabytes: float
    handles: int
    threads: int


def held(process_id: int) -> Held | None:
    """``None`` where there is no ``/proc``."""
    if not Path("/proc/self/stat").exists():
        return None
    return Held(
        megabytes=_sum(process_id, _resident_kibibytes) * 1024 / 1e6,
        handles=_sum(process_id, lambda folder: len(list((folder / "fd").iterdir()))),
        threads=_sum(process_id, lambda folder: len(list((folder / "task").iterdir()))),
    )


def megabytes(process_id: int) -> float | None:
    holds = held(process_id)
    return holds.megabytes if holds else None


def processor_seconds(process_id: int) -> float | None:
    """Of all threads so far, in their own code and in the system's; ``None`` where there is no ``/proc``.

    Unlike an answer's time it does not grow with what else the machine does, or little: caches are shared.
    """
    if not Path("/proc/self/stat").exists():
        return None
    return _sum(process_id, _ticks) / os.sysconf("SC_CLK_TCK")


def _resident_kibibytes(folder: Path) -> int:
    # proc(5): the counters of statm are off by up to a quarter of a megabyte a processor; this walks the pages.
    found = re.search(r"^Rss: +(\d+) kB$", (folder / "smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def _ticks(folder: Path) -> int:
    # proc(5): utime and stime are fields 14 and 15. The second is a name that may hold spaces and ends with a bracket.
    fields = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _sum(process_id: int, value: Callable[[Path], int]) -> int:
    total = 0
    for member in _family(process_id):
        with suppress(FileNotFoundError, ProcessLookupError):  # a child that has just ended holds nothing
            total += value(Path("/proc") / str(member))
    return total


def _family(process_id: int) -> set[int]:
    """A process and all its descendants."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [(int(own), int(parent)) for own, parent in (line.split() for line in listed.splitlines())]
    members, size = {process_id}, 0
    while len(members) != size:
        size = len(members)
        members |= {own for own, parent in pairs if parent in members}
    return members
