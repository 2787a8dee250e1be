"""How whole numbers from 0 to 255 stand for the values inside CAM++, and numbers from -127 to 127 for its weights.

What speech makes of the network's tensors was measured once (``tools.models.campplus_ranges``), channel by channel; the
result is a file beside the weights. Each channel has a step of its own, which costs nothing at run time: a step is
divided out of the row of weights that makes the channel, and multiplied into the columns of those that read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.models.campplus_weights import Array, Campplus, DenseBlock, Rectified

Numbers = npt.NDArray[np.float64]
Ranges = Mapping[str, Array]
"""By the names of ``campplus_onnx``: the lowest, the highest and the mean value of each channel, [3, channels]; of what
rectifiers give, the mean alone, [1, channels]."""
RECTIFIED: Final = ("_raised", "_lowered")
"""Ends of names of what rectifiers give to the convolutions behind them."""

RANGES_FILE: Final = Path(__file__).with_name("campplus-channels-ranges.npz")

LEVELS: Final = 255
MIDDLE: Final = 128
"""Stands for zero where values have both signs."""
PAIR: Final = 128
"""What two neighbours in a row of weights may amount to: x86 processors without VNNI add two products of 8 bits in 16
(``vpmaddubsw``), and 255 x 128 still fits. So a sum is the same on every processor."""
WIDEST: Final = 4.0
"""How much coarser than it could be a channel is counted, at most, to spare the weights behind it."""
USUAL: Final = 0.99
"""The share of channels whose columns of weights are smaller than the one that others are brought to."""
_SMALLEST: Final = 1e-4
"""Of the largest range in its tensor: channels that never spoke must not get a step of zero."""


@dataclass(frozen=True)
class Grid:
    """The number q of channel c stands for ``(q - zero[c]) * step[c]``; both are [channels]."""

    step: Numbers
    zero: Numbers

    def joined(self, other: Grid) -> Grid:
        return Grid(np.concatenate([self.step, other.step]), np.concatenate([self.zero, other.zero]))

    def repeated(self, times: int) -> Grid:
        return Grid(np.tile(self.step, times), np.tile(self.zero, times))

    def scaled(self, factor: float) -> Grid:
        return Grid(self.step * factor, self.zero)


def grids(network: Campplus, ranges: Ranges) -> dict[str, Grid]:
    """By the name of the tensor. Raises ``KeyError`` when a range is missing."""
    largest = np.abs(ranges["features"][:2]).max()
    found = {"features": Grid(np.full(1, largest / (LEVELS - MIDDLE), np.float64), np.full(1, float(MIDDLE)))}
    found |= _front(network, ranges)
    for number, block in enumerate(network.blocks, 1):
        name = f"block{number - 1}_end" if number > 1 else "frames"
        found[name] = _floored(ranges[name], _readers(block, 0, 0, ranges[name].shape[1]))
        found |= _block(f"block{number}", block, found[name], ranges)
    end = f"block{len(network.blocks)}_end"
    found[end] = _floored(ranges[end], [network.project])
    return found


def rounded(rows: Numbers) -> tuple[npt.NDArray[np.int8], Numbers]:
    """Whole numbers for [out, ...] weights, and the step of each row. Neighbours on the last axes keep to ``PAIR``."""
    flat = rows.reshape(len(rows), -1)
    sizes = np.abs(flat)
    pairs = (sizes[:, 1:] + sizes[:, :-1]).max(axis=1, initial=0.0)
    # Half a step of rounding in each of both, and 127 is the largest single one.
    step = np.maximum(np.maximum(pairs / (PAIR - 1), sizes.max(axis=1) / 127), 1e-12)
    return np.round(flat / step[:, None]).astype(np.int8).reshape(rows.shape), step


def _front(network: Campplus, ranges: Ranges) -> dict[str, Grid]:
    residuals = network.residuals
    found = {"front": _positive(ranges["front"][1], _entrances(network, 0))}
    for number, residual in enumerate(residuals):
        name = f"residual{number}"
        found[f"{name}_first"] = _positive(ranges[f"{name}_first"][1], [residual.second.weight])
    for number in range(0, len(residuals), 2):
        # The second of two adds what comes out of the first as it is: both count in the same steps.
        names = [f"residual{number}", f"residual{number + 1}"]
        readers = [*_entrances(network, number + 1), *_entrances(network, number + 2)]
        same = _positive(np.max([ranges[name][1] for name in names], axis=0), readers)
        found |= dict.fromkeys(names, same)
    for number, residual in enumerate(residuals):
        branches = ["second"] if residual.shortcut is None else ["second", "short"]
        for branch in branches:
            name = f"residual{number}_{branch}"
            found[name] = _multiple(ranges[name], found[f"residual{number}"])
    weight = network.frames.weight
    by_channel = weight.reshape(len(weight), network.behind.weight.shape[0], -1)
    found["behind"] = _positive(ranges["behind"][1], [by_channel])
    return found


def _entrances(network: Campplus, number: int) -> list[Array]:
    """Weights that read what comes before the residual of this number, or before the convolution behind them all."""
    if number >= len(network.residuals):
        return [network.behind.weight]
    residual = network.residuals[number]
    return [residual.first.weight, *([residual.shortcut.weight] if residual.shortcut else [])]


def _block(name: str, block: DenseBlock, entrance: Grid, ranges: Ranges) -> dict[str, Grid]:
    found, channels = {}, len(entrance.step)
    for number, layer in enumerate(block.layers, 1):
        own = f"{name}_{number}"
        found[f"{own}_hidden"] = _positive(ranges[f"{own}_hidden"][1], [layer.local])
        found[f"{own}_local"] = _signed(ranges[f"{own}_local"], [])
        added = ranges[f"{own}_added"]
        readers = [reader.then.weight for reader in _readers(block, number, channels, added.shape[1])]
        found[f"{own}_added"] = _signed(added, readers)
        found[f"{own}_mask"] = _mask(ranges[f"{own}_mask"][1], found[f"{own}_local"], found[f"{own}_added"])
        channels += added.shape[1]
    return found


def _readers(block: DenseBlock, layer: int, start: int, count: int) -> list[Rectified]:
    """What reads ``count`` channels from ``start`` on: the layers from that one on, and the block's end."""
    chosen = slice(start, start + count)
    return [
        Rectified(one.floor[chosen], one.ceiling[chosen], type(one.then)(one.then.weight[:, chosen], one.then.bias))
        for one in (*(layer.narrow for layer in block.layers[layer:]), block.transit)
    ]


def _positive(highest: Array, readers: Sequence[Array]) -> Grid:
    step = _spread(highest) / LEVELS
    return Grid(step * _widening(step, readers), np.zeros(len(step)))


def _signed(ranges: Array, readers: Sequence[Array]) -> Grid:
    step = _spread(np.abs(ranges[:2]).max(axis=0)) / (LEVELS - MIDDLE)
    return Grid(step * _widening(step, readers), np.full(len(step), float(MIDDLE)))


def _multiple(ranges: Array, of: Grid) -> Grid:
    """Signed, with the steps of another grid times one factor: what ``QLinearAdd`` can add."""
    needed = np.abs(ranges[:2]).max(axis=0) / (LEVELS - MIDDLE)
    return Grid(of.step * float((needed / of.step).max()), np.full(len(of.step), float(MIDDLE)))


def _mask(highest: Array, local: Grid, added: Grid) -> Grid:
    """Steps such that local times mask is ``added`` but for one factor: what ``QLinearMul`` can multiply."""
    step = added.step / local.step
    return Grid(step * float((highest / step).max()) / LEVELS, np.zeros(len(step)))


def _floored(ranges: Array, readers: Sequence[Rectified]) -> Grid:
    """From the lowest value that any reader looks at: each takes what is below its floor for the floor."""
    lowest = np.maximum(ranges[0], np.min([reader.floor for reader in readers], axis=0))
    step = _spread(ranges[1] - np.minimum(lowest, ranges[1])) / LEVELS
    weights = [reader.then.weight[:, : len(step)] for reader in readers]
    step = step * _widening(step, weights)
    return Grid(step, -np.minimum(lowest, ranges[1]) / step)


def _spread(sizes: Array) -> Numbers:
    numbers = np.asarray(sizes, np.float64)
    return np.maximum(numbers, max(_SMALLEST * float(numbers.max()), 1e-9))


def _widening(step: Numbers, readers: Sequence[Array]) -> Numbers:
    """How much coarser each channel is counted than its range asks for, [channels].

    A row of weights has one step for all its columns, and the largest sets it. A channel with a small range makes small
    columns, which would be left with few bits, while its own 255 levels are finer than anybody needs.
    """
    if not readers:
        return np.ones(len(step))
    shares = []
    for reader in readers:
        sizes = np.abs(reader.reshape(*reader.shape[:2], -1)) * step[None, :, None]
        largest = sizes.max(axis=(1, 2), keepdims=True)
        shares.append((sizes / np.maximum(largest, 1e-12)).max(axis=(0, 2)))
    share = np.maximum(np.mean(shares, axis=0), 1e-9)
    return np.asarray(np.clip(np.quantile(share, USUAL) / share, 1.0, WIDEST))
