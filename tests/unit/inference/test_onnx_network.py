from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from shared.inference.onnx_network import ModelFileMissing, ModelUnfit, OnnxNetwork
from tests.unit.inference.networks import pooling_network


def test_a_missing_file_is_named_with_the_command_that_installs_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ModelFileMissing, match=r"ge2e\.onnx is missing .*python dev\.py model"):
        OnnxNetwork(tmp_path / "ge2e.onnx").run(["embeddings"], {})
    with pytest.raises(ModelFileMissing):
        OnnxNetwork(tmp_path / "strong.onnx", "strong-1").open()
    assert "model_missing model=strong-1" in caplog.text  # the caller learns nothing of it
    assert "Install it with: python dev.py model strong-1" in caplog.text


def test_the_session_opens_once_for_many_threads_and_keeps_to_one(model_file: Path) -> None:
    network, starting = OnnxNetwork(model_file), Barrier(4)

    def opened(_: int) -> int:
        starting.wait()
        return id(network.open())

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(opened, range(4)))) == 1
    options = network.open().get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_opening_is_left_to_the_first_use_and_tried_again(tmp_path: Path) -> None:
    network = OnnxNetwork(tmp_path / "later.onnx")
    with pytest.raises(ModelFileMissing):
        network.open()
    (tmp_path / "later.onnx").write_bytes(pooling_network(24))
    network.open()


def test_a_torn_file_is_named_with_the_command_that_installs_it_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = pooling_network(24)
    (tmp_path / "strong.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnfit, match=r"no network in strong\.onnx; install .*python dev\.py model strong-1"):
        OnnxNetwork(tmp_path / "strong.onnx", "strong-1").open()
    assert "model_unfit model=strong-1" in caplog.text
