"""pyannote's segmentation-3.0 as an ONNX graph, written node by node from its weights.

Who of up to three speakers talks in each frame of a window (Bredin and Laurent, "End-to-end speaker segmentation for
overlap-aware resegmentation", Interspeech 2021; Plaquet and Bredin, "Powerset multi-class cross entropy loss for neural
speaker diarization", Interspeech 2023): filters over the samples, two convolutions, four bidirectional LSTM layers, two
linear layers, and one of seven classes a frame. The graph holds its weights as float16, as their file does: 3 MB rather
than 6. ONNX Runtime makes floats of them once, when it opens the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from tools.models.graph import Graph

Array = npt.NDArray[np.float32]

HIDDEN: Final = 128
LAYERS: Final = 4
CLASSES: Final = 7
SLOPE: Final = 0.01
"""torch's, of a leaky ReLU."""
EPSILON: Final = 1e-5
"""torch's, of an instance norm."""


def segmentation_onnx(weights: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The graph as bytes, the same for the same weights.

    Input ``samples`` [windows, 1, n] float32 at 16 kHz, output ``log_probabilities`` [windows, frames, 7] float32:
    nobody; speaker 1, 2, 3; 1 and 2, 1 and 3, 2 and 3. ``weights`` are named as in pyannote's state dict, the filters
    as the plain convolution that they amount to; ``KeyError`` when one is missing.
    """
    graph = _Graph(weights)
    frames = _filtered(graph)
    for layer in range(LAYERS):
        frames = _recurrent(graph, frames, layer)
    for number in range(2):
        frames = graph.node("LeakyRelu", [_linear(graph, f"linear.{number}", frames)], f"bent_{number}", alpha=SLOPE)
    classes = graph.node("LogSoftmax", [_linear(graph, "classifier", frames)], "classes", axis=-1)
    graph.node("Transpose", [classes], "log_probabilities", perm=[1, 0, 2])
    given = helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["windows", 1, "n"])
    made = helper.make_tensor_value_info("log_probabilities", TensorProto.FLOAT, ["windows", "frames", CLASSES])
    return graph.serialised("segmentation", [given], [made])


class _Graph(Graph):
    """With the weights."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        super().__init__()
        self.weights = weights

    def stored(self, name: str, values: npt.NDArray[Any] | None = None) -> str:
        """The weights of this name, or made of several, as floats."""
        values = self.weights[name] if values is None else values
        half = self.constant(f"{name}_half", np.asarray(values, np.float16))
        return self.node("Cast", [half], name, to=TensorProto.FLOAT)


def _filtered(graph: _Graph) -> str:
    """From samples to frames, [frames, windows, 60]."""
    values = _normed(graph, "sincnet.wav_norm1d", "samples")
    for layer in range(3):
        name = f"sincnet.conv1d.{layer}"
        bias = [graph.stored(f"{name}.bias")] if layer else []  # the filters have none
        stride = 1 if layer else 10
        values = graph.node("Conv", [values, graph.stored(f"{name}.weight"), *bias], f"{name}_made", strides=[stride])
        if not layer:
            values = graph.node("Abs", [values], "magnitudes")
        values = graph.node("MaxPool", [values], f"{name}_pooled", kernel_shape=[3], strides=[3])
        values = _normed(graph, f"sincnet.norm1d.{layer}", values)
        values = graph.node("LeakyRelu", [values], f"{name}_bent", alpha=SLOPE)
    return graph.node("Transpose", [values], "frames", perm=[2, 0, 1])


def _recurrent(graph: _Graph, frames: str, layer: int) -> str:
    """One layer, both ways: [frames, windows, in] to [frames, windows, 256]."""
    stacked = {
        part: np.stack([_gates(graph.weights[f"lstm.{part}_l{layer}{way}"]) for way in ("", "_reverse")])
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    bias = np.concatenate([stacked["bias_ih"], stacked["bias_hh"]], axis=1)
    inputs = [
        graph.stored(f"input_weight_{layer}", stacked["weight_ih"]),
        graph.stored(f"state_weight_{layer}", stacked["weight_hh"]),
        graph.stored(f"bias_{layer}", bias),
    ]
    states = graph.node("LSTM", [frames, *inputs], f"states_{layer}", hidden_size=HIDDEN, direction="bidirectional")
    side_by_side = graph.node("Transpose", [states], f"ways_{layer}", perm=[0, 2, 1, 3])
    shape = graph.once("joined_shape", np.array([0, 0, 2 * HIDDEN], np.int64))
    return graph.node("Reshape", [side_by_side, shape], f"joined_{layer}")


def _gates(stacked: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows [4 * hidden, ...] in torch's order of gates (i, f, g, o), put into ONNX's (i, o, f, c)."""
    input_gate, forget, cell, output = np.split(stacked, 4)
    return np.concatenate([input_gate, output, forget, cell])


def _linear(graph: _Graph, name: str, frames: str) -> str:
    weight = graph.stored(f"{name}_weight", graph.weights[f"{name}.weight"].T)
    product = graph.node("MatMul", [frames, weight], f"{name}_product")
    return graph.node("Add", [product, graph.stored(f"{name}.bias")], f"{name}_sum")


def _normed(graph: _Graph, name: str, values: str) -> str:
    inputs = [values, graph.stored(f"{name}.weight"), graph.stored(f"{name}.bias")]
    return graph.node("InstanceNormalization", inputs, f"{name}_made", epsilon=EPSILON)
