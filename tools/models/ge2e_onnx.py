"""The GE2E speaker encoder as an ONNX graph, written node by node from its weights.

Three LSTM layers; the last layer's last hidden state goes through a linear layer, a ReLU, and is normed to unit
length (Wan, Wang, Papir, Lopez Moreno, "Generalized end-to-end loss for speaker verification", ICASSP 2018; the ReLU
is Resemblyzer's own and must stay: without it the equal error rate more than doubles).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools.models.graph import IR_VERSION, OPSET

Array = npt.NDArray[np.float32]

LAYERS: Final = 3
HIDDEN: Final = 256
MELS: Final = 40
WINDOW_FRAMES: Final = 160

_TORCH_GATES: Final = ("i", "f", "g", "o")
_ONNX_GATES: Final = ("i", "o", "f", "g")
"""ONNX calls torch's ``g`` (the cell gate) ``c``."""


def encoder_onnx(weights: Mapping[str, Array]) -> bytes:
    """The graph as bytes, the same for the same weights.

    Input ``mels`` [N, 160, 40] float32, output ``embeddings`` [N, 256] float32 of unit length. ``weights`` are named
    as in Resemblyzer's ``model_state``; ``KeyError`` when one is missing.
    """
    nodes = [helper.make_node("Transpose", ["mels"], ["frames_0"], perm=[1, 0, 2])]
    constants = [numpy_helper.from_array(np.array([1], np.int64), "direction_axis")]
    for layer in range(LAYERS):
        layer_nodes, layer_constants = _lstm(weights, layer)
        nodes += layer_nodes
        constants += layer_constants
    constants += [
        _constant("linear_weight", weights["linear.weight"], (HIDDEN, HIDDEN)),
        _constant("linear_bias", weights["linear.bias"], (HIDDEN,)),
        numpy_helper.from_array(np.array([0], np.int64), "layer_axis"),
    ]
    nodes += [
        helper.make_node("Squeeze", [f"hidden_{LAYERS - 1}", "layer_axis"], ["last"]),
        helper.make_node("Gemm", ["last", "linear_weight", "linear_bias"], ["projected"], transB=1),
        helper.make_node("Relu", ["projected"], ["rectified"]),
        helper.make_node("LpNormalization", ["rectified"], ["embeddings"], axis=1, p=2),
    ]
    return _serialised(nodes, constants)


def _lstm(weights: Mapping[str, Array], layer: int) -> tuple[list[Any], list[Any]]:
    """One layer: its nodes and its constants. Only the last layer's final state is used, so it gives no sequence."""
    inputs = MELS if layer == 0 else HIDDEN
    names = [f"{part}_{layer}" for part in ("input_weight", "state_weight", "bias")]
    bias = [_gates(weights[f"lstm.bias_{part}_l{layer}"]) for part in ("ih", "hh")]
    constants = [
        _constant(names[0], _gates(weights[f"lstm.weight_ih_l{layer}"])[None], (1, 4 * HIDDEN, inputs)),
        _constant(names[1], _gates(weights[f"lstm.weight_hh_l{layer}"])[None], (1, 4 * HIDDEN, HIDDEN)),
        _constant(names[2], np.concatenate(bias)[None], (1, 8 * HIDDEN)),
    ]
    last = layer == LAYERS - 1
    outputs = ["", f"hidden_{layer}"] if last else [f"states_{layer}"]
    nodes = [helper.make_node("LSTM", [f"frames_{layer}", *names], outputs, hidden_size=HIDDEN)]
    if not last:
        nodes.append(helper.make_node("Squeeze", [f"states_{layer}", "direction_axis"], [f"frames_{layer + 1}"]))
    return nodes, constants


def _gates(stacked: Array) -> Array:
    """Rows [4 * hidden, ...] in torch's order of gates, put into ONNX's order."""
    blocks = dict(zip(_TORCH_GATES, np.split(stacked, 4), strict=True))
    return np.concatenate([blocks[gate] for gate in _ONNX_GATES])


def _constant(name: str, values: Array, shape: tuple[int, ...]) -> Any:
    if values.shape != shape or values.dtype != np.float32:
        raise ValueError(f"{name} is {values.dtype} {values.shape}, expected float32 {shape}.")
    return numpy_helper.from_array(np.ascontiguousarray(values), name)


def _serialised(nodes: list[Any], constants: list[Any]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "ge2e",
        [helper.make_tensor_value_info("mels", TensorProto.FLOAT, ["windows", WINDOW_FRAMES, MELS])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["windows", HIDDEN])],
        constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="timbre"
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
