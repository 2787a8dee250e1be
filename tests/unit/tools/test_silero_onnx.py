"""The voice activity network in matrix products: the same function as in convolutions, for any weights and length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from tests.unit.tools.convolutions import detector_weights, in_convolutions
from tools.models.silero_onnx import silero_onnx

Array = npt.NDArray[np.float32]
OUTPUTS = ["speech_probs", "hn", "cn"]


def outputs(network: bytes, frames: Array, hidden: Array, cell: Array) -> list[Array]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    return [np.asarray(one) for one in session.run(OUTPUTS, {"input": frames, "h": hidden, "c": cell})]


@pytest.mark.parametrize("count", [1, 2, 3, 100, 512])
def test_products_give_what_convolutions_give(count: int) -> None:
    """With a state from before, and unlike samples at either end of each frame: every column and tap counts."""
    random = np.random.default_rng(count)
    frames = np.asarray(random.normal(0, 0.3, (count, 576)), np.float32)
    hidden, cell = np.asarray(random.normal(0, 0.5, (2, 1, 1, 128)), np.float32)
    original = in_convolutions(detector_weights())
    expected = outputs(original, frames, hidden, cell)
    assert 0.01 < expected[0].min() <= expected[0].max() < 0.99
    for found, wanted in zip(outputs(silero_onnx(original), frames, hidden, cell), expected, strict=True):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-5)


def test_no_frame_is_convolved_by_itself() -> None:
    operators = {
        node.op_type for node in onnx.load_from_string(silero_onnx(in_convolutions(detector_weights()))).graph.node
    }
    assert "Conv" not in operators


def test_the_same_weights_give_the_same_bytes() -> None:
    first, second = (silero_onnx(in_convolutions(detector_weights())) for _ in range(2))
    assert first == second
    assert first != silero_onnx(in_convolutions(detector_weights(seed=6)))


@pytest.mark.parametrize("name", ["stft.forward_basis_buffer", "encoder.2.weight", "onnx::LSTM_211", "output.bias"])
def test_weights_of_another_shape_are_refused(name: str) -> None:
    weights = detector_weights()
    network = in_convolutions(weights | {name: weights[name][..., :-1]})
    with pytest.raises(ValueError, match=f"{name} is not there as float32"):
        silero_onnx(network)


def test_a_network_without_the_weights_is_refused() -> None:
    weights = detector_weights()
    del weights["encoder.3.bias"]
    with pytest.raises(ValueError, match=r"encoder\.3\.bias is not there"):
        silero_onnx(in_convolutions(weights))


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="no ONNX network"):
        silero_onnx(b"a voice activity network")
