"""CAM++ from named arrays: the graph is the network, for these weights and for any others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from shared.inference.fbank import fbank, segments
from shared.inference.model_card import FbankRules, FbankWindow
from tests.unit.inference.golden.signals import voice
from tests.unit.tools import campplus_reference
from tools.models.campplus_onnx import campplus_onnx
from tools.models.campplus_weights import Array, campplus, read_arrays

RULES = FbankRules(FbankWindow.POVEY, 1.0)
CORNERS = "xvector.block1.tdnnd3.nonlinear1.batchnorm.weight"


def run(network: bytes, features: Array) -> Array:
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"features": features[None]})[0][0], np.float32)


def features(seconds: float, pitch_hertz: float = 120.0) -> Array:
    (whole,) = segments(voice(seconds, pitch_hertz), RULES)
    return whole


@pytest.mark.parametrize("seconds", [1.0, 4.3])  # half a segment of the mask; two whole ones and a piece
def test_the_graph_computes_what_the_definition_says(arrays: dict[str, Array], seconds: float) -> None:
    expected = campplus_reference.embedding(arrays, features(seconds))
    np.testing.assert_allclose(run(campplus_onnx(campplus(arrays)), features(seconds)), expected, atol=2e-5)


def test_scales_of_a_norm_may_be_negative_or_zero(arrays: dict[str, Array]) -> None:
    changed = dict(arrays)
    changed[CORNERS] = arrays[CORNERS] * np.resize(np.array([1, -1, 0, 1], np.float32), len(arrays[CORNERS]))
    expected = campplus_reference.embedding(changed, features(1.0))
    assert float(np.abs(expected - campplus_reference.embedding(arrays, features(1.0))).max()) > 0.01
    np.testing.assert_allclose(run(campplus_onnx(campplus(changed)), features(1.0)), expected, atol=2e-5)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_embeddings_are_those_of_torch(arrays: dict[str, Array], golden: dict[str, Array], number: int) -> None:
    ours = run(campplus_onnx(campplus(arrays)), golden[f"features_{number}"])
    np.testing.assert_allclose(np.maximum(ours, 0), golden[f"embedding_{number}"], atol=2e-5)  # a rectifier behind all


@pytest.mark.parametrize("number", [0, 1, 2])
def test_features_are_those_of_the_teaching(golden: dict[str, Array], number: int) -> None:
    samples = np.asarray(golden[f"samples_{number}"], np.float32) / np.float32(32768.0)
    ours = fbank(samples, RULES)
    np.testing.assert_allclose(ours - ours.mean(axis=0), golden[f"features_{number}"], atol=2e-3)


def test_nothing_but_the_number_of_frames_is_asked_at_run_time(arrays: dict[str, Array]) -> None:
    """And a mask is one product, one gathering and what the definition names."""
    nodes = onnx.load_from_string(campplus_onnx(campplus(arrays))).graph.node
    assert [node.op_type for node in nodes].count("Shape") == 1
    assert len(nodes) <= 52 * 13 + 40


def test_the_same_weights_give_the_same_bytes(arrays: dict[str, Array]) -> None:
    assert campplus_onnx(campplus(arrays)) == campplus_onnx(campplus(dict(reversed(arrays.items()))))


def test_a_missing_array_is_named(arrays: dict[str, Array]) -> None:
    del (changed := dict(arrays))["head.conv2.weight"]
    with pytest.raises(KeyError, match=r"head\.conv2\.weight"):
        campplus(changed)


def test_an_array_of_another_shape_is_named(arrays: dict[str, Array]) -> None:
    name = "xvector.block2.tdnnd1.cam_layer.linear_local.weight"
    with pytest.raises(ValueError, match=rf"{name} is \(32, 128, 1\), expected \(32, 128, 3\)"):
        campplus(arrays | {name: arrays[name][:, :, :1]})


def test_arrays_with_pickles_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", allow_pickle=True, anything=np.array([{}], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_arrays((tmp_path / "arrays.npz").read_bytes())
