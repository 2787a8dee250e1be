"""What a process holds: memory, open files, threads; and which processes belong to it."""

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


def proportional_megabytes(process_id: int) -> float | None:
    """Resident memory where a page that several processes share counts in parts (proc(5), ``Pss``); Linux only."""
    file = Path("/proc") / str(process_id) / "smaps_rollup"
    if not file.exists():
        return None
    sizes = (line.split() for line in file.read_text(encoding="ascii", errors="replace").splitlines())
    return next((int(words[1]) * 1024 / 1e6 for words in sizes if words[0] == "Pss:"), None)


def family(process_id: int) -> dict[int, str]:
    """A process and all its descendants with their command lines. Not on Windows."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    lines = (line.split(None, 2) for line in listed.stdout.splitlines())
    rows = [(int(own), int(parent), "".join(command)) for own, parent, *command in lines]
    members, size = {process_id}, 0
    while len(members) != size:
        size = len(members)
        members |= {own for own, parent, _ in rows if parent in members}
    return {own: command for own, _, command in rows if own in members}


def worker_of(host_id: int) -> int:
    """The Python worker of an Azure Functions host. Raises ``ValueError`` unless it has exactly one."""
    (worker_id,) = (number for number, command in family(host_id).items() if "worker.py" in command)
    return worker_id


def _entries(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())
