from __future__ import annotations

import signal
import sys

import numpy as np
import pytest

from shared.audio.decoder.confinement import Memory, ProcessorTime

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def test_a_long_recording_gets_a_fiftieth_of_its_length_more_time() -> None:
    def left() -> float:
        return signal.getitimer(signal.ITIMER_PROF)[0]

    time = ProcessorTime()
    at_first = left()
    time.extend(300.0)
    at_last = left()
    time.stop()

    assert (at_first, at_last, left()) == pytest.approx((2.0, 8.0, 0.0), abs=0.1)


def test_a_process_that_keeps_too_much_has_done_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "_limit", staticmethod(lambda mapped_bytes: None))
    memory = Memory()
    assert not memory.is_spent()

    kept = np.ones(50 * 1024 * 1024 // 8)

    assert memory.is_spent()
    assert len(kept)
