"""``python dev.py model NAME`` for a model that a deployment downloads or an operator brings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.inference.model_card import read_catalogue
from tests.unit.tools.deployment import NETWORK, SHA256, Deployment

OTHER = "0" * 64


def test_a_model_is_downloaded_once_tried_and_installed(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployment.install() == 0
    assert deployment.files == ["small.onnx"]
    assert (deployment.models / "small.onnx").read_bytes() == NETWORK
    printed = capsys.readouterr().out
    for text in (f"small-1: downloading {deployment.server.url} (0.0 MB)", "NO CALIBRATION.", "(0.0 MB, MIT)."):
        assert text in printed
    assert deployment.install() == 0
    assert deployment.server.asked == 1


def test_set_up_downloads_nothing_that_was_not_asked_for(deployment: Deployment) -> None:
    deployment.models.mkdir()
    content = deployment.content
    networks = [content[name] for name in ("voice_activity", "segmentation", "phrases")]
    networks += [content["transcribers"][0][part] for part in ("encoder", "decoder", "tokens")]
    for built in (content["speaker_models"][0], *networks):
        (deployment.models / built["file"]["name"]).write_bytes(b"built before")
        built["file"]["sha256"] = hashlib.sha256(b"built before").hexdigest()
    assert deployment.install(name="") == 0
    transcriber = [f"moonshine-tiny-en-{part}" for part in ("decoder.ort", "encoder.ort", "tokens.bin")]
    networks = ["phrase-frames.onnx", "segmentation-3.0.onnx", "silero_vad.onnx"]
    assert deployment.files == ["ge2e.onnx", *transcriber, *networks]
    assert deployment.server.asked == 0


def serves(content: bytes, says_length: bool = True) -> Callable[[Deployment], None]:
    def change(deployment: Deployment) -> None:
        deployment.server.content, deployment.server.says_length = content, says_length

    return change


def fails(status: int) -> Callable[[Deployment], None]:
    return lambda deployment: setattr(deployment.server, "status", status)


def cut(deployment: Deployment) -> None:
    deployment.server.sends = 2_000


def comes_from(url: str) -> Callable[[Deployment], None]:
    return lambda deployment: deployment.entry["source"].update(url=url)


def html(deployment: Deployment) -> None:
    deployment.server.content = b"<html>"
    deployment.entry["file"].update(sha256=hashlib.sha256(b"<html>").hexdigest(), size_bytes=6)


def unpinned(deployment: Deployment) -> None:
    del deployment.entry["file"]["sha256"]


def unchanged(_: Deployment) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (serves(NETWORK[:-1] + b"x"), [], f", expected {SHA256}. Nothing was installed."),
        (serves(NETWORK * 2), [], f"has {2 * len(NETWORK):,} bytes; expected are {len(NETWORK):,}"),
        (serves(NETWORK * 50, says_length=False), [], "The server sends more than the 0.0 MB expected"),
        (cut, [], " ended early (the server stopped sending). Nothing was installed; download"),
        (fails(403), [], " answered 403 "),
        (fails(404), [], "pass it with --file"),
        (fails(500), [], " answered 500 "),
        (comes_from("http://127.0.0.1:1/model.onnx"), [], "The download from 127.0.0.1:1 ended early"),
        (comes_from("http://models.example/model.onnx"), [], "is not an https address"),
        (comes_from("ftp://127.0.0.1/model.onnx"), [], "is not an https address"),
        (comes_from("file:///etc/passwd"), [], "is not an https address"),
        (lambda deployment: setattr(deployment.server, "location", "http://models.example/model.onnx"), [],
         "http://models.example/model.onnx is not an https address: nothing was downloaded."),
        (lambda deployment: deployment.entry.update(dimension=192), [], "small.onnx does not fit its entry"),
        (html, [], "does not fit its entry"),
        (unchanged, ["--file", "nowhere.onnx"], "There is no file nowhere.onnx."),
        (unpinned, [], "knows no sha256 for small-1"),
        (unpinned, ["--sha256", OTHER], f"expected {OTHER}. Nothing was installed."),
        (unchanged, ["--sha256", OTHER], "The catalogue pins small-1 to sha256"),
        (unchanged, ["--sha256", "abc"], "--sha256 takes 64 hexadecimal digits."),
        (unchanged, ["ge2e-1", "--file", "some.onnx"],
         "--file, --sha256 and --calibration are about one model: name it."),
    ],
)  # fmt: skip
def test_what_cannot_be_installed_is_one_sentence_and_leaves_nothing(
    deployment: Deployment,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Deployment], None],
    arguments: list[str],
    message: str,
) -> None:
    change(deployment)
    assert deployment.install(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert deployment.files == []


def test_a_local_file_replaces_the_download_and_is_checked_as_it(
    deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "carried.onnx"
    file.write_bytes(NETWORK + b"x")
    assert deployment.install("--file", str(file)) == 2
    assert f"expected {SHA256}. Nothing was installed." in capsys.readouterr().err
    assert deployment.files == []
    file.write_bytes(NETWORK)
    assert deployment.install("--file", str(file)) == 0
    assert (deployment.files, deployment.server.asked) == (["small.onnx"], 0)


def test_what_the_operator_vouches_for_is_recorded_and_asked_for_once(deployment: Deployment) -> None:
    unpinned(deployment)
    deployment.entry["file"]["size_bytes"] = 1_000_000
    assert deployment.install("--sha256", SHA256.upper()) == 0
    assert deployment.files == ["installed.json", "small.onnx"]
    recorded = json.loads((deployment.models / "installed.json").read_text(encoding="utf-8"))
    assert recorded == {"small-1": {"sha256": SHA256, "from": deployment.server.url}}
    assert deployment.install() == 0
    assert deployment.server.asked == 1


def test_a_calibration_of_ones_own_goes_before_the_cards(
    deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "calibration.json"
    for content in ("{", "{}", '{"bias": 1}'):
        file.write_text(content, encoding="utf-8")
        assert deployment.install("--calibration", str(file)) == 2
        assert capsys.readouterr().err.startswith("calibration.json")
        assert deployment.files == ["small.onnx"]
    own = {**deployment.content["speaker_models"][0]["calibration"], "bias": -12.5, "fitted_on": "our recordings"}
    file.write_text(json.dumps(own), encoding="utf-8")
    assert deployment.install("--calibration", str(file)) == 0
    assert "small-1: calibrated on our recordings (" in capsys.readouterr().out
    # A calibration is read where its catalogue lies, and this test's lies elsewhere than its models.
    assert read_catalogue(deployment.catalogue).speaker("small-1").calibration is None
    (deployment.models / "catalogue.json").write_bytes(deployment.catalogue.read_bytes())
    calibration = read_catalogue(deployment.models / "catalogue.json").speaker("small-1").calibration
    assert calibration is not None
    assert (calibration.bias, calibration.fitted_on) == (-12.5, "our recordings")


def test_the_list_tells_what_there_is(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployment.install("--list") == 0
    line = "small-1, MIT, 0.0 MB, kaldi-fbank80, 24 dimensions, NOT calibrated, https://models.example/small"
    assert line in capsys.readouterr().out
    assert deployment.files == []
