"""Ends a process whose work is not done in time."""

from __future__ import annotations

import os
import subprocess
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final

from shared.domain.limits import DECODING_WAIT_SECONDS

_BUSY: Final = 0.5
"""Processor seconds. A body that took so much for one piece is to blame; one that got less waited for the machine."""

_LONGEST_SLEEP: Final = DECODING_WAIT_SECONDS
"""No clock is set to less."""


class Clock:
    """Of one process: kills it when its work is not done in time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.overran, self.was_busy = False, True
        self._process = process
        self._lock = Lock()
        self._deadline: float | None = None
        self._used: float | None = None

    @contextmanager
    def running(self, seconds: float) -> Iterator[None]:
        self._used = _processor_seconds(self._process.pid)
        self.restart(seconds)
        try:
            yield
        finally:
            with self._lock:
                self._deadline = None

    def restart(self, seconds: float) -> None:
        self._deadline = monotonic() + seconds

    def left(self, now: float) -> float | None:
        """Seconds; ``None`` where nothing runs. Kills the process when there are none."""
        with self._lock:
            if self._deadline is None or self._deadline > now:
                return None if self._deadline is None else self._deadline - now
            self._deadline, self.overran = None, True
            used = _processor_seconds(self._process.pid)
            if used is not None and self._used is not None:
                self.was_busy = used - self._used >= _BUSY
            self._process.kill()
            return None


class Watch:
    """One thread that looks at all clocks, begun with the first. It sleeps no longer than any clock that is set
    meanwhile runs, so setting one costs nothing."""

    def __init__(self) -> None:
        self.ended = Event()
        self._lock = Lock()
        self._clocks: weakref.WeakSet[Clock] = weakref.WeakSet()
        self._thread: Thread | None = None

    def add(self, clock: Clock) -> None:
        with self._lock:
            self._clocks.add(clock)
            if self._thread is None:
                self._thread = Thread(target=self._run, daemon=True, name="decoders-watch")
                self._thread.start()

    def _run(self) -> None:
        wait = _LONGEST_SLEEP
        while not self.ended.wait(wait):
            with self._lock:
                clocks = list(self._clocks)
            now = monotonic()
            wait = min([_LONGEST_SLEEP, *(left for clock in clocks if (left := clock.left(now)) is not None)])


def _processor_seconds(pid: int) -> float | None:
    """That a process has used; ``None`` where the system does not say so. proc(5): fields 14 and 15 of ``stat``."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None
