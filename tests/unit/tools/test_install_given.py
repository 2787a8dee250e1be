"""What an operator brings to ``python dev.py model NAME``: a file, a sha256, a calibration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.inference.model_card import read_catalogue
from tests.unit.tools.deployment import NETWORK, SHA256, Deployment


def test_a_local_file_replaces_the_download(deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "carried.onnx").write_bytes(NETWORK)
    assert deployment.install("--file", str(tmp_path / "carried.onnx")) == 0
    assert deployment.files == ["small.onnx"]
    assert deployment.server.asked == []


def test_a_local_file_is_checked_as_a_download_is(
    deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "carried.onnx").write_bytes(NETWORK + b"x")
    assert deployment.install("--file", str(tmp_path / "carried.onnx")) == 2
    assert f"expected {SHA256}. Nothing was installed." in capsys.readouterr().err
    assert deployment.files == []


def test_a_local_file_that_is_not_there_is_one_sentence(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployment.install("--file", "nowhere.onnx") == 2
    assert capsys.readouterr().err == "There is no file nowhere.onnx.\n"


def test_an_entry_without_a_sha256_asks_the_operator_for_one(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployment.entry["file"]["sha256"]
    assert deployment.install() == 2
    assert "knows no sha256 for small-1" in capsys.readouterr().err
    assert deployment.server.asked == []


def test_what_the_operator_vouches_for_is_recorded_and_asked_for_once(deployment: Deployment) -> None:
    del deployment.entry["file"]["sha256"]
    deployment.entry["file"]["size_bytes"] = 1_000_000
    assert deployment.install("--sha256", SHA256.upper()) == 0
    assert deployment.files == ["installed.json", "small.onnx"]
    recorded = json.loads((deployment.models / "installed.json").read_text(encoding="utf-8"))
    assert recorded == {"small-1": {"sha256": SHA256, "from": deployment.server.url}}
    assert deployment.install() == 0
    assert len(deployment.server.asked) == 1


def test_the_operators_sha256_is_held_against_the_file(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployment.entry["file"]["sha256"]
    assert deployment.install("--sha256", "0" * 64) == 2
    assert f"expected {'0' * 64}. Nothing was installed." in capsys.readouterr().err
    assert deployment.files == []


@pytest.mark.parametrize(
    ("sha256", "message"),
    [("0" * 64, "The catalogue pins small-1 to sha256"), ("abc", "--sha256 takes 64 hexadecimal digits.")],
)
def test_a_sha256_that_cannot_be_meant_is_refused(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], sha256: str, message: str
) -> None:
    assert deployment.install("--sha256", sha256) == 2
    assert message in capsys.readouterr().err


def test_a_file_for_several_models_is_refused(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployment.install("ge2e-1", "--file", "some.onnx") == 2
    assert capsys.readouterr().err == "--file, --sha256 and --calibration are about one model: name it.\n"


def test_a_calibration_of_ones_own_goes_before_the_cards(
    deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {**deployment.content["speaker_models"][0]["calibration"], "bias": -12.5, "fitted_on": "our recordings"}
    (tmp_path / "calibration.json").write_text(json.dumps(own), encoding="utf-8")
    assert deployment.install("--calibration", str(tmp_path / "calibration.json")) == 0
    assert "small-1: calibrated on our recordings (" in capsys.readouterr().out
    calibration = read_catalogue(deployment.catalogue).speaker("small-1").calibration
    assert calibration is None  # this test's catalogue lies elsewhere than its models
    beside = deployment.models / "catalogue.json"
    beside.write_bytes(deployment.catalogue.read_bytes())
    calibration = read_catalogue(beside).speaker("small-1").calibration
    assert calibration is not None
    assert (calibration.bias, calibration.fitted_on) == (-12.5, "our recordings")


@pytest.mark.parametrize("content", ["{", "{}", '{"bias": 1}'])
def test_a_calibration_that_is_none_is_refused(
    deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (tmp_path / "calibration.json").write_text(content, encoding="utf-8")
    assert deployment.install("--calibration", str(tmp_path / "calibration.json")) == 2
    assert capsys.readouterr().err.startswith("calibration.json")
    assert deployment.files == ["small.onnx"]


def test_the_list_tells_what_there_is(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployment.install("--list") == 0
    said = capsys.readouterr().out
    assert "small-1, MIT, 0.0 MB, kaldi-fbank80, 24 dimensions, NOT calibrated, https://models.example/small" in said
    assert deployment.files == []
