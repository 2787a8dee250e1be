"""The network that we build gives what Silero's own gives: ``golden/activity.npz``, made from the file in the wheel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from shared.audio.voice_activity import VoiceActivity, mask_of
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from tests.unit.inference.golden.activity_signals import AROUND_BLOCKS, LENGTHS, Signal, signals

Array = npt.NDArray[np.float32]

REFERENCE = Path(__file__).resolve().parents[1] / "inference" / "golden" / "activity.npz"
TOLERANCE = 5e-5
"""Of a probability. Sums of up to 387 products in another order, and a state that remembers the rounding: 5e-6 is the
most that was seen in an hour of real speech. Ten times that leaves room for processors with other instructions; the
least mistake in a kernel or a column shows at 1e-2 and above."""

NAMES = (
    "sentences, 60 s", "sentences in noise, 20 s", "formants, 6 s", "white noise, 5 s", "clicks, 5 s", "silence, 5 s",
    *(f"{length} samples" for length in (*LENGTHS, *AROUND_BLOCKS)),
)  # fmt: skip


@pytest.fixture(scope="module")
def built() -> VoiceActivity:
    path = CATALOGUE_FILE.parent / read_catalogue().voice_activity.file.name
    if not path.is_file():
        pytest.skip(f"{path.name} is not built: python dev.py model")
    return VoiceActivity(OnnxNetwork(path))


@pytest.fixture(scope="module")
def recordings() -> Mapping[str, Signal]:
    return signals()


@pytest.fixture(scope="module")
def silero() -> Iterator[Mapping[str, Array]]:
    with np.load(REFERENCE) as reference:
        yield reference


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_sileros(
    name: str, built: VoiceActivity, recordings: Mapping[str, Signal], silero: Mapping[str, Array]
) -> None:
    probabilities = built.probabilities(recordings[name])
    assert probabilities.shape == silero[name].shape
    np.testing.assert_allclose(probabilities, silero[name], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_speech_is_where_sileros_network_hears_it(
    name: str, built: VoiceActivity, recordings: Mapping[str, Signal], silero: Mapping[str, Array]
) -> None:
    length = len(recordings[name])
    ours = mask_of(built.probabilities(recordings[name]), length)
    np.testing.assert_array_equal(ours, mask_of(silero[name], length))


def test_the_reference_holds_speech_pauses_and_doubt(silero: Mapping[str, Array]) -> None:
    """Otherwise the tests above would compare nothing."""
    sentences, silence = silero["sentences, 60 s"], silero["silence, 5 s"]
    assert np.mean(sentences > 0.9) > 0.3
    assert np.mean(sentences < 0.1) > 0.05
    assert np.count_nonzero((sentences > 0.2) & (sentences < 0.8)) > 20
    assert silence.max() < 0.1
