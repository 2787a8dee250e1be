"""What was heard is kept, and the gate on noise is applied to what was kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.domain.limits import V2021_SHORT_SPEECH
from tests import voices
from tools.calibration.hearing import Pipeline, open_pipeline
from tools.calibration.kept import KeptHearings
from tools.evaluation import degradations
from tools.evaluation.ears import our_ear


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return open_pipeline("campplus-channels-1")


def test_noise_refuses_what_was_kept_without_it(pipeline: Pipeline, tmp_path: Path) -> None:
    kept = KeptHearings(tmp_path)
    body = degradations.white_noise(5.0)(voices.flite(voices.PASSPORT), np.random.default_rng(0))
    heard = our_ear(pipeline, kept)(body)
    assert heard.embedding is not None
    strict = replace(V2021_SHORT_SPEECH, min_snr_db=20.0)
    refused = our_ear(pipeline, kept, strict)(body)
    assert (refused.embedding, refused.refusal) == (None, "AudioTooNoisy")
    assert len(list(tmp_path.rglob("*.json"))) == 1


def test_the_same_opus_written_twice_is_heard_once(pipeline: Pipeline, tmp_path: Path) -> None:
    """Each Ogg stream has a serial number drawn anew."""
    samples = voices.flite(voices.PASSPORT)
    one, other = (degradations.opus(samples, np.random.default_rng(0)) for _ in range(2))
    assert one != other
    ear = our_ear(pipeline, KeptHearings(tmp_path))
    first, second = ear(one).embedding, ear(other).embedding
    assert first is not None
    assert second is not None
    assert first.tolist() == second.tolist()
    assert len(list(tmp_path.rglob("*.json"))) == 1
