"""Decoder processes: whatever a body does to one, the caller gets an answer and others notice nothing."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from shared.audio.containers.ogg import opus_file
from shared.audio.decode import decode
from shared.audio.decoder import pool
from shared.audio.decoder.pool import Decoders
from shared.audio.reader import Bounds
from shared.domain.errors import AudioTooLong, AudioUnreadable, RecordingRefused, ServiceBusy
from tests.unit.audio.decoding import PATIENCE_SECONDS
from tests.unit.audio.encoded import file, opus_packets, tone
from tests.unit.audio.hostile import vorbis

FLAC = file(tone(2.0), container="FLAC")
MOST_PRIVATE_BYTES = 30_000_000
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

Fresh = tuple[Decoders, Callable[[], set[int]]]


def seconds(body: bytes, decoders: Decoders, longest: float = 15.0) -> float:
    return decode(body, None, Bounds(0.0, longest), decoders).seconds


def children() -> set[int]:
    """Processes of this one that decode."""
    decoding = set()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and b"shared.audio" in (entry / "cmdline").read_bytes():
                parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
                decoding |= {int(entry.name)} if parent == os.getpid() else set()
    return decoding


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a caller would be told to come again."""
    monkeypatch.setattr(pool, "DECODING_WAIT_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def fresh() -> Iterator[Fresh]:
    """Decoders, and a look at their processes."""
    gc.collect()  # what other tests have left
    before = children()
    yield Decoders(2), lambda: children() - before
    gc.collect()


@pytest.fixture
def running(fresh: Fresh) -> tuple[Decoders, int]:
    """Decoders of which one process is warm."""
    decoders, processes = fresh
    assert processes() == set()
    seconds(FLAC, decoders)
    (process,) = processes()
    return decoders, process


@linux
def test_a_process_is_started_when_it_is_needed_kept_and_small(running: tuple[Decoders, int]) -> None:
    decoders, process = running

    for _ in range(5):
        assert seconds(FLAC, decoders) == 2.0

    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").split("\n")
    private = sum(int(line.split()[1]) for line in rollup if line.startswith("Private_"))
    assert decoders.started == 1
    assert private * 1024 < MOST_PRIVATE_BYTES


@linux
def test_a_process_can_neither_write_nor_read_our_settings(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> None:
    monkeypatch.setenv("VOICE_STORAGE", "a secret")
    decoders, processes = fresh
    seconds(FLAC, decoders)
    (process,) = processes()

    limits = Path(f"/proc/{process}/limits").read_text(encoding="ascii").split("\n")
    zero = {line[:26].strip() for line in limits if line[26:].split()[:1] == ["0"]}
    assert {"Max file size", "Max core file size"} <= zero
    assert any(line.startswith("Max address space") and "unlimited" not in line[26:46] for line in limits)
    assert os.getsid(process) == process
    assert b"a secret" not in Path(f"/proc/{process}/environ").read_bytes()


@linux
@pytest.mark.parametrize("body", [vorbis(1, 20, 20), vorbis(256, 18, 18)], ids=["crash", "memory and time"])
def test_a_body_that_kills_or_fills_its_process_is_refused_and_the_next_is_read(
    running: tuple[Decoders, int], body: bytes
) -> None:
    decoders, process = running

    with pytest.raises(AudioUnreadable):
        seconds(body, decoders)

    assert not Path(f"/proc/{process}").exists()
    assert seconds(FLAC, decoders) == 2.0


@linux
def test_processes_that_are_killed_cost_nobody_an_answer(fresh: Fresh) -> None:
    decoders, processes = fresh
    opus = file(tone(4.0, 48_000), 48_000, "OGG", "OPUS")

    def send(_: int) -> float | None:
        try:
            return seconds(opus, decoders)
        except ServiceBusy:  # killed twice in a row
            return None

    with ThreadPoolExecutor(2) as senders:
        sent: list[Future[float | None]] = [senders.submit(send, number) for number in range(30)]
        for answered in (5, 10, 15, 20):
            sent[answered].result()
            for process in list(processes())[:1]:  # at work or waiting
                os.kill(process, signal.SIGKILL)
        heard = [answer for each in sent if (answer := each.result()) is not None]

    assert decoders.started > 2
    assert len(heard) >= 28
    assert heard == pytest.approx([4.0] * len(heard), abs=0.01)
    assert seconds(FLAC, decoders) == 2.0


@linux
@pytest.mark.parametrize("body", [FLAC, bytes(FLAC) + bytes(8_000_000)], ids=["short", "longer than the pipe"])
def test_a_process_that_stands_still_is_replaced_and_the_caller_comes_again(
    running: tuple[Decoders, int], monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(pool, "DECODING_WAIT_SECONDS", 0.5)
    decoders, process = running
    os.kill(process, signal.SIGSTOP)
    started = time.monotonic()

    with pytest.raises(ServiceBusy):
        seconds(body, decoders)

    assert time.monotonic() - started > 0.4  # and not for ever, as it stands still
    monkeypatch.undo()
    assert seconds(FLAC, decoders) == 2.0


@pytest.mark.parametrize(
    ("owner", "name", "value", "at_most"),
    [
        (sys, "executable", "/nowhere/python", 1),
        (pool, "_START", "raise SystemExit(3)", 1),
        (pool, "DECODING_WAIT_SECONDS", 0.05, 0),
    ],
    ids=["no process starts", "one that ends at once", "none is free in time"],
)
def test_without_a_decoder_the_caller_comes_again(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, value: object, at_most: int
) -> None:
    monkeypatch.setattr(owner, name, value)

    with pytest.raises(ServiceBusy):
        seconds(FLAC, Decoders(at_most))


def test_a_refusal_does_not_cost_the_process() -> None:
    decoders = Decoders(1)
    for _ in range(3):
        with pytest.raises(RecordingRefused):
            seconds(b"fLaC" + bytes(100), decoders)
        with pytest.raises(AudioTooLong):
            seconds(FLAC, decoders, longest=1.0)

    assert decoders.started == 1


def test_a_process_that_has_done_its_work_is_replaced_without_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start, _, end = pool._START.rpartition("child.main()")
    spent = "from shared.audio.decoder import confinement; confinement._KEPT_BYTES = -(1 << 40); child.main()"
    monkeypatch.setattr(pool, "_START", f"{start}{spent}{end}")
    decoders = Decoders(1)

    assert [seconds(FLAC, decoders) for _ in range(3)] == [2.0] * 3
    assert decoders.started == 3
    assert not caplog.records


@pytest.mark.long_form("decodes five minutes")
def test_five_minutes_of_stereo_fit() -> None:
    """Time and memory: the longest that the limits let through, in the codec that takes the longest."""
    noise = np.random.default_rng(1).normal(0.0, 0.05, (5 * 48_000, 2)).astype(np.float32)
    head, packets = opus_packets(file(noise, 48_000, "OGG", "OPUS"))
    body = opus_file(head, packets[:250] * 60, "Ogg", 300.0)

    heard = decode(body, None, Bounds(0.0, 300.0), Decoders(1))

    assert heard.samples.shape[0] == 2
    assert heard.seconds == pytest.approx(300.0, abs=0.01)


@linux
def test_a_process_ends_with_its_parent_however_that_ends() -> None:
    script = """
        import os, signal, sys
        sys.path[:] = sys.argv[2:]
        from tests.integration.audio.decoder.test_pool import FLAC, Decoders, children, seconds
        decoders = Decoders(1)
        seconds(FLAC, decoders)
        print(*children(), flush=True)
        os.kill(os.getpid(), int(sys.argv[1]))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(int(signal.SIGKILL)), *sys.path]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[4])

    assert ended.returncode == -signal.SIGKILL, ended.stderr
    process = Path(f"/proc/{int(ended.stdout)}")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.exists() and b"shared.audio" in (process / "cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def open_files() -> set[str]:
    """What they lead to: pipes and sockets have numbers of their own."""
    leads = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing itself
            leads.add(str(entry.readlink()))
    return leads


@linux
def test_decoders_that_nobody_has_any_more_leave_nothing(fresh: Fresh) -> None:
    before, threads = open_files(), set(threading.enumerate())
    decoders = Decoders(1)
    seconds(FLAC, decoders)

    del decoders
    gc.collect()

    assert fresh[1]() == set()
    assert open_files() <= before
    assert set(threading.enumerate()) <= threads
