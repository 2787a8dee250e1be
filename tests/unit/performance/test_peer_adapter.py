"""GE2E's network as sherpa-onnx gets it, without sherpa-onnx: its front end is written down here as its source has it.

With sherpa-onnx 2.0.1 itself the cosines to Timbre's embeddings of the same speech were 0.978 to 0.996 (11 synthesised
recordings of 4 and 10 s, five voices).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from shared.domain.recording import Samples
from shared.inference.embedder import speaker_model
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from tests.performance.peers.adapter import _HIGHEST_HZ, BANDS, _triangles, adapted
from tests.unit.inference.golden.signals import voice

CARD = read_catalogue().speaker("ge2e-1")
NETWORK = CATALOGUE_FILE.parent / CARD.file.name
FRAME, HOP = 400, 160


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sherpa") / "ge2e.onnx"
    adapted(NETWORK, path)
    return path


def log_energies(samples: Samples) -> NDArray[np.float32]:
    """Kaldi's features as sherpa-onnx asks for them for NeMo's models: frames inside the recording alone, each with
    pre-emphasis and a symmetric Hann window, 512 points; shape [1, BANDS, frames]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), FRAME)[::HOP]
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    spectra = np.fft.rfft((frames - 0.97 * before) * np.hanning(FRAME), 512, axis=1)
    filters = _triangles(np.linspace(0.0, 8_000.0, 257), BANDS, _HIGHEST_HZ)
    energies = np.square(np.abs(spectra)) @ filters
    return np.log(np.maximum(energies, np.finfo(np.float32).eps)).T[None].astype(np.float32)


def heard(session: onnxruntime.InferenceSession, samples: Samples) -> NDArray[np.float32]:
    bands = log_energies(samples)
    count = np.array([bands.shape[2]], np.int64)
    return np.asarray(session.run(["voice"], {"bands": bands, "count": count})[0][0])


@pytest.mark.parametrize("seconds", [0.7, 1.6, 2.9, 4.0])
def test_the_copy_hears_nearly_what_timbre_hears(copy: Path, seconds: float) -> None:
    session = onnxruntime.InferenceSession(str(copy), providers=["CPUExecutionProvider"])
    ours = speaker_model(CARD)
    low, high = voice(seconds), voice(seconds, pitch_hertz=210.0)
    assert heard(session, low) @ ours.embed_samples(low) > 0.95
    assert heard(session, high) @ ours.embed_samples(high) > 0.95
    assert heard(session, low) @ ours.embed_samples(high) < 0.9


def test_the_network_in_the_copy_is_the_same(copy: Path) -> None:
    original, with_more = onnx.load(str(NETWORK)).graph, onnx.load(str(copy)).graph
    weights = {one.name: one.SerializeToString() for one in with_more.initializer}
    assert all(weights[one.name] == one.SerializeToString() for one in original.initializer)
    nodes = [one.SerializeToString() for one in with_more.node]
    assert all(one.SerializeToString() in nodes for one in original.node)


def test_the_copy_says_what_sherpa_onnx_asks_for(copy: Path) -> None:
    said = {one.key: one.value for one in onnx.load(str(copy)).metadata_props}
    asked = {"framework", "output_dim", "feat_dim", "sample_rate", "window_size_ms", "window_stride_ms", "language"}
    assert asked <= said.keys()
    assert (said["framework"], said["window_stride_ms"]) == ("nemo", "10")
