"""CAM++ in whole numbers of 8 bits: close to the floats, the same on every processor, made of what is tracked."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from shared.inference.model_card import CATALOGUE_FILE, ArraysSource, read_catalogue
from tests.unit.tools.test_campplus_onnx import features, run
from tools.models.campplus_directions import DIRECTIONS, leading
from tools.models.campplus_grids import PAIR, RANGES_FILE, grids, rounded
from tools.models.campplus_int8 import DIRECTIONS_FILE, campplus_int8, left_out
from tools.models.campplus_onnx import campplus_onnx
from tools.models.campplus_weights import ARRAYS_FILE, DIMENSION, Array, campplus, read_arrays

CARD = read_catalogue().speaker("campplus-channels-1")
TRACKED = CATALOGUE_FILE.parent / CARD.file.name


@pytest.fixture(scope="module")
def network() -> bytes:
    return TRACKED.read_bytes()


@pytest.fixture(scope="module")
def whole(arrays: dict[str, Array]) -> bytes:
    """The network with every direction."""
    return campplus_int8(campplus(arrays), directions=np.zeros((0, DIMENSION), np.float32))


@pytest.fixture(scope="module")
def directions() -> Array:
    return read_arrays(DIRECTIONS_FILE.read_bytes())["directions"]


@pytest.fixture(scope="module")
def constants(network: bytes) -> dict[str, npt.NDArray[Any]]:
    return {one.name: numpy_helper.to_array(one) for one in onnx.load_from_string(network).graph.initializer}


def likeness(one: Array, other: Array) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_the_tracked_network_is_what_the_tracked_arrays_make(arrays: dict[str, Array], network: bytes) -> None:
    assert isinstance(CARD.source, ArraysSource)
    assert hashlib.sha256(ARRAYS_FILE.read_bytes()).hexdigest() == CARD.source.arrays_sha256
    assert hashlib.sha256(network).hexdigest() == CARD.file.sha256
    assert campplus_int8(campplus(arrays)) == network


@pytest.mark.parametrize("number", [0, 1, 2])
def test_speech_has_nearly_the_embedding_of_the_floats(golden: dict[str, Array], whole: bytes, number: int) -> None:
    """``golden`` has a rectifier behind all, so ours gets one."""
    ours = np.maximum(run(whole, golden[f"features_{number}"]), 0)
    assert likeness(ours, golden[f"embedding_{number}"]) > 0.99


@pytest.mark.parametrize("pitch", [110.0, 230.0])
def test_formulas_have_nearly_the_embedding_of_the_floats(arrays: dict[str, Array], whole: bytes, pitch: float) -> None:
    """Less near than speech has: nobody's values were measured for such sounds."""
    heard = features(4.0, pitch)
    assert likeness(run(whole, heard), run(campplus_onnx(campplus(arrays)), heard)) > 0.95


def test_directions_of_channels_are_left_out_and_nothing_else(whole: bytes, network: bytes, directions: Array) -> None:
    heard = features(3.0, 150.0)
    embedding = run(network, heard)
    expected = left_out(run(whole, heard).astype(np.float64), directions)
    np.testing.assert_allclose(embedding.astype(np.float64), expected, atol=1e-4)
    np.testing.assert_allclose(directions @ embedding, 0.0, atol=1e-4)


def test_the_directions_are_of_unit_length_and_at_right_angles(directions: Array) -> None:
    np.testing.assert_allclose(directions @ directions.T, np.eye(DIRECTIONS), atol=1e-5)


def test_the_largest_differences_lead_whatever_number_of_them_a_group_has() -> None:
    random = np.random.default_rng(4)
    many, few = np.zeros((500, 5)), np.zeros((10, 5))
    many[:, 1], many[:, 4] = random.normal(0.0, 2.0, 500), random.normal(0.0, 0.1, 500)
    few[:, 3] = random.normal(0.0, 5.0, 10)
    np.testing.assert_allclose(np.abs(leading([many, few], 2)), np.eye(5)[[3, 1]], atol=0.05)


def test_no_sum_of_two_products_leaves_16_bits(constants: dict[str, npt.NDArray[Any]]) -> None:
    """Processors without VNNI add two neighbours' products in 16 bits, and cut off what does not fit."""
    weights = [values for name, values in constants.items() if values.dtype == np.int8 and name.endswith("_weight")]
    assert len(weights) == 120
    for weight in weights:
        rows = np.abs(np.moveaxis(weight.astype(np.int32), 1, -1).reshape(len(weight), -1))
        assert int((rows[:, 1:] + rows[:, :-1]).max()) * 255 <= np.iinfo(np.int16).max
    assert np.iinfo(np.int16).max >= PAIR * 255


@pytest.mark.parametrize("layer", ["block1_7", "block3_16"])
def test_a_layer_is_the_same_whole_numbers_on_every_processor(
    network: bytes, constants: dict[str, npt.NDArray[Any]], layer: str
) -> None:
    """What the processor at hand computes, held against sums in 64 bits."""
    model = onnx.load_from_string(network)
    names = [f"{layer}_raised", f"{layer}_hidden"]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.UINT8, None) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    read, made = session.run(names, {"features": features(2.0)[None]})
    weight = constants[f"{layer}_hidden_weight"][:, :, 0].astype(np.int64)
    sums = read[0].astype(np.int64) @ weight.T + constants[f"{layer}_hidden_bias"]
    scaled = sums.astype(np.float32) * constants[f"{layer}_hidden_scale"]
    np.testing.assert_array_equal(made[0], np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def test_frames_of_a_dense_block_stay_whole_numbers(network: bytes) -> None:
    """Floats are what a mask sees (one conversion a layer), the masks themselves and the pooling."""
    kinds = [node.op_type for node in onnx.load_from_string(network).graph.node]
    assert kinds.count("DequantizeLinear") == 52 + 1
    assert kinds.count("QuantizeLinear") == 52 + 1
    assert kinds.count("Shape") == 1
    assert len(kinds) <= 52 * 14 + 60


def test_another_range_makes_another_network(arrays: dict[str, Array], network: bytes) -> None:
    ranges = read_arrays(RANGES_FILE.read_bytes())
    ranges["block1_1_hidden"] = ranges["block1_1_hidden"] * np.float32(1.5)
    assert campplus_int8(campplus(arrays), ranges) != network


def test_a_missing_range_is_named(arrays: dict[str, Array]) -> None:
    ranges = read_arrays(RANGES_FILE.read_bytes())
    del ranges["block2_3_local"]
    with pytest.raises(KeyError, match="block2_3_local"):
        grids(campplus(arrays), ranges)


def test_rows_of_weights_are_rounded_to_their_own_steps() -> None:
    rows = np.random.default_rng(3).normal(0.0, 1.0, (5, 3, 40)) * np.array([1.0, 10.0, 1e-3, 5.0, 0.0])[:, None, None]
    whole, step = rounded(rows)
    assert whole.shape == rows.shape
    sizes = np.abs(whole.astype(int).reshape(5, -1))
    assert (sizes[:, 1:] + sizes[:, :-1]).max(axis=1).tolist()[:4] == pytest.approx([PAIR] * 4, abs=2)
    np.testing.assert_allclose(whole * step[:, None, None], rows, atol=float(step.max()) / 2)
