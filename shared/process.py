"""What holds for the whole process: set before numpy is imported and before threads start."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

_ARENA_MAX: Final = -8
_MMAP_THRESHOLD: Final = -3
_TRIM_THRESHOLD: Final = -1
"""``M_ARENA_MAX``, ``M_MMAP_THRESHOLD`` and ``M_TRIM_THRESHOLD`` of glibc's malloc.h."""

ARENAS: Final = 2
"""Heaps. Each thread would get its own, up to eight for each processor, and keep what its largest request took."""

MAPPED_FROM_BYTES: Final = 4_000_000
"""Blocks from here on are given back to the system when they are freed. Left alone, glibc raises its threshold to the
largest block that was freed, up to 32 MB, and keeps such blocks."""


def settle(kept_bytes: int | None = None) -> None:
    """Set here and not in the environment, because Azure starts the process before it knows the app's settings.

    ``kept_bytes``: so much freed memory stays with the process for its next work, where that is wished.
    """
    # Requests run side by side already; threads that BLAS starts for one product would only wait for one another.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The package brings its bytecode. A module that loads late would only write where nothing may change: the
    # functions host takes new folders in the app's folder for a deployment and restarts with requests in flight.
    sys.dont_write_bytecode = True
    if sys.platform == "linux":
        _bound_the_heaps(kept_bytes)


def _bound_the_heaps(kept_bytes: int | None) -> None:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library than glibc
        return
    mallopt(_ARENA_MAX, ARENAS)
    mallopt(_MMAP_THRESHOLD, MAPPED_FROM_BYTES)
    if kept_bytes is not None:
        mallopt(_TRIM_THRESHOLD, kept_bytes)
