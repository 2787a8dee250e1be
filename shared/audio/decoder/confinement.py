"""What a decoder process may use: memory, processor time, no files. Not all of it exists outside Linux; the rest holds.

The resource limits are those of POSIX (getrlimit(2), setitimer(2)). Windows has none of them: there the parent's clock
is what ends a decoder.
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

_MOST_BODIES: Final = 10_000
"""After which a process is replaced anyway, where its memory cannot be seen."""

_STATM: Final = Path("/proc/self/statm")

SECONDS_PER_SECOND: Final = 1 / 50
"""Processor seconds on top for each second that was decoded. Measured: 0.011 for Opus in 48 kHz stereo, 0.016 for ALAC,
with two processors shared by six."""


def confine() -> None:
    """No files, no core dumps: nothing of a recording gets onto a disk. Memory: see ``Memory``."""
    if sys.platform != "win32":
        for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
            resource.setrlimit(limit, (0, 0))


class Memory:
    """Bounds what the process may take from here on, and tells when it keeps too much."""

    def __init__(self) -> None:
        self._bodies = 0
        self.bound()

    def bound(self) -> None:
        """Count from what there is now; called again when a library was loaded."""
        self._resident = _pages(1)
        if sys.platform != "win32" and (taken := _pages(0)):
            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            with suppress(OSError, ValueError):  # a lower hard limit is somebody's wish too
                resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY_BYTES, hard))

    def unbound(self) -> None:
        """While a library is loaded."""
        if sys.platform != "win32":
            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))

    def is_spent(self) -> bool:
        """After a body: whether the process had better be replaced."""
        self._bodies += 1
        return self._bodies >= _MOST_BODIES or _pages(1) > self._resident + _KEPT_BYTES


def _pages(field: int) -> int:
    """Bytes: 0 is what is mapped, 1 what is resident. 0 where the system does not say."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[field]) * resource.getpagesize()
    except OSError:
        return 0


class ProcessorTime:
    """Ends the process (SIGPROF) when a body takes more than its time: nothing in a library can stop that."""

    def __init__(self) -> None:
        self._started = time.process_time()
        self.decoded(0.0)

    def decoded(self, seconds: float) -> None:
        """So much of the recording has been decoded."""
        used = time.process_time() - self._started
        self._set(max(DECODING_PROCESSOR_SECONDS + seconds * SECONDS_PER_SECOND - used, 0.001))

    def stop(self) -> None:
        self._set(0.0)

    @staticmethod
    def _set(seconds: float) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, seconds)
