"""The default network as sherpa-onnx gets it, without sherpa-onnx.

With sherpa-onnx 2.0.1 itself the cosines to Timbre's embeddings of the same speech were 0.90 to 0.95 (11 synthesised
recordings of 4 s, four voices), the same voice's 0.87 to 0.93 among each other and others' 0.27 to 0.40.
"""

from __future__ import annotations

import onnx
import pytest

from shared.config import MODEL
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from tests.performance.peers.adapter import adapted

CARD = read_catalogue().speaker(MODEL.default or "")
NETWORK = CATALOGUE_FILE.parent / CARD.file.name


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    path = tmp_path_factory.mktemp("sherpa") / "copy.onnx"
    adapted(NETWORK, path)
    return onnx.load(str(path))


def test_the_copy_is_the_same_network(copy: onnx.ModelProto) -> None:
    assert copy.graph == onnx.load(str(NETWORK)).graph


def test_the_copy_says_what_sherpa_onnx_asks_for(copy: onnx.ModelProto) -> None:
    said = {one.key: one.value for one in copy.metadata_props}
    assert (said["framework"], said["feature_normalize_type"]) == ("3d-speaker", "global-mean")
    assert said["output_dim"] == str(CARD.dimension)
    assert CARD.fbank is not None
    assert (said["normalize_samples"], CARD.fbank.sample_scale) == ("1", 1.0)
