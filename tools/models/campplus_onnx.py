"""CAM++ as an ONNX graph of 32-bit floats, written node by node from its weights.

Time is the last axis and lies beside itself in memory, so that a dense block's concatenation copies whole stretches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from onnx import TensorProto, helper

from tools.models.campplus_weights import (
    DIMENSION,
    MELS,
    SEGMENT,
    Array,
    Campplus,
    Convolution,
    DenseBlock,
    DenseLayer,
    Rectified,
    Residual,
)
from tools.models.graph import Graph

INPUT: Final = "features"
OUTPUT: Final = "embeddings"
MOST_FRAMES: Final = 6_000
"""Frames of 10 ms that a graph takes at once: one minute. ``fbank.segments`` cuts longer speech."""


def campplus_onnx(network: Campplus) -> bytes:
    """The graph as bytes, the same for the same weights.

    Input ``features`` [1, frames, 80] float32 with the bands' means taken off, 100 to 6,000 frames; output
    ``embeddings`` [1, 192] float32, not of unit length. There is no rectifier behind the last product: 3D-Speaker's
    own network has none (the wheel's has), and strangers are told apart better without.
    """
    graph = Graph()
    bands = graph.node("Transpose", [INPUT], "bands", perm=[0, 2, 1])
    image = graph.node("Unsqueeze", [bands, graph.whole("second_axis", [1])], "image")
    values = _front(graph, network, image)
    values = _convolved(graph, "frames", values, network.frames, strides=[2], pads=[2, 2])
    context = Context(graph, values, time_axis=2, frames_first=True)
    for number, block in enumerate(network.blocks, 1):
        values = _block(graph, f"block{number}", values, block, context)
    values = clipped(graph, "out", values, network.project, (-1, 1))
    weight = network.project.then.weight[:, :, 0]
    product(graph, OUTPUT, pooled(graph, values, context, time_axis=2), weight, network.project.then.bias)
    return graph.serialised("campplus", *interface())


def interface() -> tuple[list[Any], list[Any]]:
    """Descriptions of the input and the output."""
    return (
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, "frames", MELS])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, DIMENSION])],
    )


class Context:
    """What a mask sees of the frames, as two constants of a recording, computed once for all layers.

    A product with ``weights``, float32 [segments, frames] (or, ``frames_first``, the other way round), gives each
    segment's mean plus the mean of all. ``segment_of`` [frames] int64 says where each frame finds its mask. Only the
    number of frames is asked at run time; all else is cut out of a table.
    """

    def __init__(self, graph: Graph, values: str, time_axis: int, frames_first: bool) -> None:
        table = graph.whole("segment_table", np.arange(MOST_FRAMES // 2) // SEGMENT)
        frames = graph.node("Shape", [values], "frame_count", start=time_axis, end=time_axis + 1)
        self.count = graph.node("Cast", [frames], "frame_count_as_number", to=TensorProto.FLOAT)
        self.segment_of = graph.node("Slice", [table, graph.whole("from_first", [0]), frames], "segment_of")
        segments = graph.node("Unique", [self.segment_of], "segments")
        rows, columns = (self.segment_of, segments) if frames_first else (segments, self.segment_of)
        rows = graph.node("Unsqueeze", [rows, graph.whole("as_rows", [1])], "rows")
        belongs = graph.node("Cast", [graph.node("Equal", [rows, columns], "is_in")], "belongs", to=TensorProto.FLOAT)
        shares = graph.node("ReduceMean", [belongs], "segment_shares", axes=[0 if frames_first else 1], keepdims=1)
        own = graph.node("Div", [belongs, shares], "own")
        all_and_own = graph.node("Add", [own, graph.constant("all", np.ones(1, np.float32))], "all_and_own")
        self.weights = graph.node("Div", [all_and_own, self.count], "context_weights")


def _front(graph: Graph, network: Campplus, image: str) -> str:
    """Two-dimensional convolutions over bands and time; [1, 320, frames]."""
    values = _convolved(graph, "front", image, network.front, pads=[1, 1, 1, 1])
    for number, residual in enumerate(network.residuals):
        values = _residual(graph, f"residual{number}", values, residual)
    values = _convolved(graph, "behind", values, network.behind, strides=[2, 1], pads=[1, 1, 1, 1])
    return graph.node("Reshape", [values, graph.whole("bands_as_channels", [1, 320, -1])], "channels")


def _residual(graph: Graph, name: str, values: str, residual: Residual) -> str:
    strides, around = [residual.stride, 1], [1, 1, 1, 1]
    first = _convolved(graph, f"{name}_first", values, residual.first, strides=strides, pads=around)
    second = _convolved(graph, f"{name}_second", first, residual.second, rectified=False, pads=around)
    if residual.shortcut is not None:
        values = _convolved(graph, f"{name}_short", values, residual.shortcut, rectified=False, strides=strides)
    return graph.node("Relu", [graph.node("Add", [second, values], f"{name}_sum")], name)


def _block(graph: Graph, name: str, values: str, block: DenseBlock, context: Context) -> str:
    for number, layer in enumerate(block.layers, 1):
        added = _dense_layer(graph, f"{name}_{number}", values, layer, block.dilation, context)
        values = graph.node("Concat", [values, added], f"{name}_{number}_joined", axis=1)
    rectified = clipped(graph, f"{name}_transit", values, block.transit, (-1, 1))
    return _convolved(graph, f"{name}_end", rectified, block.transit.then, rectified=False)


def _dense_layer(graph: Graph, name: str, values: str, layer: DenseLayer, dilation: int, context: Context) -> str:
    rectified = clipped(graph, name, values, layer.narrow, (-1, 1))
    hidden = _convolved(graph, f"{name}_hidden", rectified, layer.narrow.then)
    kernel = graph.constant(f"{name}_local_weight", layer.local)
    around = [dilation, dilation]
    local = graph.node("Conv", [hidden, kernel], f"{name}_local", dilations=[dilation], pads=around)
    seen = graph.node("MatMul", [hidden, context.weights], f"{name}_seen")
    squeezed = _convolved(graph, f"{name}_squeezed", seen, layer.squeeze)
    mask = _convolved(graph, f"{name}_excited", squeezed, layer.excite, rectified=False)
    mask = graph.node("Sigmoid", [mask], f"{name}_mask")
    spread = graph.node("Gather", [mask, context.segment_of], f"{name}_spread", axis=2)
    return graph.node("Mul", [local, spread], f"{name}_added")


def clipped(graph: Graph, name: str, values: str, rectified: Rectified, shape: Sequence[int]) -> str:
    """max(x, floor) and, in the few layers that need it, min(x, ceiling)."""
    floor = graph.constant(f"{name}_floor", rectified.floor.reshape(shape))
    values = graph.node("Max", [values, floor], f"{name}_raised")
    if not rectified.needs_ceiling:
        return values
    ceiling = graph.constant(f"{name}_ceiling", rectified.ceiling.reshape(shape))
    return graph.node("Min", [values, ceiling], f"{name}_lowered")


def pooled(graph: Graph, values: str, context: Context, time_axis: int) -> str:
    """Mean and deviation (over frames - 1, as torch's) of each channel over time, [1, 2 * channels]."""
    mean = graph.node("ReduceMean", [values], "mean", axes=[time_axis], keepdims=1)
    centred = graph.node("Sub", [values, mean], "centred")
    squares = graph.node("ReduceSumSquare", [centred], "squares", axes=[time_axis], keepdims=1)
    fewer = graph.node("Sub", [context.count, graph.constant("one_frame", np.ones(1, np.float32))], "count_less_one")
    deviation = graph.node("Sqrt", [graph.node("Div", [squares, fewer], "variance")], "deviation")
    return graph.node("Flatten", [graph.node("Concat", [mean, deviation], "both", axis=3 - time_axis)], "statistics")


def product(graph: Graph, name: str, rows: str, weight: Array, bias: Array) -> str:
    """Of rows [n, in] with weights [out, in]."""
    inputs = [rows, graph.constant(f"{name}_weight", weight), graph.constant(f"{name}_bias", bias)]
    return graph.node("Gemm", inputs, name, transB=1)


def _convolved(
    graph: Graph, name: str, values: str, convolution: Convolution, rectified: bool = True, **attributes: Any
) -> str:
    weight = graph.constant(f"{name}_weight", convolution.weight)
    bias = graph.constant(f"{name}_bias", convolution.bias)
    sums = graph.node("Conv", [values, weight, bias], f"{name}_sums" if rectified else name, **attributes)
    return graph.node("Relu", [sums], name) if rectified else sums
