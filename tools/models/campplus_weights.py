"""CAM++'s weights as its graphs want them: every batch norm is part of the convolution before or behind it.

The network is that of Wang et al., "CAM++: A fast and efficient network for speaker verification using context-aware
masking" (Interspeech 2023, arXiv 2303.00332), in the form of 3D-Speaker's ``speech_campplus_sv_zh_en_16k``: 80 mel
bands, a front of two-dimensional convolutions, three densely connected blocks, mean and deviation over time, 192
numbers.

A batch norm behind a convolution scales the convolution's outputs. The norm before a convolution is harder, because a
rectifier lies between: relu(a x + b) with a > 0 is a max(x, -b / a) + b, so that the scale and the shift move through
the rectifier into the convolution, and max(x, floor) is what remains. With a < 0 it is a min(x, -b / a) + b.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

ARRAYS_FILE: Final = Path(__file__).with_name("campplus-channels.npz")
"""CAM++ taught channels, float16 by 3D-Speaker's names of them. Its notice: ``models/campplus-channels.md``."""

MELS: Final = 80
DIMENSION: Final = 192
FRONT_CHANNELS: Final = 32
HIDDEN: Final = 128
"""Channels between the two convolutions of a dense layer."""
GROWTH: Final = 32
"""Channels that each dense layer adds."""
BLOCKS: Final = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of each dense block."""
SEGMENT: Final = 100
"""Frames (of 20 ms) in a segment of the context-aware mask."""
BATCH_NORM_EPSILON: Final = 1e-5
"""torch's."""


@dataclass(frozen=True)
class Convolution:
    """``weight`` [out, in, ...taps], ``bias`` [out]."""

    weight: Array
    bias: Array


@dataclass(frozen=True)
class Rectified:
    """max(x, floor), min(x, ceiling), then a convolution. One of both does nothing for each channel; both are [in]."""

    floor: Array
    ceiling: Array
    then: Convolution

    @property
    def needs_ceiling(self) -> bool:
        return bool(np.isfinite(self.ceiling).any())


@dataclass(frozen=True)
class Residual:
    """``second(relu(first(x))) + shortcut(x)``, rectified. ``stride`` is that of the first over the bands."""

    first: Convolution
    second: Convolution
    shortcut: Convolution | None
    stride: int


@dataclass(frozen=True)
class DenseLayer:
    """``hidden = relu(narrow(x))``; adds ``local(hidden) * sigmoid(excite(relu(squeeze(context of hidden))))``."""

    narrow: Rectified
    local: Array
    squeeze: Convolution
    excite: Convolution


@dataclass(frozen=True)
class DenseBlock:
    layers: tuple[DenseLayer, ...]
    dilation: int
    transit: Rectified


@dataclass(frozen=True)
class Campplus:
    """The network in the order of its computation. ``project`` takes mean and deviation of the rectified output."""

    front: Convolution
    residuals: tuple[Residual, ...]
    behind: Convolution
    frames: Convolution
    blocks: tuple[DenseBlock, ...]
    project: Rectified


def read_arrays(content: bytes) -> dict[str, Array]:
    """Named arrays of an ``.npz`` as float32. Raises ``ValueError`` when it is none or holds pickles."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: np.asarray(arrays[name], np.float32) for name in arrays.files}


def campplus(arrays: Mapping[str, Array]) -> Campplus:
    """The folded network. Raises ``KeyError`` when an array is missing and ``ValueError`` for another shape."""
    blocks, channels = [], HIDDEN
    for number, (layers, dilation) in enumerate(BLOCKS, 1):
        block, channels = _block(arrays, f"xvector.block{number}", f"xvector.transit{number}", channels, layers)
        blocks.append(DenseBlock(block[0], dilation, block[1]))
    return Campplus(
        front=_normed(arrays, "head.conv1", "head.bn1", (FRONT_CHANNELS, 1, 3, 3)),
        residuals=tuple(_residual(arrays, layer, place) for layer in (1, 2) for place in (0, 1)),
        behind=_normed(arrays, "head.conv2", "head.bn2", (FRONT_CHANNELS, FRONT_CHANNELS, 3, 3)),
        frames=_normed(
            arrays, "xvector.tdnn.linear", "xvector.tdnn.nonlinear.batchnorm", (HIDDEN, MELS // 8 * FRONT_CHANNELS, 5)
        ),
        blocks=tuple(blocks),
        project=_projection(arrays, channels),
    )


def _residual(arrays: Mapping[str, Array], layer: int, place: int) -> Residual:
    name, square = f"head.layer{layer}.{place}", (FRONT_CHANNELS, FRONT_CHANNELS, 3, 3)
    changes = place == 0
    return Residual(
        first=_normed(arrays, f"{name}.conv1", f"{name}.bn1", square),
        second=_normed(arrays, f"{name}.conv2", f"{name}.bn2", square),
        shortcut=_normed(arrays, f"{name}.shortcut.0", f"{name}.shortcut.1", (*square[:2], 1, 1)) if changes else None,
        stride=2 if changes else 1,
    )


def _block(
    arrays: Mapping[str, Array], name: str, transit: str, channels: int, count: int
) -> tuple[tuple[tuple[DenseLayer, ...], Rectified], int]:
    layers = []
    for number in range(1, count + 1):
        layers.append(_dense_layer(arrays, f"{name}.tdnnd{number}", channels))
        channels += GROWTH
    weight = _array(arrays, f"{transit}.linear.weight", (channels // 2, channels, 1))
    linear = Convolution(weight, np.zeros(len(weight), np.float32))
    return (tuple(layers), _rectified(_norm(arrays, f"{transit}.nonlinear.batchnorm"), linear)), channels // 2


def _dense_layer(arrays: Mapping[str, Array], name: str, channels: int) -> DenseLayer:
    narrow = _normed(arrays, f"{name}.linear1", f"{name}.nonlinear2.batchnorm", (HIDDEN, channels, 1))
    mask = f"{name}.cam_layer"
    return DenseLayer(
        narrow=_rectified(_norm(arrays, f"{name}.nonlinear1.batchnorm"), narrow),
        local=_array(arrays, f"{mask}.linear_local.weight", (GROWTH, HIDDEN, 3)),
        squeeze=Convolution(
            _array(arrays, f"{mask}.linear1.weight", (HIDDEN // 2, HIDDEN, 1)),
            _array(arrays, f"{mask}.linear1.bias", (HIDDEN // 2,)),
        ),
        excite=Convolution(
            _array(arrays, f"{mask}.linear2.weight", (GROWTH, HIDDEN // 2, 1)),
            _array(arrays, f"{mask}.linear2.bias", (GROWTH,)),
        ),
    )


def _projection(arrays: Mapping[str, Array], channels: int) -> Rectified:
    """Of [mean, deviation], both over time. A shift moves the mean alone, and a scale's sign not the deviation."""
    scale, shift = _norm(arrays, "xvector.out_nonlinear.batchnorm")
    linear = _normed(arrays, "xvector.dense.linear", "xvector.dense.nonlinear.batchnorm", (DIMENSION, 2 * channels, 1))
    rectified = _rectified((scale, shift), Convolution(linear.weight[:, :channels], linear.bias))
    deviation = linear.weight[:, channels:] * np.abs(scale)[:, None]
    both = np.concatenate([rectified.then.weight, deviation], axis=1)
    return Rectified(rectified.floor, rectified.ceiling, Convolution(both, rectified.then.bias))


def _rectified(norm: tuple[Array, Array], convolution: Convolution) -> Rectified:
    """The convolution behind a batch norm and a rectifier. Where the norm's scale is zero its shift is all."""
    scale, shift = norm
    corner = np.divide(-shift, scale, out=np.zeros_like(shift), where=scale != 0)
    constant = np.where(scale == 0, np.maximum(shift, 0), shift)
    weight = convolution.weight * scale.reshape(-1, *[1] * (convolution.weight.ndim - 2))
    bias = convolution.bias + convolution.weight.sum(axis=tuple(range(2, convolution.weight.ndim))) @ constant
    return Rectified(
        floor=np.where(scale > 0, corner, np.float32(-np.inf)),
        ceiling=np.where(scale < 0, corner, np.float32(np.inf)),
        then=Convolution(weight, bias),
    )


def _normed(arrays: Mapping[str, Array], name: str, norm: str, shape: tuple[int, ...]) -> Convolution:
    scale, shift = _norm(arrays, norm)
    weight = _array(arrays, f"{name}.weight", shape)
    return Convolution(weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), shift)


def _norm(arrays: Mapping[str, Array], name: str) -> tuple[Array, Array]:
    """The batch norm as a scale and a shift of each channel. The last one of the network has no weights of its own."""
    mean, variance = arrays[f"{name}.running_mean"], arrays[f"{name}.running_var"]
    weight = arrays.get(f"{name}.weight", np.ones_like(mean))
    scale = weight / np.sqrt(variance + np.float32(BATCH_NORM_EPSILON))
    return scale, arrays.get(f"{name}.bias", np.zeros_like(mean)) - mean * scale


def _array(arrays: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    if arrays[name].shape != shape:
        raise ValueError(f"{name} is {arrays[name].shape}, expected {shape}")
    return arrays[name]
