"""A few hundred damaged bodies at every commit; a million by hand."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from shared.audio.containers.ogg import checksum
from tests.unit.audio.encoded import file, opus_packets, tone, webm
from tests.unit.audio.phones import caf, description, dops, fragmented, mp4, packet_table
from tools import fuzz_audio

HEAD, PACKETS = opus_packets(file(tone(0.3, 48_000), 48_000, "OGG", "OPUS"))
OPUS = description(b"Opus", dops(HEAD))
MORE = {
    "WebM": webm(HEAD, PACKETS),
    "MP4": mp4(OPUS, PACKETS),
    "MP4 in fragments": fragmented(OPUS, PACKETS),
    "CAF with Opus": caf(
        b"opus", (b"pakt", packet_table(PACKETS), None), (b"data", bytes(4) + b"".join(PACKETS), None)
    ),
}


def test_damaged_bodies_leave_no_defect_no_wait_and_no_memory() -> None:
    found = fuzz_audio.fuzz(600, 40.0, 3, MORE)

    assert found.outcomes.total() > 100
    assert found.wrong == []
    assert found.outcomes["decoded"] > 0
    assert found.grown < fuzz_audio.MOST_GROWN_BYTES
    assert (fuzz_audio.resident() > 0) == (sys.platform == "linux")


def test_damage_gets_through_oggs_checksum() -> None:
    ogg = file(tone(0.3), container="OGG", encoding="VORBIS")
    changed = bytearray(ogg)
    changed[40] ^= 1

    mended = fuzz_audio.resummed(bytes(changed))

    assert mended != bytes(changed)
    end = 27 + mended[26] + sum(mended[27 : 27 + mended[26]])
    page = mended[:22] + bytes(4) + mended[26:end]
    assert checksum(page) == int.from_bytes(mended[22:26], "little")


def test_what_must_not_happen_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def wrong(*_: object, **__: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(fuzz_audio, "decode", wrong)

    assert fuzz_audio.main(["--bodies", "3"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_damage_is_the_same_for_the_same_seed() -> None:
    first, second = (next(fuzz_audio.bodies(np.random.default_rng(5), {})) for _ in range(2))

    assert first == second
    assert first.content not in fuzz_audio.recordings(np.random.default_rng(5)).values()
