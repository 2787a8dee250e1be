"""What a decoder process may use: memory, processor time, no files.

By the resource limits of POSIX (getrlimit(2), setitimer(2)). Windows has none of them.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from shared.domain.limits import DECODING_PROCESSOR_SECONDS

if sys.platform != "win32":
    import resource

_MEMORY_BYTES: Final = 256 * 1024 * 1024
"""Beyond what the process has when it is ready: a body of 32 MiB, in three forms where it is re-muxed, and blocks."""
_KEPT_BYTES: Final = 40 * 1024 * 1024
"""Resident memory, beyond the same, with which a process that has done its work is replaced: libraries lose some in
damaged files."""
_SECONDS_PER_SECOND: Final = 1 / 50
"""Processor seconds on top for each second that was decoded. Measured: 0.011 for Opus in 48 kHz stereo, 0.016 for ALAC,
with two processors shared by six."""


def forbid_files() -> None:
    """Neither files nor core dumps: nothing of a recording gets onto a disk."""
    if sys.platform != "win32":
        for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
            resource.setrlimit(limit, (0, 0))


class Memory:
    """Bounds what the process may take from here on, and tells when it keeps too much."""

    def __init__(self) -> None:
        self.bound()

    def bound(self) -> None:
        """Count from what there is now; called again when a library was loaded."""
        mapped, self._resident = _mapped_and_resident()
        if mapped:
            self._limit(mapped + _MEMORY_BYTES)

    def unbound(self) -> None:
        """While a library is loaded."""
        self._limit(None)

    def is_spent(self) -> bool:
        """After a body: whether the process had better be replaced."""
        return _mapped_and_resident()[1] > self._resident + _KEPT_BYTES

    @staticmethod
    def _limit(mapped_bytes: int | None) -> None:
        if sys.platform != "win32":
            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            with suppress(OSError, ValueError):  # a lower hard limit is somebody's wish too
                resource.setrlimit(resource.RLIMIT_AS, (hard if mapped_bytes is None else mapped_bytes, hard))


def _mapped_and_resident() -> tuple[int, int]:
    """Bytes of this process; zeros where the system does not say. proc(5): ``statm``."""
    try:
        mapped, resident = Path("/proc/self/statm").read_text(encoding="ascii").split()[:2]
        return int(mapped) * resource.getpagesize(), int(resident) * resource.getpagesize()
    except OSError:
        return 0, 0


class ProcessorTime:
    """Ends the process (SIGPROF) when a body takes more than its time: nothing in a library can stop that."""

    def __init__(self) -> None:
        self._end = time.process_time() + DECODING_PROCESSOR_SECONDS
        self.extend(0.0)

    def extend(self, decoded_seconds: float) -> None:
        """So much more of the recording has been decoded."""
        self._end += decoded_seconds * _SECONDS_PER_SECOND
        self._set(max(self._end - time.process_time(), 0.001))

    def stop(self) -> None:
        self._set(0.0)

    @staticmethod
    def _set(seconds: float) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, seconds)
