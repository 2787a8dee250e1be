"""A new process that answers two requests and prints as JSON how long each part took: a program of its own.

Nothing but the standard library stands above its first line, so that the imports are timed where they happen.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

PROFILES, WAV, KEY = "BENCH_PROFILES", "BENCH_WAV", "BENCH_KEY"


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
    wav, profile_ids = Path(os.environ[WAV]).read_bytes(), os.environ[PROFILES].split(",")
    requests = []
    for _ in range(2):
        invoke_identify(os.environ[KEY], profile_ids, wav)
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
