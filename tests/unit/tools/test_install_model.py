"""``python dev.py model NAME`` for a model that a deployment downloads, against a server on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from tests.unit.inference.networks import pooling_network
from tests.unit.tools.model_server import ModelServer
from tools.build_models import main
from tools.models.download import SPARE_BYTES, Wanted, downloaded
from tools.models.wheel import BuildFailed

NETWORK = pooling_network(24)
SHA256 = hashlib.sha256(NETWORK).hexdigest()


class Deployment:
    """An empty models folder and a catalogue whose second model, ``small-1``, lies on the server."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.models, self.catalogue, self.server = folder / "models", folder / "catalogue.json", server
        self.content: dict[str, Any] = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
        self.entry: dict[str, Any] = {
            "model_id": "small-1", "version": "2026-11-22", "dimension": 24, "front_end": "kaldi-fbank80",
            "fbank": {"window": "hamming", "sample_scale": 32768}, "licence": "MIT",
            "source": {"url": server.url, "page": "https://models.example/small", "sha256_origin": "this test"},
            "file": {"name": "small.onnx", "sha256": SHA256, "size_bytes": len(NETWORK)},
        }  # fmt: skip

    def install(self, *arguments: str, name: str = "small-1") -> int:
        self.content["speaker_models"] = [self.content["speaker_models"][0], self.entry]
        self.catalogue.write_text(json.dumps(self.content), encoding="utf-8")
        return main(
            [*([name] if name else []), "--folder", str(self.models), "--catalogue", str(self.catalogue), *arguments]
        )

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.models.iterdir()) if self.models.is_dir() else []


@pytest.fixture
def server() -> Iterator[ModelServer]:
    server = ModelServer(NETWORK)
    yield server
    server.close()


@pytest.fixture
def deployment(tmp_path: Path, server: ModelServer) -> Deployment:
    return Deployment(tmp_path, server)


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
