"""``python dev.py model NAME`` for a model that a deployment downloads, against a server on this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.unit.tools.deployment import NETWORK, SHA256, Deployment
from tests.unit.tools.model_server import ModelServer
from tools.models.download import SPARE_BYTES, Wanted, downloaded
from tools.models.wheel import BuildFailed


def test_a_model_is_downloaded_tried_and_installed(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployment.install() == 0
    assert deployment.files == ["small.onnx"]
    assert (deployment.models / "small.onnx").read_bytes() == NETWORK
    said = capsys.readouterr().out
    assert f"small-1: downloading {deployment.server.url}" in said
    assert "small-1: small.onnx is ready (0.0 MB, MIT)." in said


def test_progress_is_told(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.install()
    assert "MB (100%)" in capsys.readouterr().out


def test_a_model_without_a_calibration_says_so_loudly(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.install()
    assert "small-1: NO CALIBRATION." in capsys.readouterr().out


def test_what_is_there_and_matches_is_not_downloaded_again(deployment: Deployment) -> None:
    assert deployment.install() == deployment.install() == 0
    assert len(deployment.server.asked) == 1


def test_set_up_downloads_nothing_that_was_not_asked_for(deployment: Deployment) -> None:
    deployment.models.mkdir()
    for built in (deployment.content["speaker_models"][0], deployment.content["voice_activity"]):
        (deployment.models / built["file"]["name"]).write_bytes(b"built before")
        built["file"]["sha256"] = hashlib.sha256(b"built before").hexdigest()
    assert deployment.install(name="") == 0
    assert deployment.files == ["ge2e.onnx", "silero_vad.onnx"]
    assert deployment.server.asked == []


def test_a_wrong_sha256_leaves_nothing(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.server.content = NETWORK[:-1] + b"x"
    assert deployment.install() == 2
    assert f", expected {SHA256}. Nothing was installed.\n" in capsys.readouterr().err
    assert deployment.files == []


def test_a_cut_connection_is_resumed_in_the_same_run(deployment: Deployment) -> None:
    deployment.server.cuts = [2_000, 3_000]
    assert deployment.install() == 0
    assert deployment.server.asked == [None, "bytes=2000-", "bytes=5000-"]
    assert deployment.files == ["small.onnx"]


def test_a_download_given_up_is_resumed_by_the_next_run(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.server.cuts = [2_000, 0, 0, 0]
    assert deployment.install() == 2
    assert "was cut (the server stopped sending) with 0.0 MB there. Run the command again" in capsys.readouterr().err
    assert [name.endswith(".part") for name in deployment.files] == [True]
    assert deployment.install() == 0
    assert deployment.server.asked[-1] == "bytes=2000-"
    assert deployment.files == ["small.onnx"]


def test_a_server_that_cannot_resume_sends_everything_again(deployment: Deployment) -> None:
    deployment.server.cuts, deployment.server.ranges = [2_000], False
    assert deployment.install() == 0
    assert (deployment.models / "small.onnx").read_bytes() == NETWORK


def test_a_beginning_of_something_else_is_found_out_and_thrown_away(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.models.mkdir()
    (deployment.models / f".small.onnx.{SHA256[:16]}.part").write_bytes(b"x" * 100)
    assert deployment.install() == 2
    assert "Nothing was installed" in capsys.readouterr().err
    assert deployment.files == []
    assert deployment.install() == 0


def test_a_whole_part_of_an_interrupted_run_is_used_without_a_request(deployment: Deployment) -> None:
    deployment.models.mkdir()
    (deployment.models / f".small.onnx.{SHA256[:16]}.part").write_bytes(NETWORK)
    assert deployment.install() == 0
    assert deployment.server.asked == []


def test_a_whole_part_of_unknown_size_is_recognised_by_its_sha256(deployment: Deployment) -> None:
    del deployment.entry["file"]["sha256"]
    deployment.entry["file"]["size_bytes"] = 1_000_000
    deployment.models.mkdir()
    (deployment.models / f".small.onnx.{SHA256[:16]}.part").write_bytes(NETWORK)
    assert deployment.install("--sha256", SHA256) == 0
    assert deployment.server.asked == [f"bytes={len(NETWORK)}-"]


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_of_the_server_is_one_sentence(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    deployment.server.status = status
    assert deployment.install() == 2
    error = capsys.readouterr().err
    assert f" answered {status} " in error
    assert "pass it with --file" in error
    assert error.count("\n") == 1
    assert deployment.files == []


def test_no_server_at_all_is_one_sentence(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.entry["source"]["url"] = "http://127.0.0.1:1/model.onnx"
    assert deployment.install() == 2
    assert "The download from 127.0.0.1:1 was cut" in capsys.readouterr().err


def test_a_file_of_another_size_is_not_even_received(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.server.content = NETWORK * 2
    assert deployment.install() == 2
    assert f"has {2 * len(NETWORK):,} bytes; expected are {len(NETWORK):,}" in capsys.readouterr().err
    assert deployment.files == []


def test_a_server_that_sends_without_end_is_cut_off(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.server.content, deployment.server.says_length = NETWORK * 50, False
    assert deployment.install() == 2
    assert "The server sends more than the 0.0 MB expected" in capsys.readouterr().err
    assert deployment.files == []


def test_a_redirect_away_from_https_is_refused(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.server.location = "http://models.example/model.onnx"
    assert deployment.install() == 2
    assert (
        capsys.readouterr().err == "http://models.example/model.onnx is not an https address: nothing was downloaded.\n"
    )


@pytest.mark.parametrize(
    "url", ["http://models.example/model.onnx", "ftp://127.0.0.1/model.onnx", "file:///etc/passwd"]
)
def test_only_https_is_downloaded_from(deployment: Deployment, capsys: pytest.CaptureFixture[str], url: str) -> None:
    deployment.entry["source"]["url"] = url
    assert deployment.install() == 2
    assert "is not an https address" in capsys.readouterr().err


def test_a_full_disk_is_noticed_before_it_is_full(tmp_path: Path, server: ModelServer) -> None:
    wanted = Wanted(server.url, SHA256, len(NETWORK))
    with pytest.raises(BuildFailed, match=r"has 67\.1 MB free; the download needs"):
        downloaded(wanted, tmp_path / "part", lambda there, total: None, free_bytes=lambda folder: SPARE_BYTES)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_does_not_fit_its_entry_is_not_installed(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.entry["dimension"] = 192
    assert deployment.install() == 2
    assert "small.onnx does not fit its entry in the catalogue" in capsys.readouterr().err
    assert deployment.files == []


def test_a_file_that_is_no_network_is_not_installed(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.server.content = b"<html>"
    deployment.entry["file"].update(sha256=hashlib.sha256(b"<html>").hexdigest(), size_bytes=6)
    assert deployment.install() == 2
    assert "does not fit its entry" in capsys.readouterr().err
    assert deployment.files == []
