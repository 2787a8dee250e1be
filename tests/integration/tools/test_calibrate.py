"""The laboratory from end to end on synthetic voices, with the service's own pipeline and model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from shared.config import MODEL
from tests import voices
from tools.calibrate import main
from tools.calibration import hearing
from tools.calibration.hearing import Heard, Pipeline
from tools.calibration.kept import KeptHearings

SPEAKERS = ("slt", "awb", "rms", "kal16")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four voices of three recordings each, one recording of nothing, and the list of them."""
    folder = tmp_path_factory.mktemp("site")
    lines = ["path,speaker,gender"]
    for number, voice in enumerate(SPEAKERS):
        story = voices.flite(voices.STORY, voice)
        for take, samples in enumerate((story[:80_000], story[80_000:160_000], voices.flite(voices.QUESTION, voice))):
            name = f"{number}-{take}.wav"
            (folder / name).write_bytes(voices.wav_bytes(samples))
            lines.append(f"{name},{voice},{'f' if voice == 'slt' else 'm'}")
    (folder / "silence.wav").write_bytes(voices.wav_bytes(voices.flite(voices.QUESTION) * 0.0))
    lines.append(f"silence.wav,{SPEAKERS[0]},f")
    (folder / "list.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder / "list.csv"


@pytest.fixture(scope="module")
def out(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    assert main([str(site), "--out", str(out), "--enrollments", "1"]) == 0
    return out


@pytest.fixture(scope="module")
def report(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return content


def test_every_recording_is_accounted_for_with_the_services_own_model(report: dict[str, Any]) -> None:
    assert (report["recordings"], report["speakers"], report["signatures"]) == (13, 4, 12)
    (refused,) = report["refusals"]
    assert (refused["reason"], refused["count"]) == ("SpeechTooShort", 1)
    assert refused["paths"][0].endswith("silence.wav")
    assert report["model_id"] == MODEL.default


def test_voices_that_differ_are_told_apart(report: dict[str, Any], site: Path) -> None:
    assert report["overall"]["equal_error"]["value"] < 0.2
    assert report["overall"]["cllr_min"] <= report["overall"]["cllr_shifted"] <= report["overall"]["cllr"]
    assert {part["value"] for part in report["lengths"]} >= {"4 to 8 s", "cut to 2 s"}
    assert {part["value"] for part in report["groups"]} == {"f", "m"}
    for pair in (*report["highest_strangers"], *report["lowest_same"]):
        assert Path(pair["tested_path"]).parent == site.parent
    assert all(pair["enrolled"] != pair["tested"] for pair in report["highest_strangers"])
    assert all(pair["enrolled"] == pair["tested"] for pair in report["lowest_same"])


def test_the_recommended_threshold_keeps_the_wanted_rate_and_says_that_the_data_is_too_little(
    report: dict[str, Any],
) -> None:
    advice = report["recommended"]
    assert advice["at_threshold"]["false_match"]["value"] <= advice["wanted"] == 0.01
    assert advice["cautious"] >= advice["threshold"]
    assert report["evidence"]["verdict"] == "too little"
    assert "rule of 3" in report["verdict"]


def test_the_page_needs_nothing_from_elsewhere(out: Path) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "$" not in page
    for fetched in ("<script", "<link", "@import", 'src="http'):
        assert fetched not in page


def test_no_calibration_is_fitted_on_four_speakers(report: dict[str, Any], out: Path) -> None:
    assert report["site_calibration"] is None
    assert "at least 20" in report["no_calibration_because"]
    assert not (out / "calibration.json").exists()


def test_a_second_run_hears_nothing_again(site: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = json.loads((out / "report.json").read_text(encoding="utf-8"))

    def heard_again(*_: object) -> list[Heard]:
        raise AssertionError("this recording was heard before")

    monkeypatch.setattr(Pipeline, "hear", heard_again)
    assert main([str(site), "--out", str(out), "--enrollments", "1"]) == 0
    after = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert {**after, "date": ""} == {**before, "date": ""}


def test_code_in_any_room_of_the_pipeline_makes_what_was_kept_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [hearing._code.__wrapped__()]
    for folder in ("audio", "inference"):
        shutil.copytree(hearing.SHARED / folder, tmp_path / folder)
    monkeypatch.setattr(hearing, "SHARED", tmp_path)
    for module in ("audio/containers/wav.py", "inference/fbank.py"):
        with (tmp_path / module).open("a") as file:
            file.write("# changed")
        codes.append(hearing._code.__wrapped__())
    assert len(set(codes)) == 3


def test_what_was_kept_is_for_its_owner_alone_and_a_cut_file_is_heard_anew(tmp_path: Path) -> None:
    kept = KeptHearings(tmp_path / "heard")
    kept.put("abcd", [Heard("full", refusal="AudioTooNoisy", message="noise")])
    (file,) = (tmp_path / "heard").rglob("*.json")
    assert kept.get("abcd") == [Heard("full", refusal="AudioTooNoisy", message="noise")]
    assert file.stat().st_mode & 0o077 == 0
    file.write_text(file.read_text()[:20])
    assert kept.get("abcd") is None


@pytest.mark.parametrize(
    ("enrollments", "more", "said"),
    [
        ("1", ["--upload", "http://127.0.0.1:9", "--key", "k"], "too little"),
        (
            "1",
            ["--upload", "http://127.0.0.1:9", "--key", "k", "--even-so", "--calibration"],
            "there is no calibration",
        ),
        ("5", [], "No speaker has 5 usable recordings"),
    ],
)
def test_what_the_recordings_do_not_carry_is_said(
    site: Path, out: Path, enrollments: str, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(site), "--out", str(out), "--enrollments", enrollments, *more]) == 2
    assert said in capsys.readouterr().err


def test_a_wrong_list_is_refused_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.csv"), "--out", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
