"""A new process that answers two requests and prints as JSON how long each part took: a program of its own.

Nothing but the standard library stands above its first line, so that the imports are timed where they happen.
"""

from __future__ import annotations

import json
import os
import time
from itertools import pairwise
from pathlib import Path

PROFILES, WAV, KEY = "BENCH_PROFILES", "BENCH_WAV", "BENCH_KEY"


def main() -> None:
    moments = [time.perf_counter()]

    import function_app

    moments.append(time.perf_counter())
    from shared.bootstrap import services
    from tests.in_process import call
    from tests.performance.bare import Bare

    identify = {f.get_function_name(): f.get_user_function() for f in function_app.app.get_functions()}["identify"]
    target = f"/spid/v1.0/identify?shortAudio=true&identificationProfileIds={os.environ[PROFILES]}"
    headers = {"Ocp-Apim-Subscription-Key": os.environ[KEY], "Content-Type": "audio/wav"}
    wav, untimed = Path(os.environ[WAV]).read_bytes(), time.perf_counter() - moments[-1]
    ready = services()
    moments.append(time.perf_counter() - untimed)
    Bare.of(ready).open()
    moments.append(time.perf_counter() - untimed)
    for _ in range(2):
        answer = call(identify, "POST", target, headers, wav)
        assert answer.status == 202, answer.body
        moments.append(time.perf_counter() - untimed)
    laps = [end - start for start, end in pairwise(moments)]
    print(json.dumps(dict(zip(("imports", "graph", "networks", "first", "second"), laps, strict=True))))


if __name__ == "__main__":
    main()
