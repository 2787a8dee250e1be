from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from shared.inference.onnx_network import ModelFileMissing, ModelUnfit, OnnxNetwork
from tests.unit.inference.networks import pooling_network


def test_a_missing_file_is_named_with_the_command_that_builds_it(tmp_path: Path) -> None:
    network = OnnxNetwork(tmp_path / "ge2e.onnx")
    with pytest.raises(ModelFileMissing, match=r"ge2e\.onnx is missing .*python dev\.py model"):
        network.run(["embeddings"], {})


def test_a_missing_file_is_said_in_the_log_since_the_caller_learns_nothing_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ModelFileMissing):
        OnnxNetwork(tmp_path / "strong.onnx", "strong-1").open()
    assert "model_missing model=strong-1" in caplog.text
    assert "Install it with: python dev.py model strong-1" in caplog.text


def test_the_session_opens_once_for_many_threads(model_file: Path) -> None:
    network = OnnxNetwork(model_file)
    sessions: list[object] = []
    starting = threading.Barrier(4)

    def use() -> None:
        starting.wait()
        network.run(["embeddings"], {"mels": np.ones((1, 160, 40), np.float32)})
        sessions.append(network._session)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sessions) == 4
    assert len(set(map(id, sessions))) == 1


def test_the_session_keeps_to_one_thread(model_file: Path) -> None:
    network = OnnxNetwork(model_file)
    network.open()
    options = network._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_opening_is_left_to_the_first_use(tmp_path: Path) -> None:
    path = tmp_path / "later.onnx"
    network = OnnxNetwork(path)
    with pytest.raises(ModelFileMissing):
        network.open()
    path.write_bytes(pooling_network(24))
    network.open()


def test_a_torn_file_is_named_with_the_command_that_installs_it_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = pooling_network(24)
    (tmp_path / "strong.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnfit, match=r"no network in strong\.onnx; install .*python dev\.py model strong-1"):
        OnnxNetwork(tmp_path / "strong.onnx", "strong-1").open()
    assert "model_unfit model=strong-1" in caplog.text
