"""What the app is like once it is imported, seen in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def native_threads_after(imports: str, environment: dict[str, str]) -> int:
    program = f"{imports}; import os; print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc, which is Linux's")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="BLAS has no further threads on one processor")
def test_the_app_brings_no_threads_of_its_own_for_arithmetic() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    assert native_threads_after("import numpy", environment) > 1, "or there would be nothing to hold back"
    assert native_threads_after("import function_app, numpy", environment) == 1
