"""Two recordings, explained as the service would decide about them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.voices import PASSPORT, QUESTION, STORY, Samples, flite, recording, wav_bytes
from tools import explain

BY_PHRASE = ("--profile", "verification/text-dependent")
CUT = np.pad(flite(PASSPORT)[:24_000], (0, 8_000))


@pytest.mark.parametrize(
    ("enrolled", "spoken", "options", "status", "decided_by", "said"),
    [
        (STORY, flite(QUESTION), (), 0, "voice", "<- this pair"),
        (STORY, flite(QUESTION, "awb"), ("--threshold", "0.7"), 1, "voice", "<- threshold"),
        (PASSPORT, flite(PASSPORT), BY_PHRASE, 0, "voice", "complete: True"),
        (PASSPORT, CUT, BY_PHRASE, 1, "phrase", "recognised: True, complete: False"),
        (QUESTION, flite(PASSPORT), BY_PHRASE, 1, "phrase", "None of the allowed phrases"),
        (STORY, flite(PASSPORT)[:8_000], (), 1, "quality", "Minimum allowed length is 1 second(s)"),
    ],
)
def test_each_step_and_the_reason_are_printed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    enrolled: str,
    spoken: Samples,
    options: tuple[str, ...],
    status: int,
    decided_by: str,
    said: str,
) -> None:
    paths = tmp_path / "A.wav", tmp_path / "B.wav"
    for path, content in zip(paths, (recording(enrolled), wav_bytes(spoken)), strict=True):
        path.write_bytes(content)
    assert explain.main([*map(str, paths), *options]) == status
    out = capsys.readouterr().out
    details = json.loads(out[out.index("{") :])["details"]
    assert details["decidedBy"] == decided_by
    assert said in out
    scores = [float(line.split()[1]) for line in out.splitlines() if re.match(r" +\d\.\d{3} ", line)]
    assert scores == sorted(scores)
    if scores:
        assert round(details["score"], 4) in scores
        assert details["threshold"] in scores


def test_what_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.main([str(tmp_path / "A.wav"), str(tmp_path / "B.wav")]) == 2
    assert "A.wav" in capsys.readouterr().err
