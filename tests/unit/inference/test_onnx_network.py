from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from shared.inference.model_card import SpeakerCard
from shared.inference.onnx_network import ModelFileMissing, ModelUnfit, OnnxNetwork
from tests.unit.inference.networks import fbank_card, pooling_network

WHOLE, OTHER = pooling_network(24), pooling_network(24, seed=8)
SHA256 = hashlib.sha256(WHOLE).hexdigest()


def test_a_missing_file_is_named_with_the_command_that_installs_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ModelFileMissing, match=r"small\.onnx is missing .*python dev\.py model"):
        OnnxNetwork(fbank_card(), tmp_path).run(["embeddings"], {})
    assert "model_missing model=small-1" in caplog.text  # the caller learns nothing of it
    assert "Install it with: python dev.py model small-1" in caplog.text


def test_the_session_opens_once_for_many_threads_and_keeps_to_one(card: SpeakerCard, model_file: Path) -> None:
    network, starting = OnnxNetwork(card, model_file.parent), Barrier(4)

    def opened(_: int) -> int:
        starting.wait()
        return id(network.open())

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(opened, range(4)))) == 1
    options = network.open().get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_opening_is_left_to_the_first_use_and_tried_again(tmp_path: Path) -> None:
    network = OnnxNetwork(fbank_card(sha256=SHA256), tmp_path)
    with pytest.raises(ModelFileMissing):
        network.open()
    (tmp_path / "small.onnx").write_bytes(WHOLE)
    network.open()


@pytest.mark.parametrize(
    ("content", "pinned", "vouched", "reason"),
    [
        (WHOLE[: len(WHOLE) // 2], None, None, r"finds no network in small\.onnx"),
        (OTHER, SHA256, None, r"is not what was installed as small\.onnx"),
        (OTHER, None, SHA256, r"is not what was installed as small\.onnx"),
    ],
    ids=["torn", "not the catalogue's", "not the one that an operator vouched for"],
)
def test_another_file_is_named_with_the_command_that_installs_it_again(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
    pinned: str | None,
    vouched: str | None,
    reason: str,
) -> None:
    (tmp_path / "small.onnx").write_bytes(content)
    (tmp_path / "installed.json").write_text(json.dumps({"small-1": {"sha256": vouched}}), encoding="utf-8")
    with pytest.raises(ModelUnfit, match=rf"{reason}; install it again with: python dev\.py model small-1"):
        OnnxNetwork(fbank_card(sha256=pinned), tmp_path).open()
    assert "model_unfit model=small-1" in caplog.text
