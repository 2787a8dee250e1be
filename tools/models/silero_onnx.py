"""Silero's voice activity network as matrix products over all frames of a recording, from the weights in its own file.

The file in the wheel convolves every frame of 32 ms by itself, over the 4 columns that a frame has: ONNX Runtime then
multiplies small matrices frame by frame. Here the columns that a kernel sees lie side by side in one row, the rows of
all frames below each other, and each convolution is one product of those rows with the kernel. The sums are the same;
only their order, and so the rounding, is another. Step by step:

- The Fourier transform (windows of 256, hop 128) ran over the frame's 576 samples mirrored by 128 at both ends, and its
  first column was thrown away. The other four begin at samples 0, 128, 256 and 384: none sees the left mirror, and the
  last one sees 64 samples of the right one. So 64 are appended, and each window is two of five pieces of 128.
- Layer 0 (3 taps, padding 1): column k sees k-1, k and k+1.
- Layer 1 (the same, stride 2): two columns remain; they see -1, 0, 1 and 1, 2, 3.
- Layer 2 (the same, stride 2): one column remains; it sees -1, 0 and 1 of two. Column -1 is padding, always zero, so
  the first tap is left out.
- Layer 3 (3 taps, padding 1): of one column only the middle tap sees anything but padding.
- The LSTM goes from frame to frame as before. What follows it, a convolution of one tap, is a product with a vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools.models.graph import Graph

Array = npt.NDArray[np.float32]

INPUT: Final = 576
"""Samples in a frame: 64 of the one before, and 512."""
PIECE: Final = 128
MIRRORED: Final = 64
BINS: Final = 129
HIDDEN: Final = 128

SHAPES: Final[Mapping[str, tuple[int, ...]]] = {
    "stft.forward_basis_buffer": (2 * BINS, 1, 2 * PIECE),
    "encoder.0.weight": (128, BINS, 3),
    "encoder.0.bias": (128,),
    "encoder.1.weight": (64, 128, 3),
    "encoder.1.bias": (64,),
    "encoder.2.weight": (64, 64, 3),
    "encoder.2.bias": (64,),
    "encoder.3.weight": (HIDDEN, 64, 3),
    "encoder.3.bias": (HIDDEN,),
    "onnx::LSTM_209": (1, 4 * HIDDEN, HIDDEN),
    "onnx::LSTM_210": (1, 4 * HIDDEN, HIDDEN),
    "onnx::LSTM_211": (1, 8 * HIDDEN),
    "output.weight": (1, HIDDEN, 1),
    "output.bias": (1,),
}
"""The weights as the wheel's file names them; the basis has the 129 cosines first, then the 129 sines."""
LSTM: Final = {"input_weight": "onnx::LSTM_209", "state_weight": "onnx::LSTM_210", "gate_bias": "onnx::LSTM_211"}

WINDOWS: Final = ((0, 1), (1, 2), (2, 3), (3, 4))
"""The pieces of 128 samples in each window of the Fourier transform."""
STRIDE_1: Final = ((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5))
"""What three taps see of four columns with one of padding on each side."""
STRIDE_2: Final = ((0, 1, 2), (2, 3, 4))
"""What they see with stride 2. The padding on the right is out of reach."""


def silero_onnx(network: bytes) -> bytes:
    """The same function as the wheel's network, as bytes that are the same for the same weights.

    Inputs and outputs are the original's: ``input`` [T, 576], ``h`` and ``c`` [1, 1, 128] to ``speech_probs`` [T],
    ``hn`` and ``cn`` [1, 1, 128], all float32. Raises ``ValueError`` when ``network`` is no ONNX file or has other
    weights.
    """
    graph = _Graph(_weights(network))
    magnitudes = _magnitudes(graph)
    columns = graph.node("Pad", [magnitudes, graph.whole("one_around", [0, 1, 0, 0, 1, 0])], "padded")
    rows = graph.side_by_side(columns, STRIDE_1, 3 * BINS)
    first = graph.layer(0, rows, slice(None))
    columns = graph.node("Reshape", [first, graph.whole("four_columns", [-1, 4, 128])], "columns_0")
    columns = graph.node("Pad", [columns, graph.whole("one_before", [0, 1, 0, 0, 0, 0])], "padded_0")
    second = graph.layer(1, graph.side_by_side(columns, STRIDE_2, 3 * 128), slice(None))
    rows = graph.node("Reshape", [second, graph.whole("two_in_a_row", [-1, 2 * 64])], "rows_1")
    third = graph.layer(2, rows, slice(1, None))
    _recurrent(graph, graph.layer(3, third, slice(1, 2)))
    return _serialised(graph)


class _Graph(Graph):
    """With the weights, and with what is done to columns."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        super().__init__()
        self.weights = weights

    def side_by_side(self, columns: str, seen: Sequence[Sequence[int]], width: int) -> str:
        """From [T, columns, channels]: for each entry of ``seen`` a row of those columns, [T * len(seen), width]."""
        gathered = self.node("Gather", [columns, self.whole(f"{columns}_seen", seen)], f"{columns}_gathered", axis=1)
        return self.node("Reshape", [gathered, self.whole(f"{columns}_width", [-1, width])], f"{columns}_rows")

    def layer(self, index: int, rows: str, taps: slice) -> str:
        """One layer of the encoder: a product with these taps of its kernel below each other, and a ReLU."""
        kernel = self.weights[f"encoder.{index}.weight"][:, :, taps]  # [out, in, taps]
        weight = self.constant(f"weight_{index}", kernel.transpose(2, 1, 0).reshape(-1, kernel.shape[0]))
        bias = self.constant(f"bias_{index}", self.weights[f"encoder.{index}.bias"])
        return self.node("Relu", [self.node("Gemm", [rows, weight, bias], f"sums_{index}")], f"layer_{index}")


def _magnitudes(graph: _Graph) -> str:
    """The Fourier transform's, [T, 4, 129]."""
    mirror = np.arange(INPUT - 2, INPUT - 2 - MIRRORED, -1)
    tail = graph.node("Gather", ["input", graph.whole("mirror", mirror)], "tail", axis=1)
    samples = graph.node("Concat", ["input", tail], "samples", axis=1)
    pieces = graph.node("Reshape", [samples, graph.whole("five_pieces", [-1, 5, PIECE])], "pieces")
    rows = graph.side_by_side(pieces, WINDOWS, 2 * PIECE)
    basis = graph.weights["stft.forward_basis_buffer"][:, 0]
    powers = []
    for part, waves in (("cosines", basis[:BINS]), ("sines", basis[BINS:])):
        product = graph.node("MatMul", [rows, graph.constant(part, waves.T)], f"{part}_product")
        powers.append(graph.node("Mul", [product, product], f"{part}_power"))
    magnitudes = graph.node("Sqrt", [graph.node("Add", powers, "power")], "magnitude_rows")
    return graph.node("Reshape", [magnitudes, graph.whole("four_bins", [-1, 4, BINS])], "magnitudes")


def _recurrent(graph: _Graph, rows: str) -> None:
    """The LSTM over the frames, and the probability of speech in each."""
    sequence = graph.node("Reshape", [rows, graph.whole("sequence", [-1, 1, HIDDEN])], "frames")
    gates = [graph.constant(name, graph.weights[stored]) for name, stored in LSTM.items()]
    graph.nodes.append(
        helper.make_node("LSTM", [sequence, *gates, "", "h", "c"], ["states", "hn", "cn"], hidden_size=HIDDEN)
    )
    states = graph.node("Reshape", ["states", graph.whole("state_rows", [-1, HIDDEN])], "flat_states")
    weight = graph.constant("output_weight", graph.weights["output.weight"][0])
    bias = graph.constant("output_bias", graph.weights["output.bias"])
    logits = graph.node("Gemm", [graph.node("Relu", [states], "rectified"), weight, bias], "logits")
    speech = graph.node("Sigmoid", [logits], "speech")
    graph.node("Reshape", [speech, graph.whole("flat", [-1])], "speech_probs")


def _weights(network: bytes) -> dict[str, Array]:
    try:
        stored = {one.name: numpy_helper.to_array(one) for one in onnx.load_from_string(network).graph.initializer}
    except Exception as error:
        # protobuf raises a type of its own, and onnx several, for bytes that are something else.
        raise ValueError("the file is no ONNX network") from error
    for name, shape in SHAPES.items():
        values = stored.get(name)
        if values is None or values.shape != shape or values.dtype != np.float32:
            raise ValueError(f"{name} is not there as float32 {shape}")
    return {name: np.asarray(stored[name], np.float32) for name in SHAPES}


def _serialised(graph: _Graph) -> bytes:
    inputs = [_described("input", "frames", INPUT), _described("h", 1, 1, HIDDEN), _described("c", 1, 1, HIDDEN)]
    outputs = [_described("speech_probs", "frames"), _described("hn", 1, 1, HIDDEN), _described("cn", 1, 1, HIDDEN)]
    return graph.serialised("silero_vad", inputs, outputs)


def _described(name: str, *shape: str | int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
