"""A small stand-in for the file in Silero's wheel: the same layers in its own form, with made-up weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from tools.models.silero_onnx import SHAPES

Array = npt.NDArray[np.float32]


def detector_weights(seed: int = 5) -> dict[str, Array]:
    """So large that the probabilities spread, and so small that no gate saturates."""
    random = np.random.default_rng(seed)
    scales = {name: (0.5 if len(shape) < 2 else 1.5) / np.sqrt(np.prod(shape[1:])) for name, shape in SHAPES.items()}
    return {name: np.asarray(random.normal(0, scales[name], shape), np.float32) for name, shape in SHAPES.items()}


def in_convolutions(weights: Mapping[str, Array]) -> bytes:
    """Silero's network as its authors exported it: reflected padding, and a convolution for each layer."""
    nodes = [
        helper.make_node("Pad", ["input", "pads"], ["padded"], mode="reflect"),
        helper.make_node("Unsqueeze", ["padded", "one"], ["channel"]),
        helper.make_node("Conv", ["channel", "stft.forward_basis_buffer"], ["stft"], strides=[128]),
        _slice("stft", "kept", axis="two", start="one", end="end"),
        _slice("kept", "cosines", axis="one", start="zero", end="bins"),
        _slice("kept", "sines", axis="one", start="bins", end="end"),
        helper.make_node("Pow", ["cosines", "square"], ["cosine_power"]),
        helper.make_node("Pow", ["sines", "square"], ["sine_power"]),
        helper.make_node("Add", ["cosine_power", "sine_power"], ["power"]),
        helper.make_node("Sqrt", ["power"], ["layer_0"]),
        *(node for layer, stride in enumerate((1, 2, 2, 1)) for node in _layer(layer, stride)),
        helper.make_node("Transpose", ["layer_4"], ["frames"], perm=[0, 2, 1]),
        helper.make_node(
            "LSTM", ["frames", *(f"onnx::LSTM_{number}" for number in (209, 210, 211)), "", "h", "c"],
            ["states", "hn", "cn"], hidden_size=128,
        ),
        helper.make_node("Squeeze", ["states", "one"], ["squeezed"]),
        helper.make_node("Relu", ["squeezed"], ["rectified"]),
        helper.make_node("Transpose", ["rectified"], ["channels"], perm=[1, 2, 0]),
        helper.make_node("Conv", ["channels", "output.weight", "output.bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["speech"]),
        helper.make_node("Reshape", ["speech", "flat"], ["speech_probs"]),
    ]  # fmt: skip
    return _serialised(nodes, weights)


def _layer(index: int, stride: int) -> list[Any]:
    names = [f"layer_{index}", f"encoder.{index}.weight", f"encoder.{index}.bias"]
    return [
        helper.make_node("Conv", names, [f"sums_{index}"], strides=[stride], pads=[1, 1]),
        helper.make_node("Relu", [f"sums_{index}"], [f"layer_{index + 1}"]),
    ]


def _slice(data: str, output: str, axis: str, start: str, end: str) -> Any:
    return helper.make_node("Slice", [data, start, end, axis], [output])


def _serialised(nodes: Sequence[Any], weights: Mapping[str, Array]) -> bytes:
    whole = {"pads": [0, 128, 0, 128], "zero": [0], "one": [1], "two": [2], "bins": [129], "end": [9999], "flat": [-1]}
    constants = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    constants += [numpy_helper.from_array(np.array(values, np.int64), name) for name, values in whole.items()]
    constants.append(numpy_helper.from_array(np.array(2, np.float32), "square"))
    inputs = {"input": ("frames", 576), "h": (1, 1, 128), "c": (1, 1, 128)}
    outputs = {"speech_probs": ("frames",), "hn": (1, 1, 128), "cn": (1, 1, 128)}
    graph = helper.make_graph(nodes, "convolutions", _described(inputs), _described(outputs), constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))


def _described(values: Mapping[str, tuple[str | int, ...]]) -> list[Any]:
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in values.items()]
