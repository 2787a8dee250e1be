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
from pathlib import Path

import numpy as np
import pytest

from shared.audio.containers.ogg import opus_file
from shared.audio.decode import decode
from shared.audio.decoder import pool
from shared.audio.decoder.confinement import Memory
from shared.audio.decoder.pool import Decoders
from shared.audio.reader import Bounds, Decoded
from shared.domain.errors import AudioTooLong, AudioUnreadable, RecordingRefused, ServiceBusy
from tests.unit.audio.encoded import file, opus_packets, tone
from tests.unit.audio.hostile import vorbis

FLAC = file(tone(2.0), container="FLAC")
MOST_PRIVATE_BYTES = 30_000_000
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def read(body: bytes, decoders: Decoders, longest: float = 15.0) -> Decoded:
    return decode(body, None, Bounds(0.0, longest), decoders)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def children() -> set[int]:
    """Processes of this one that decode."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
                if parent == os.getpid() and b"shared.audio" in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue
    return found


@pytest.fixture
def fresh() -> Iterator[tuple[Decoders, Callable[[], set[int]]]]:
    """Decoders, and a look at their processes."""
    before = children()
    yield Decoders(2), lambda: children() - before
    gc.collect()


@pytest.fixture
def running(fresh: tuple[Decoders, Callable[[], set[int]]]) -> tuple[Decoders, int]:
    """Decoders of which one process is warm."""
    decoders, processes = fresh
    read(FLAC, decoders)
    (process,) = processes()
    return decoders, process


@linux
def test_a_process_is_started_when_it_is_needed_and_kept(fresh: tuple[Decoders, Callable[[], set[int]]]) -> None:
    decoders, processes = fresh
    assert processes() == set()

    for _ in range(5):
        assert read(FLAC, decoders).seconds == 2.0

    assert (len(processes()), decoders.started) == (1, 1)


@linux
def test_what_a_process_takes(running: tuple[Decoders, int]) -> None:
    _, process = running
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").split("\n")
    private = sum(int(line.split()[1]) for line in rollup if line.startswith("Private_"))

    assert private * 1024 < MOST_PRIVATE_BYTES


@linux
def test_a_process_has_a_session_of_its_own_and_none_of_our_settings(
    monkeypatch: pytest.MonkeyPatch, fresh: tuple[Decoders, Callable[[], set[int]]]
) -> None:
    monkeypatch.setenv("VOICE_STORAGE", "a secret")
    decoders, processes = fresh
    read(FLAC, decoders)
    (process,) = processes()

    assert os.getsid(process) == process
    assert b"a secret" not in Path(f"/proc/{process}/environ").read_bytes()


@linux
def test_neither_files_nor_core_dumps_can_be_written(running: tuple[Decoders, int]) -> None:
    _, process = running
    limits = Path(f"/proc/{process}/limits").read_text(encoding="ascii").split("\n")
    zero = {line[:26].strip() for line in limits if line[26:].split()[:1] == ["0"]}

    assert {"Max file size", "Max core file size"} <= zero
    assert any(line.startswith("Max address space") and "unlimited" not in line[26:46] for line in limits)


@linux
@pytest.mark.parametrize("body", [vorbis(1, 20, 20), vorbis(256, 18, 18)], ids=["crash", "memory and time"])
def test_a_body_that_kills_or_fills_its_process_is_refused_and_the_next_is_read(
    running: tuple[Decoders, int], body: bytes
) -> None:
    decoders, process = running
    started = time.monotonic()

    with pytest.raises((AudioUnreadable, ServiceBusy)):
        read(body, decoders)

    assert time.monotonic() - started < 3.0 + 2.0  # the clock's three, and a machine that is busy
    assert not Path(f"/proc/{process}").exists()
    assert read(FLAC, decoders).seconds == 2.0


@linux
def test_a_process_that_is_killed_while_it_waits_is_not_missed(running: tuple[Decoders, int]) -> None:
    decoders, process = running
    os.kill(process, signal.SIGKILL)

    assert read(FLAC, decoders).seconds == 2.0
    assert decoders.started == 2


@linux
def test_processes_that_are_killed_under_load_cost_nobody_an_answer(
    fresh: tuple[Decoders, Callable[[], set[int]]],
) -> None:
    decoders, processes = fresh
    opus = file(tone(4.0, 48_000), 48_000, "OGG", "OPUS")
    heard: list[float] = []
    busy: list[ServiceBusy] = []

    def send() -> None:
        for _ in range(15):
            try:
                heard.append(read(opus, decoders).seconds)
            except ServiceBusy as refusal:  # killed twice in a row
                busy.append(refusal)

    senders = [threading.Thread(target=send) for _ in range(2)]
    for sender in senders:
        sender.start()
    kills = 0
    while any(sender.is_alive() for sender in senders) and kills < 4:
        time.sleep(0.05)
        for process in list(processes())[:1] if len(heard) > 5 * kills else ():
            os.kill(process, signal.SIGKILL)
            kills += 1
    for sender in senders:
        sender.join()

    assert kills > 0
    assert len(heard) + len(busy) == 30
    assert len(busy) <= 2
    assert heard == pytest.approx([4.0] * len(heard), abs=0.01)


@linux
def test_a_process_that_stands_still_is_replaced_and_the_caller_comes_again(
    running: tuple[Decoders, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoders, process = running
    os.kill(process, signal.SIGSTOP)
    started = time.monotonic()

    with pytest.raises(ServiceBusy):
        read(FLAC, decoders)

    assert 2.5 < time.monotonic() - started < 5.0
    assert read(FLAC, decoders).seconds == 2.0


def test_a_machine_that_starts_no_process_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    with pytest.raises(ServiceBusy):
        read(FLAC, Decoders(1))


def test_a_process_that_ends_at_once_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_START", "raise SystemExit(3)")

    with pytest.raises(ServiceBusy):
        read(FLAC, Decoders(1))


def test_who_waits_for_a_decoder_too_long_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "DECODING_WAIT_SECONDS", 0.05)

    with pytest.raises(ServiceBusy):
        read(FLAC, Decoders(0))


def test_a_refusal_does_not_cost_the_process() -> None:
    decoders = Decoders(1)
    for _ in range(3):
        with pytest.raises(RecordingRefused):
            read(b"fLaC" + bytes(100), decoders)
        with pytest.raises(AudioTooLong):
            read(FLAC, decoders, longest=1.0)

    assert decoders.started == 1


def test_a_process_that_has_done_its_work_is_replaced_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    start = "from shared.audio.decoder import child, confinement; confinement._KEPT_BYTES = -(1 << 40); child.main()"
    monkeypatch.setattr(pool, "_START", f"{pool._START.rpartition('from shared.audio')[0]}{start}")
    decoders = Decoders(1)

    heard = [read(FLAC, decoders).seconds for _ in range(3)]

    assert heard == [2.0] * 3
    assert decoders.started == 3


@linux
def test_a_process_that_keeps_too_much_has_done_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "_limit", staticmethod(lambda mapped_bytes: None))
    memory = Memory()
    assert not memory.is_spent()

    kept = np.ones(50 * 1024 * 1024 // 8)

    assert memory.is_spent()
    assert len(kept)


def test_five_minutes_of_stereo_fit() -> None:
    """Time and memory: the longest that the limits let through, in the codec that takes the longest."""
    noise = np.random.default_rng(1).normal(0.0, 0.05, (5 * 48_000, 2)).astype(np.float32)
    head, packets = opus_packets(file(noise, 48_000, "OGG", "OPUS"))

    heard = read(opus_file(head, packets[:250] * 60, "Ogg", 300.0), Decoders(1), longest=300.0)

    assert heard.samples.shape[0] == 2
    assert heard.seconds == pytest.approx(300.0, abs=0.01)


@linux
def test_a_process_ends_with_its_parent_however_that_ends() -> None:
    script = """
        import os, signal, sys
        sys.path[:] = sys.argv[2:]
        from tests.unit.audio.decoder.test_pool import FLAC, children, read
        from shared.audio.decoder.pool import Decoders
        decoders = Decoders(1)
        read(FLAC, decoders)
        print(*children(), flush=True)
        os.kill(os.getpid(), int(sys.argv[1]))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(int(signal.SIGKILL)), *sys.path]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[4])

    assert ended.returncode == -signal.SIGKILL, ended.stderr
    process = Path(f"/proc/{int(ended.stdout)}")
    deadline = time.monotonic() + 5.0
    while process.exists() and b"shared.audio" in (process / "cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@linux
def test_decoders_that_nobody_has_any_more_leave_nothing(fresh: tuple[Decoders, Callable[[], set[int]]]) -> None:
    before, threads = open_files(), threading.active_count()
    decoders = Decoders(1)
    read(FLAC, decoders)

    del decoders
    gc.collect()
    deadline = time.monotonic() + 5.0
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.05)

    _, processes = fresh
    assert processes() == set()
    assert open_files() == before
    assert threading.active_count() <= threads
