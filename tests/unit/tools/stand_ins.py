"""Small stand-ins for what the wheels of published models hold: made-up weights under the names of the real ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from onnx import helper, numpy_helper

from tools.models.silero_onnx import SHAPES

Array = npt.NDArray[np.float32]


def encoder_weights() -> dict[str, Array]:
    """Of GE2E."""
    random = np.random.default_rng(3)
    shapes = {"linear.weight": (256, 256), "linear.bias": (256,)}
    for layer in range(3):
        shapes[f"lstm.weight_ih_l{layer}"] = (1024, 40 if layer == 0 else 256)
        shapes[f"lstm.weight_hh_l{layer}"] = (1024, 256)
        shapes[f"lstm.bias_ih_l{layer}"] = shapes[f"lstm.bias_hh_l{layer}"] = (1024,)
    return {name: np.asarray(random.normal(0, 0.1, shape), np.float32) for name, shape in shapes.items()}


def detector_weights() -> dict[str, Array]:
    """Of Silero."""
    random = np.random.default_rng(5)
    return {name: np.asarray(random.normal(0, 0.1, shape), np.float32) for name, shape in SHAPES.items()}


def detector_file(weights: Mapping[str, Array]) -> bytes:
    """An ONNX file with these weights, which are all that is taken from Silero's own."""
    constants = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    return bytes(helper.make_model(helper.make_graph([], "stand-in", [], [], constants)).SerializeToString())
