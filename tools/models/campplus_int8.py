"""CAM++ as an ONNX graph of 8-bit whole numbers, written node by node from its weights and the ranges of its values.

Channels are the last axis: a convolution over frames is a product of rows with weights that ONNX Runtime packs when it
opens the graph. Within a dense block everything stays in whole numbers: a concatenation copies bytes, a rectifier with
its batch norm is the larger of two bytes (``campplus_weights`` says why), and the mask's product is one of bytes too.
Only what a mask sees, a handful of rows, and the pooling at the end are floats. Uses ONNX Runtime's own operators
(``com.microsoft``), for the standard ones have channels in front.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from tools.models.campplus_grids import MIDDLE, RANGES_FILE, Grid, Numbers, Ranges, grids, rounded
from tools.models.campplus_onnx import INPUT, OUTPUT, Context, interface, pooled, product
from tools.models.campplus_weights import (
    FRONT_CHANNELS,
    MELS,
    Array,
    Campplus,
    Convolution,
    DenseBlock,
    DenseLayer,
    Rectified,
    Residual,
    read_arrays,
)
from tools.models.graph import MICROSOFT, Graph

BANDS_AT_ONCE: Final = 8
"""Of the first convolution, which has one channel to read: so many bands are computed as channels of one product, at
the price of zeros among the weights. One by one took 1.4 ms for 4 s, so 0.8."""
AROUND: Final = [1, 1, 1, 1]

DIRECTIONS_FILE: Final = Path(__file__).with_name("campplus-channels-directions.npz")


def campplus_int8(network: Campplus, ranges: Ranges | None = None, directions: Array | None = None) -> bytes:
    """The graph as bytes, the same for the same weights, ranges and directions; input and output as ``campplus_onnx``.

    ``directions`` [n, 192], of unit length and at right angles, are those of a channel rather than of a voice: the last
    product leaves them out of the embedding.
    """
    ranges = read_arrays(RANGES_FILE.read_bytes()) if ranges is None else ranges
    directions = read_arrays(DIRECTIONS_FILE.read_bytes())["directions"] if directions is None else directions
    integers = _Integers(network, ranges)
    values = _front(integers, network)
    context = Context(integers.graph, values.name, time_axis=1, frames_first=False)
    for number, block in enumerate(network.blocks, 1):
        values = _block(integers, f"block{number}", values, block, context)
    _pooled(integers, values, network.project, context, directions)
    return integers.graph.serialised("campplus_int8", *interface())


def left_out(vectors: Numbers, directions: Array) -> Numbers:
    """Vectors [.., 192] without what they have of the directions [n, 192]."""
    unit = directions.astype(np.float64)
    return np.asarray(vectors - vectors @ unit.T @ unit, np.float64)


@dataclass(frozen=True)
class Tensor:
    """Whole numbers of a known grid. ``mean`` is what they usually are, in steps from the grid's zero, [channels]."""

    name: str
    grid: Grid
    mean: Numbers


class _Integers:
    """A graph whose tensors are whole numbers."""

    def __init__(self, network: Campplus, ranges: Ranges) -> None:
        self.graph, self.ranges, self.grids = Graph(), ranges, grids(network, ranges)

    def byte(self, value: int) -> str:
        return self.graph.once(f"byte_{value}", np.array(value, np.uint8))

    def number(self, value: float) -> str:
        return self.graph.once(f"number_{value!r}", np.array(value, np.float32))

    def tensor(self, name: str) -> Tensor:
        grid = self.grids[name]
        return Tensor(name, grid, self.ranges[name][-1] / grid.step)

    def convolved(self, name: str, read: Tensor, convolution: Convolution, padding: int = 0, **more: Any) -> Tensor:
        """The convolution onto the grid of this name.

        ``padding`` is the number that stands for what lies around. Below zero is cut off by the numbers themselves, so
        that a rectifier behind costs nothing. What rounding the weights adds to the usual sum is taken off the bias.
        """
        times = len(convolution.bias) // len(self.grids[name].step)
        made = self.grids[name].repeated(times)
        # [out, taps, in]: neighbours are what the processor multiplies side by side.
        weight = np.moveaxis(convolution.weight.astype(np.float64), 1, -1) * read.grid.step
        whole, step = rounded(weight)
        taps = tuple(range(1, whole.ndim - 1))
        missed = (weight - whole * step.reshape(-1, *[1] * (whole.ndim - 1))).sum(axis=taps) @ read.mean
        rests = whole.sum(axis=taps, dtype=np.int64) @ (padding - read.grid.zero)
        bias = (convolution.bias + missed + made.zero * made.step) / step + rests
        g = self.graph
        inputs = [
            read.name, self.number(1.0), self.byte(padding), g.constant(f"{name}_weight", np.moveaxis(whole, -1, 1)),
            g.constant(f"{name}_scale", (step / made.step).astype(np.float32)),
            g.once("weight_zero", np.array(0, np.int8)), self.number(1.0), self.byte(0),
            g.constant(f"{name}_bias", np.round(bias).astype(np.int32)),
        ]  # fmt: skip
        kernel = list(convolution.weight.shape[2:])
        g.node("QLinearConv", inputs, name, domain=MICROSOFT, channels_last=1, kernel_shape=kernel, **more)
        return self.tensor(name)

    def clipped(self, name: str, read: Tensor, rectified: Rectified) -> tuple[Tensor, Numbers]:
        """The values between floor and ceiling, on a grid with zero where each channel rests; what it is worth there.

        Of a rounded weight only the product with (value - rest) is wrong, and that is zero for a channel at rest: so
        the sums of what rests are computed here, from the weights as they were.
        """
        grid, has_floor = read.grid, np.isfinite(rectified.floor)
        corner = np.where(has_floor, rectified.floor, rectified.ceiling).astype(np.float64)
        exact = np.round(corner / grid.step + grid.zero)
        rest = np.clip(exact, 0, 255)
        given, floor = f"{name}_raised", np.where(has_floor, rest, 0).astype(np.uint8)
        self.graph.node("Max", [read.name, self.graph.constant(f"{name}_floor", floor)], given)
        if rectified.needs_ceiling:
            top = self.graph.constant(f"{name}_top", np.where(has_floor, 255, rest).astype(np.uint8))
            given = self.graph.node("Min", [given, top], f"{name}_lowered")
        never = np.where(has_floor, exact > rest, exact < rest)  # out of reach: always at rest, exactly in the corner
        worth = np.where(never, corner, (rest - grid.zero) * grid.step)
        usual = (self.ranges[given][-1] - worth) / grid.step if given in self.ranges else np.zeros(len(rest))
        return Tensor(given, Grid(grid.step, rest), usual), worth

    def rectified(self, name: str, clip: str, read: Tensor, rectified: Rectified) -> Tensor:
        """The convolution behind a rectifier, onto the grid of this name."""
        values, worth = self.clipped(clip, read, rectified)
        then = rectified.then
        bias = then.bias + then.weight[:, :, 0] @ worth
        return self.convolved(name, values, Convolution(then.weight, bias.astype(np.float32)))


def _front(integers: _Integers, network: Campplus) -> Tensor:
    """Convolutions over frames and bands, and the one over frames alone; [1, frames / 2, 128]."""
    g, grid = integers.graph, integers.grids[INPUT]
    step = integers.number(float(grid.step[0]))
    whole = g.node("QuantizeLinear", [INPUT, step, integers.byte(MIDDLE)], "features_whole")
    image = Tensor(g.node("Unsqueeze", [whole, g.whole("last_axis", [3])], "image"), grid, np.zeros(1))
    values = integers.convolved(
        "front", image, _at_once(network.front), MIDDLE, strides=[1, BANDS_AT_ONCE], pads=AROUND
    )
    one_band = g.whole("one_band", [1, -1, MELS, FRONT_CHANNELS])
    values = replace(values, name=g.node("Reshape", [values.name, one_band], "bands"))
    for number, residual in enumerate(network.residuals):
        values = _residual(integers, f"residual{number}", values, residual)
    values = integers.convolved("behind", values, _upright(network.behind), strides=[1, 2], pads=AROUND)
    bands = MELS // 8
    as_channels = g.whole("as_channels", [1, -1, bands * FRONT_CHANNELS])
    joined = g.node("Reshape", [values.name, as_channels], "channels")
    values = Tensor(joined, values.grid.repeated(bands), np.tile(values.mean, bands))
    weight = network.frames.weight.reshape(-1, FRONT_CHANNELS, bands, 5).transpose(0, 2, 1, 3)
    frames = Convolution(weight.reshape(len(weight), -1, 5), network.frames.bias)
    return integers.convolved("frames", values, frames, strides=[2], pads=[2, 2])


def _at_once(front: Convolution) -> Convolution:
    weight = np.zeros((BANDS_AT_ONCE, FRONT_CHANNELS, 1, 3, BANDS_AT_ONCE + 2), np.float32)
    for band in range(BANDS_AT_ONCE):
        weight[band, :, :, :, band : band + 3] = _upright(front).weight
    return Convolution(weight.reshape(-1, *weight.shape[2:]), np.tile(front.bias, BANDS_AT_ONCE))


def _residual(integers: _Integers, name: str, values: Tensor, residual: Residual) -> Tensor:
    strides = [1, residual.stride]
    hidden = integers.convolved(f"{name}_first", values, _upright(residual.first), strides=strides, pads=AROUND)
    second = integers.convolved(f"{name}_second", hidden, _upright(residual.second), pads=AROUND)
    short = values
    if residual.shortcut is not None:
        short = integers.convolved(f"{name}_short", values, _upright(residual.shortcut), strides=strides)
    made = integers.tensor(name)
    inputs = []
    for part in (second, short):
        # Steps differ by one factor for all channels, and the zero is the same for all.
        inputs += [part.name, integers.number(_factor(part.grid, made.grid)), integers.byte(int(part.grid.zero[0]))]
    inputs += [integers.number(1.0), integers.byte(0)]
    integers.graph.node("QLinearAdd", inputs, name, domain=MICROSOFT)
    return made


def _block(integers: _Integers, name: str, values: Tensor, block: DenseBlock, context: Context) -> Tensor:
    for number, layer in enumerate(block.layers, 1):
        own = f"{name}_{number}"
        added = _dense_layer(integers, own, values, layer, block.dilation, context)
        joined = integers.graph.node("Concat", [values.name, added.name], f"{own}_joined", axis=2)
        values = Tensor(joined, values.grid.joined(added.grid), np.concatenate([values.mean, added.mean]))
    return integers.rectified(f"{name}_end", f"{name}_transit", values, block.transit)


def _dense_layer(
    integers: _Integers, name: str, values: Tensor, layer: DenseLayer, dilation: int, context: Context
) -> Tensor:
    g, made = integers.graph, integers.tensor(f"{name}_added")
    hidden = integers.rectified(f"{name}_hidden", name, values, layer.narrow)
    unbiased = Convolution(layer.local, np.zeros(len(layer.local), np.float32))
    local = integers.convolved(f"{name}_local", hidden, unbiased, dilations=[dilation], pads=[dilation, dilation])
    mask = _mask(integers, name, hidden, layer, context)
    spread = g.node("Gather", [mask, context.segment_of], f"{name}_spread", axis=0)
    products = Grid(local.grid.step * integers.grids[f"{name}_mask"].step, local.grid.zero)
    middle, one = integers.byte(MIDDLE), integers.number(1.0)
    inputs = [local.name, integers.number(_factor(products, made.grid)), middle, spread, one, integers.byte(0)]
    g.node("QLinearMul", [*inputs, one, middle], made.name, domain=MICROSOFT)
    return made


def _mask(integers: _Integers, name: str, hidden: Tensor, layer: DenseLayer, context: Context) -> str:
    """[segments, 32], on its own grid."""
    g = integers.graph
    floats = g.node("DequantizeLinear", [hidden.name, integers.number(1.0), integers.byte(0)], f"{name}_floats")
    seen = g.node("MatMul", [context.weights, floats], f"{name}_seen")
    hidden_rows = g.once("hidden_rows", np.array([-1, layer.local.shape[1]], np.int64))
    seen = g.node("Reshape", [seen, hidden_rows], f"{name}_rows")
    weight = (layer.squeeze.weight[:, :, 0] * hidden.grid.step).astype(np.float32)
    squeezed = g.node("Relu", [product(g, f"{name}_squeezed", seen, weight, layer.squeeze.bias)], f"{name}_kept")
    excited = product(g, f"{name}_excited", squeezed, layer.excite.weight[:, :, 0], layer.excite.bias)
    mask = g.node("Sigmoid", [excited], f"{name}_open")
    step = g.constant(f"{name}_mask_step", integers.grids[f"{name}_mask"].step.astype(np.float32))
    zero = g.once("mask_zero", np.zeros(len(layer.excite.bias), np.uint8))
    return g.node("QuantizeLinear", [mask, step, zero], f"{name}_mask", axis=1)


def _pooled(integers: _Integers, values: Tensor, project: Rectified, context: Context, directions: Array) -> None:
    """Mean and deviation through the last product, in floats."""
    g = integers.graph
    rested, worth = integers.clipped("out", values, project)
    floats = g.node("DequantizeLinear", [rested.name, integers.number(1.0), integers.byte(0)], "out_floats")
    statistics = pooled(g, floats, context, time_axis=1)
    step, rest = rested.grid.step, rested.grid.zero
    mean, deviation = np.split(project.then.weight[:, :, 0].astype(np.float64), 2, axis=1)
    bias = project.then.bias + mean @ (worth - rest * step)
    weight = np.concatenate([mean * step, deviation * step], axis=1)
    weight, bias = left_out(weight.T, directions).T, left_out(bias, directions)
    product(g, OUTPUT, statistics, weight.astype(np.float32), bias.astype(np.float32))


def _upright(convolution: Convolution) -> Convolution:
    """From [.., bands, frames] to [.., frames, bands], as the features lie."""
    return Convolution(convolution.weight.swapaxes(2, 3), convolution.bias)


def _factor(of: Grid, made: Grid) -> float:
    """How many steps of ``made`` one step of ``of`` is, the same for all channels."""
    return float(np.mean(of.step / made.step))
