"""CAM++ in numpy, step by step as 3D-Speaker defines it: what the graphs must compute. Slow, and folds nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Weights = Mapping[str, Array]


def embedding(weights: Weights, features: Array) -> Array:
    """[192] of the features [frames, 80]."""
    x = frames(weights, features)
    for block, (layers, dilation) in enumerate(((12, 1), (24, 2), (16, 2)), 1):
        for layer in range(1, layers + 1):
            x = np.concatenate([x, dense_layer(weights, f"xvector.block{block}.tdnnd{layer}", x, dilation)])
        x = rectified(normed(weights, f"xvector.transit{block}.nonlinear.batchnorm", x))
        x = convolved(x, weights[f"xvector.transit{block}.linear.weight"])
    x = rectified(normed(weights, "xvector.out_nonlinear.batchnorm", x))
    statistics = np.concatenate([x.mean(axis=1), x.std(axis=1, ddof=1)])[:, None]
    projected = convolved(statistics, weights["xvector.dense.linear.weight"])
    return normed(weights, "xvector.dense.nonlinear.batchnorm", projected)[:, 0]


def frames(weights: Weights, features: Array) -> Array:
    """The front: [128, frames / 2]."""
    x = image(weights, "head.conv1", "head.bn1", features.T[None])
    for name, stride in (("layer1.0", 2), ("layer1.1", 1), ("layer2.0", 2), ("layer2.1", 1)):
        y = image(weights, f"head.{name}.conv1", f"head.{name}.bn1", x, stride)
        y = normed(weights, f"head.{name}.bn2", convolved_image(y, weights[f"head.{name}.conv2.weight"], 1))
        if stride == 2:
            short = convolved_image(x, weights[f"head.{name}.shortcut.0.weight"], stride)
            x = normed(weights, f"head.{name}.shortcut.1", short)
        x = rectified(y + x)
    x = image(weights, "head.conv2", "head.bn2", x, 2)
    x = convolved(x.reshape(-1, x.shape[2]), weights["xvector.tdnn.linear.weight"])[:, ::2]
    return rectified(normed(weights, "xvector.tdnn.nonlinear.batchnorm", x))


def dense_layer(weights: Weights, name: str, x: Array, dilation: int) -> Array:
    """What a layer adds: [32, frames]."""
    x = rectified(normed(weights, f"{name}.nonlinear1.batchnorm", x))
    x = convolved(x, weights[f"{name}.linear1.weight"])
    hidden = rectified(normed(weights, f"{name}.nonlinear2.batchnorm", x))
    local = convolved(hidden, weights[f"{name}.cam_layer.linear_local.weight"], dilation)
    mask = np.empty_like(local)
    for start in range(0, hidden.shape[1], 100):
        segment = slice(start, start + 100)
        seen = hidden.mean(axis=1, keepdims=True) + hidden[:, segment].mean(axis=1, keepdims=True)
        squeezed = rectified(biased(weights, f"{name}.cam_layer.linear1", seen))
        mask[:, segment] = 1 / (1 + np.exp(-biased(weights, f"{name}.cam_layer.linear2", squeezed)))
    return local * mask


def image(weights: Weights, convolution: str, norm: str, x: Array, stride: int = 1) -> Array:
    return rectified(normed(weights, norm, convolved_image(x, weights[f"{convolution}.weight"], stride)))


def convolved_image(x: Array, weight: Array, stride: int) -> Array:
    """[channels, bands, frames], zeros around it; ``stride`` is that of the bands."""
    around, bands = weight.shape[2] // 2, x.shape[1]
    padded = np.pad(x, ((0, 0), (around, around), (around, around)))
    taps = [
        np.tensordot(weight[:, :, i, j], padded[:, i : i + bands : stride, j : j + x.shape[2]], axes=1)
        for i in range(weight.shape[2])
        for j in range(weight.shape[3])
    ]
    return np.asarray(np.sum(taps, axis=0), np.float32)


def convolved(x: Array, weight: Array, dilation: int = 1) -> Array:
    """[channels, frames], zeros around it."""
    around = weight.shape[2] // 2 * dilation
    padded = np.pad(x, ((0, 0), (around, around)))
    taps = [weight[:, :, i] @ padded[:, i * dilation : i * dilation + x.shape[1]] for i in range(weight.shape[2])]
    return np.asarray(np.sum(taps, axis=0), np.float32)


def biased(weights: Weights, name: str, x: Array) -> Array:
    return convolved(x, weights[f"{name}.weight"]) + weights[f"{name}.bias"][:, None]


def normed(weights: Weights, name: str, x: Array) -> Array:
    column = (-1, *[1] * (x.ndim - 1))
    centred = x - weights[f"{name}.running_mean"].reshape(column)
    x = centred / np.sqrt(weights[f"{name}.running_var"].reshape(column) + np.float32(1e-5))
    if f"{name}.weight" in weights:
        x = x * weights[f"{name}.weight"].reshape(column) + weights[f"{name}.bias"].reshape(column)
    return x


def rectified(x: Array) -> Array:
    return np.maximum(x, np.float32(0))
