"""Which voices are compared in the telephone band, and what is kept for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from shared.domain.calibration import Calibration, SiteCalibration
from shared.domain.profile import Enrollment, Signature
from shared.domain.recording import AudioFormat, Recording, Utterance, Vector
from shared.services.ports import Numbers
from shared.services.side_by_side import SpeakerModels, embeddings
from shared.storage.records import signature_bytes, signature_from

CALIBRATION = Calibration(
    -10.0, 20.0, 0.0, 0.0, 0.0, 0.01, 1.0, 12.0, "a test", 40, 1_000, telephone_shift=0.1
)  # fmt: skip
WIDE, NARROW = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)


@dataclass(frozen=True)
class TwoChannels:
    """Hears the first direction in a wide recording and the second in the telephone band."""

    model_id: str = "two-1"
    version: str = "2026-01-01"
    calibration: Calibration | None = CALIBRATION
    scored: list[tuple[float, float, float]] = field(default_factory=list)

    def embed(self, utterance: Utterance) -> Vector:
        return NARROW if utterance.came_by_telephone else WIDE

    def embed_telephone(self, utterance: Utterance) -> Vector:
        assert not utterance.came_by_telephone, "a second filter only harms"
        return NARROW

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        assert self.calibration is not None
        found = [float(embedding @ one.direction) for one in signatures]
        self.scored.extend((float(embedding[1]), cosine, self.calibration.bias) for cosine in found)
        return found

    def scores_of_all(self, embedding: Vector, speech_seconds: float, directions: Vector, seconds: Numbers) -> Numbers:
        raise AssertionError

    def with_calibration(self, calibration: Calibration) -> TwoChannels:
        return replace(self, calibration=calibration)


def utterance(bandwidth_hz: float = 8_000.0) -> Utterance:
    samples = np.zeros(16_000, np.float32)
    recording = Recording(samples, AudioFormat("test", "spoken", 16_000, 1))
    return Utterance(recording, samples == 0.0, 1.0, 30.0, 0.0, -20.0, bandwidth_hz)


def enrolled(*bandwidths: float) -> Signature:
    found: Signature | None = None
    for bandwidth in bandwidths:
        wide, telephone = embeddings(TwoChannels(), utterance(bandwidth))
        at = datetime(2026, 1, 1, tzinfo=UTC)
        enrollment = Enrollment(wide, "two-1", 1.0, 1.0, 30.0, at, telephone)
        found = found.plus(enrollment) if found else enrollment.signature
    assert found is not None
    return found


OLD = Signature(WIDE, "two-1", 1.0)
SHIFTED = pytest.approx(-12.0)


@pytest.mark.parametrize(
    ("signature", "tested", "expected"),
    [
        (enrolled(8_000.0), 8_000.0, (0.0, 1.0, -10.0)),
        (enrolled(8_000.0), 3_900.0, (1.0, 1.0, SHIFTED)),
        (enrolled(3_900.0), 8_000.0, (1.0, 1.0, SHIFTED)),
        (enrolled(3_900.0, 3_900.0), 3_900.0, (1.0, 1.0, SHIFTED)),
        (enrolled(8_000.0, 3_900.0), 8_000.0, (0.0, pytest.approx(2**-0.5), -10.0)),
        (enrolled(8_000.0, 3_900.0), 3_900.0, (1.0, 1.0, SHIFTED)),
        (OLD, 3_900.0, (1.0, 0.0, -10.0)),
        (OLD, 8_000.0, (0.0, 1.0, -10.0)),
    ],
    ids=["wide", "called", "was called", "calls only", "mixed, wide", "mixed, called", "old, called", "old, wide"],
)
def test_voices_meet_in_the_band_that_both_are_known_in(
    signature: Signature, tested: float, expected: tuple[float, float, float]
) -> None:
    """The embedding's channel, the cosine, and the bias of the calibration that it is scored by."""
    model = TwoChannels()
    SpeakerModels(model).scores(utterance(tested), [signature])
    assert model.scored == [expected]


def test_candidates_of_both_kinds_keep_their_order() -> None:
    scores = SpeakerModels(TwoChannels()).scores(utterance(3_900.0), [OLD, enrolled(8_000.0), OLD, enrolled(3_900.0)])
    assert scores == [0.0, 1.0, 0.0, 1.0]


def test_an_old_signature_stays_one() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert OLD.plus(Enrollment(WIDE, "two-1", 1.0, 1.0, 30.0, at, NARROW)).telephone is None


@pytest.mark.parametrize("signature", [OLD, enrolled(8_000.0), enrolled(3_900.0)])
def test_a_signature_is_stored_whole(signature: Signature) -> None:
    found = signature_from(signature_bytes(signature), "two-1")
    assert found.speech_seconds == signature.speech_seconds
    np.testing.assert_array_equal(found.pooled, signature.pooled)
    if signature.telephone is None:
        assert found.telephone is None
    else:
        np.testing.assert_array_equal(found.telephone, signature.telephone)


def test_a_signature_without_a_telephone_part_is_written_as_ever() -> None:
    assert len(signature_bytes(OLD)) == 8 + 4 * 2


def test_a_calibration_of_the_subscription_counts_for_its_model_alone() -> None:
    own = replace(CALIBRATION, bias=-5.0)
    for model_id, bias in (("two-1", -5.0), ("other-1", -10.0)):
        model = TwoChannels()
        SpeakerModels(model, site=SiteCalibration(model_id, own)).scores(utterance(), [enrolled(8_000.0)])
        assert model.scored[0][2] == bias
