from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.service import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def said(script: str) -> Any:
    """By a process of its own: that of the tests gives memory back, and takes processor time, in between."""
    imports = "import json, signal\nfrom shared.audio.decoder.confinement import Memory, ProcessorTime\n"
    command = [sys.executable, "-c", imports + script]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout)


def test_a_long_recording_gets_a_fiftieth_of_its_length_more_time() -> None:
    left = said("""
time = ProcessorTime()
at_first, _ = signal.getitimer(signal.ITIMER_PROF)
time.extend(300.0)
at_last, _ = signal.getitimer(signal.ITIMER_PROF)
time.stop()
print(json.dumps([at_first, at_last, *signal.getitimer(signal.ITIMER_PROF)]))
""")

    assert left == pytest.approx([2.0, 8.0, 0.0, 0.0], abs=0.1)


def test_a_process_that_keeps_too_much_has_done_its_work() -> None:
    """The line is at 40 MiB. The kernel counts in steps that add up to a few MiB where there are many processors."""
    is_spent = said("""
memory = Memory()
at_first = memory.is_spent()
some = b"x" * (20 << 20)
with_20 = memory.is_spent()
more = b"x" * (40 << 20)
print(json.dumps([at_first, with_20, memory.is_spent()]))
""")

    assert is_spent == [False, False, True]
