"""A decoder process at work on one body, in the process of the test."""

from __future__ import annotations

from typing import Any, cast

import pytest

from shared.audio.decoder import child
from shared.audio.decoder.confinement import Memory
from shared.audio.decoder.pipes import Pipe
from tests.unit.audio.encoded import file, tone


class Wire:
    """Brings one body, and keeps what is sent."""

    def __init__(self, body: bytes) -> None:
        self.body, self.kinds = body, list[object]()

    def receive(self, _most_bytes: int) -> tuple[dict[str, Any], bytes]:
        return {"container": "FLAC", "bounds": [0.0, 60.0, False]}, self.body

    def send(self, text: dict[str, object], _data: bytes = b"") -> None:
        self.kinds.append(text["kind"])


def test_each_second_that_is_decoded_brings_more_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Time:
        decoded = 0.0

        def extend(self, seconds: float) -> None:
            self.decoded += seconds

        def stop(self) -> None: ...

    time, wire = Time(), Wire(file(tone(3.0), container="FLAC"))
    monkeypatch.setattr(child, "ProcessorTime", lambda: time)

    child._serve(cast(Pipe, wire), cast(Memory, None))

    assert (time.decoded, set(wire.kinds)) == (3.0, {"samples", "done"})
