"""What a running process has cost: resident memory and processor time, as the system tells."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.performance import process


def resident_megabytes(process_id: int) -> float | None:
    """Resident memory of a process and all its descendants, MB of 10**6 bytes; ``None`` on Windows."""
    if sys.platform == "win32":
        return None
    return sum(process.resident_megabytes(member) or 0.0 for member in process.family(process_id))


def processor_seconds(process_id: int) -> float | None:
    """Of all the process's threads so far, in its own code and in the system's; ``None`` where there is no ``/proc``.

    Unlike an answer's time it does not grow with what else the machine does, or little: caches are shared.
    """
    file = Path(f"/proc/{process_id}/stat")
    if not file.exists():
        return None
    # proc(5): utime and stime are fields 14 and 15. The second is a name that may hold spaces and ends with a bracket.
    fields = file.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
