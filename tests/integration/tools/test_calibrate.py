"""The laboratory from end to end on synthetic voices, with the service's own pipeline and model."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from shared.config import MODEL
from shared.domain.calibration import CALIBRATION_VALUES
from shared.inference.model_card import read_catalogue
from tests import voices
from tests.azure.front import Asked, Given, answering, given_json
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
    parts = report["recommended"]["plain"]["parts"]
    assert {part["length"] for part in parts} >= {"full", "4 s", "2 s"}
    assert {part["group"] for part in parts} == {"everybody", "gender: f", "gender: m"}
    assert {part["standing"] for part in parts if part["group"] == "everybody"} == {"perhaps exceeded"}
    for pair in (*report["highest_strangers"], *report["lowest_same"]):
        assert Path(pair["tested_path"]).parent == site.parent
    assert all(pair["enrolled"] != pair["tested"] for pair in report["highest_strangers"])
    assert all(pair["enrolled"] == pair["tested"] for pair in report["lowest_same"])


def test_what_is_in_force_is_named_and_the_data_is_said_to_be_too_little(report: dict[str, Any]) -> None:
    advice = report["recommended"]
    assert report["in_force"]["threshold"] == advice["plain"]["at"]["threshold"] == 0.5
    assert report["in_force"]["calibration"].startswith("the model's own, fitted on speechocean762")
    assert (advice["confirmed"], advice["standing"], advice["wanted"]) == (True, "perhaps exceeded", 0.01)
    assert advice["cautious"]["at"]["threshold"] >= 0.5
    assert report["evidence"]["verdict"] == "too little"
    assert "rule of 3" in report["verdict"]


def test_a_subscriptions_threshold_and_calibration_are_what_is_measured(
    site: Path, out: Path, report: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = read_catalogue().speaker(MODEL.default or "").calibration
    assert shipped is not None
    values = {name: getattr(shipped, name) for name in CALIBRATION_VALUES}
    own = {"modelId": MODEL.default, "values": {**values, "bias": shipped.bias - 3.0, "fitted_on": "our callers"}}
    stored = {"thresholds": {"verification": 0.4, "identification": 0.5}, "calibration": own}
    arguments = [str(site), "--out", str(out / "own"), "--enrollments", "1", "--key", "k"]
    shutil.copytree(out / "heard", out / "own" / "heard")
    with answering(lambda _: given_json(200, stored)) as url:
        assert main([*arguments, "--service", url]) == 0
    said = capsys.readouterr().out
    assert "In force: score 0.4; calibration: the subscription's own, fitted on our callers (40 speakers)." in said
    measured = json.loads((out / "own" / "report.json").read_text(encoding="utf-8"))
    lower, before = (of["highest_strangers"][0]["score"] for of in (measured, report))
    assert math.log(lower / (1 - lower)) == pytest.approx(math.log(before / (1 - before)) - 3.0, abs=0.01)


def test_the_page_needs_nothing_from_elsewhere(out: Path) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "$" not in page
    for fetched in ("<script", "<link", "@import", 'src="http'):
        assert fetched not in page


def test_no_calibration_is_fitted_on_four_speakers(report: dict[str, Any], out: Path) -> None:
    assert report["site"] is None
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
        ("1", ["--cautious"], "too little"),
        ("1", ["--even-so", "--calibration"], "there is no calibration"),
        ("5", [], "No speaker has 5 usable recordings"),
    ],
)
def test_what_the_recordings_do_not_carry_is_said_and_not_sent(
    site: Path, out: Path, enrollments: str, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def settings(request: Asked) -> Given:
        asked.append(request.method)
        return given_json(200, {"thresholds": {"verification": 0.5}, "calibration": None})

    with answering(settings) as url:
        service = ["--upload", url, "--key", "k"] if more else []
        assert main([str(site), "--out", str(out), "--enrollments", enrollments, *service, *more]) == 2
    assert said in capsys.readouterr().err
    assert "PATCH" not in asked


def test_a_threshold_for_verification_leaves_identification_alone_and_a_calibration_goes_by_command(
    site: Path, out: Path
) -> None:
    stored = {"thresholds": {"verification": 0.5}, "calibration": None}
    sent: list[object] = []

    def settings(request: Asked) -> Given:
        if request.method == "PATCH":
            sent.append(json.loads(request.body))
        return given_json(200, stored)

    with answering(settings) as url:
        service = ["--upload", url, "--key", "k"]
        assert main([str(site), "--out", str(out), "--enrollments", "1", "--even-so", *service]) == 0
        assert main([*service, "--remove-calibration"]) == 0
    assert sent == [{"thresholds": {"verification": 0.5}}, {"calibration": None}]


def test_a_wrong_list_is_refused_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.csv"), "--out", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
