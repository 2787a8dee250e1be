"""What the first request in a new process waits for, split into its parts; and how much memory a process holds.

Run as a program, this module is that new process: it prints its own times as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from tests.performance.figures import Times

_REPOSITORY = Path(__file__).resolve().parents[2]
_PROFILES, _WAV, _KEY = "BENCH_PROFILES", "BENCH_WAV", "BENCH_KEY"


@dataclass(frozen=True)
class ColdStart:
    """Seconds. ``python`` is a process that does nothing; the others come behind it in this order."""

    python: float
    imports: float
    """``function_app.py`` with all its blueprints."""
    storage: float
    """Settings and the object graph; nothing is asked of storage yet."""
    sessions: float
    """ONNX Runtime itself, and both networks opened."""
    request: float
    """The first identify: connections and tables opened, key looked up, candidates read, recording judged."""
    second_request: float
    """The next one, for comparison."""

    @property
    def total(self) -> float:
        """From nothing to the end of the first request."""
        return self.python + self.imports + self.storage + self.sessions + self.request


def measure(
    environment: Mapping[str, str], key: str, profile_ids: list[str], wav: Path, repetitions: int
) -> tuple[dict[str, Times], Times]:
    """The times of each part and of the total."""
    found = [_one(environment, key, profile_ids, wav) for _ in range(repetitions)]
    parts = {one.name: Times.of_seconds(getattr(start, one.name) for start in found) for one in fields(ColdStart)}
    return parts, Times.of_seconds(start.total for start in found)


def _one(environment: Mapping[str, str], key: str, profile_ids: list[str], wav: Path) -> ColdStart:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    python = time.perf_counter() - started
    own = {_PROFILES: ",".join(profile_ids), _WAV: str(wav), _KEY: key}
    child = subprocess.run(
        [sys.executable, "-m", __name__],
        cwd=_REPOSITORY,
        env={**os.environ, **environment, **own},
        stdout=subprocess.PIPE,
        check=True,
    )
    return ColdStart(python=python, **json.loads(child.stdout))


def _main() -> None:
    lap = _Laps()
    import function_app

    assert function_app.app
    imports = lap()
    from shared.bootstrap import services
    from tests.performance.bare import Bare
    from tests.performance.invoke import invoke_identify

    lap()
    ready = services()
    storage = lap()
    Bare.of(ready).open()
    sessions = lap()
    wav, profile_ids = Path(os.environ[_WAV]).read_bytes(), os.environ[_PROFILES].split(",")
    requests = []
    for _ in range(2):
        invoke_identify(os.environ[_KEY], profile_ids, wav)
        requests.append(lap())
    times = {"imports": imports, "storage": storage, "sessions": sessions}
    print(json.dumps({**times, "request": requests[0], "second_request": requests[1]}))


class _Laps:
    def __init__(self) -> None:
        self._since = time.perf_counter()

    def __call__(self) -> float:
        """Seconds since the last call."""
        now = time.perf_counter()
        lap, self._since = now - self._since, now
        return lap


if __name__ == "__main__":
    _main()
