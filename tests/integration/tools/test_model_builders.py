"""The graphs that are written from weights: the same bytes as when they were held against the networks themselves.

Each digest was taken when the graph's numbers agreed with torch's, or with the definition in numpy, to 2e-5. A builder
that is changed on purpose needs that comparison anew, and then another digest here or in ``models/catalogue.json``.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from shared.inference.fbank import fbank, segments
from shared.inference.model_card import CATALOGUE_FILE, FbankRules, read_catalogue
from tests.service import REPOSITORY
from tests.unit.inference.golden.signals import voice
from tests.unit.tools.stand_ins import detector_file, detector_weights, encoder_weights
from tools.models.campplus_directions import leading
from tools.models.campplus_int8 import campplus_int8
from tools.models.campplus_onnx import campplus_onnx
from tools.models.campplus_weights import ARRAYS_FILE, DIMENSION, Array, campplus, read_arrays
from tools.models.ge2e_onnx import encoder_onnx
from tools.models.silero_onnx import silero_onnx

LONG = pytest.mark.long_form("computes large networks")
CARD = read_catalogue().speaker("campplus-channels-1")
NOTICES = ("campplus-channels.md", "segmentation-3.0.md", "phrase-frames.md")
TRACKED = CATALOGUE_FILE.parent / CARD.file.name
RULES = FbankRules("povey", 1.0)
CORNERS = "xvector.block1.tdnnd3.nonlinear1.batchnorm.weight"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def run(network: bytes, features: Array) -> Array:
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"features": features[None]})[0][0], np.float32)


def features(seconds: float, pitch_hertz: float = 120.0) -> Array:
    (whole,) = segments(voice(seconds, pitch_hertz), RULES)
    return whole


def likeness(first: Array, second: Array) -> float:
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.fixture(scope="module")
def floats(arrays: dict[str, Array]) -> bytes:
    return campplus_onnx(campplus(arrays))


@pytest.fixture(scope="module")
def whole(arrays: dict[str, Array]) -> bytes:
    """In 8 bits, with every direction."""
    return campplus_int8(campplus(arrays), directions=np.zeros((0, DIMENSION), np.float32))


def test_the_encoder_and_the_detector_are_written_as_they_were() -> None:
    assert sha256(encoder_onnx(encoder_weights())) == "137729c02db06e5a5c399d453149201995b32b29bc7313af9e9b5d337cdbae15"
    assert (
        sha256(silero_onnx(detector_file(detector_weights())))
        == "e08e19054141518e3d983932c6dd3978617a7804ea0b4a73ebac489c8a98347d"
    )


def test_campplus_is_written_as_it_was_whatever_the_signs_of_its_scales(arrays: dict[str, Array]) -> None:
    assert (
        sha256(campplus_onnx(campplus(dict(reversed(arrays.items())))))
        == "115fceb1af5a70213e0dac46b839c2431ba0aaf47a416ad60389b5f99fb9e54c"
    )
    scales = arrays[CORNERS] * np.resize(np.array([1, -1, 0, 1], np.float32), len(arrays[CORNERS]))
    assert (
        sha256(campplus_onnx(campplus({**arrays, CORNERS: scales})))
        == "d6a9122588729e13397ebca84f3c0699dd4045eaf98eb94032bd1abaf73024f9"
    )


def test_the_tracked_network_is_what_the_tracked_arrays_make(arrays: dict[str, Array]) -> None:
    network = TRACKED.read_bytes()
    assert sha256(ARRAYS_FILE.read_bytes()) == CARD.source["arrays_sha256"]
    assert sha256(network) == CARD.file.sha256
    assert campplus_int8(campplus(arrays)) == network


@pytest.mark.parametrize("number", [0, *(pytest.param(number, marks=LONG) for number in (1, 2))])
def test_torch_computes_the_same(floats: bytes, whole: bytes, golden: dict[str, Array], number: int) -> None:
    """``golden`` has a rectifier behind all, so ours gets it too."""
    heard, expected = golden[f"features_{number}"], golden[f"embedding_{number}"]
    np.testing.assert_allclose(np.maximum(run(floats, heard), 0), expected, atol=2e-5)
    assert likeness(np.maximum(run(whole, heard), 0), expected) > 0.99
    samples = np.asarray(golden[f"samples_{number}"], np.float32) / np.float32(32768.0)
    ours = fbank(samples, RULES)
    np.testing.assert_allclose(ours - ours.mean(axis=0), heard, atol=2e-3)


@LONG
def test_8_bits_have_nearly_the_embedding_of_the_floats(floats: bytes, whole: bytes) -> None:
    """Less near than speech has: nobody's values were measured for such sounds."""
    heard = features(4.0, 230.0)
    assert likeness(run(whole, heard), run(floats, heard)) > 0.95


def test_8_bits_are_the_same_whole_numbers_on_every_processor() -> None:
    """What the processor at hand computes of a layer, held against sums in 64 bits. Processors without VNNI add two
    neighbours' products in 16 bits, and cut off what does not fit."""
    model, layer = onnx.load_from_string(TRACKED.read_bytes()), "block3_16"
    constants = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    weights = [values for name, values in constants.items() if values.dtype == np.int8 and name.endswith("_weight")]
    assert len(weights) == 120
    for weight in weights:
        rows = np.abs(np.moveaxis(weight.astype(np.int32), 1, -1).reshape(len(weight), -1))
        assert int((rows[:, 1:] + rows[:, :-1]).max()) * 255 <= np.iinfo(np.int16).max
    names = [f"{layer}_raised", f"{layer}_hidden"]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.UINT8, None) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    read, made = session.run(names, {"features": features(2.0)[None]})
    weight = constants[f"{layer}_hidden_weight"][:, :, 0].astype(np.int64)
    sums = read[0].astype(np.int64) @ weight.T + constants[f"{layer}_hidden_bias"]
    scaled = sums.astype(np.float32) * constants[f"{layer}_hidden_scale"]
    np.testing.assert_array_equal(made[0], np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def test_the_largest_differences_lead_whatever_number_of_them_a_group_has() -> None:
    random = np.random.default_rng(4)
    many, few = np.zeros((500, 5)), np.zeros((10, 5))
    many[:, 1], many[:, 4] = random.normal(0.0, 2.0, 500), random.normal(0.0, 0.1, 500)
    few[:, 3] = random.normal(0.0, 5.0, 10)
    np.testing.assert_allclose(np.abs(leading([many, few], 2)), np.eye(5)[[3, 1]], atol=0.05)


def test_weights_of_something_else_are_refused_by_name(arrays: dict[str, Array], tmp_path: Path) -> None:
    name = "xvector.block2.tdnnd1.cam_layer.linear_local.weight"
    with pytest.raises(ValueError, match=rf"{name} is \(32, 128, 1\), expected \(32, 128, 3\)"):
        campplus(arrays | {name: arrays[name][:, :, :1]})
    with pytest.raises(KeyError, match=name):
        campplus({key: values for key, values in arrays.items() if key != name})
    with pytest.raises(ValueError, match="linear_bias"):
        encoder_onnx(encoder_weights() | {"linear.bias": np.zeros(128, np.float32)})
    detector = detector_weights()
    with pytest.raises(ValueError, match=r"output\.bias is not there as float32"):
        silero_onnx(detector_file(detector | {"output.bias": np.zeros(2, np.float32)}))
    del detector["encoder.3.bias"]
    with pytest.raises(ValueError, match=r"encoder\.3\.bias is not there"):
        silero_onnx(detector_file(detector))
    with pytest.raises(ValueError, match="no ONNX network"):
        silero_onnx(b"a voice activity network")
    np.savez(tmp_path / "arrays.npz", allow_pickle=True, anything=np.array([{}], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_arrays((tmp_path / "arrays.npz").read_bytes())


def test_the_notices_of_our_networks_name_their_files_with_their_sha256() -> None:
    notices = "".join((REPOSITORY / "models" / name).read_text(encoding="utf-8") for name in NOTICES)
    named = dict(re.findall(r"\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|", notices))
    assert len(named) == 9
    assert {name: sha256((REPOSITORY / name).read_bytes()) for name in named} == named
    licence = (REPOSITORY / "models" / "APACHE-2.0.txt").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in licence
    assert "9. Accepting Warranty or Additional Liability" in licence
