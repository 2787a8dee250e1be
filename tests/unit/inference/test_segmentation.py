"""The segmentation network says what pyannote's own did with torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.domain.heard_speech import WINDOW, WINDOW_FRAMES
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.segmentation import OnnxSegmentation
from tests.unit.inference.golden.make_segmentation import GOLDEN, two_voices

TORCH = Path(__file__).resolve().parents[4] / "shared" / "models" / "segmentation-golden.npz"


@pytest.fixture(scope="module")
def network() -> OnnxNetwork:
    return OnnxNetwork(read_catalogue().segmentation)


@pytest.mark.skipif(not TORCH.is_file(), reason="torch's answer is not there")
def test_probabilities_are_those_of_torch(network: OnnxNetwork) -> None:
    with np.load(TORCH) as golden:
        samples, expected = golden["samples"].astype(np.float32) / 32_768, golden["log_probabilities"]
    found = network.run(["log_probabilities"], {"samples": samples[None, None]})[0][0]
    assert np.abs(np.exp(found) - np.exp(expected)).max() < 0.005  # the weights are rounded to float16
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


def test_two_synthetic_voices_are_heard_as_before(network: OnnxNetwork) -> None:
    with np.load(GOLDEN) as golden:
        expected = golden["log_probabilities"].astype(np.float32)
    found = network.run(["log_probabilities"], {"samples": two_voices()[None, None]})[0][0]
    assert np.abs(np.exp(found) - np.exp(expected)).max() < 0.005


def test_speakers_are_told_apart_frame_by_frame(network: OnnxNetwork) -> None:
    speaking = OnnxSegmentation(network).speaking(two_voices())
    assert speaking.shape == (WINDOW_FRAMES, 3)
    man, woman, both = speaking[30:150].mean(axis=0), speaking[270:380].mean(axis=0), speaking[430:520].sum(axis=1)
    assert man.argmax() != woman.argmax()
    assert min(man.max(), woman.max()) > 0.6
    assert (both == 2).mean() > 0.3


def test_silence_follows_what_is_shorter_than_a_window(network: OnnxNetwork) -> None:
    samples = two_voices()[: WINDOW // 4]
    speaking = OnnxSegmentation(network).speaking(samples)
    assert speaking[:140].any()
    assert not speaking[160:].any()
