"""How two voices are compared that came by different channels, and what is kept for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from shared.domain.calibration import Calibration, SiteCalibration
from shared.domain.channel import NARROWER, Channel
from shared.domain.profile import Enrollment, Signature
from shared.domain.recording import AudioFormat, Recording, Utterance, Vector
from shared.services.by_channel import embeddings
from shared.services.ports import Numbers
from shared.services.side_by_side import SpeakerModels
from shared.storage.records import signature_bytes, signature_from
from tests.unit.services.spoken import BANDS

CALIBRATION = Calibration(
    -10.0, 20.0, 0.0, 0.0, 0.0, 0.01, 1.0, 12.0, "a test", 40, 1_000, narrow_shift=0.05, telephone_shift=0.1
)  # fmt: skip
WIDE, NARROW, TELEPHONE = Channel
DIRECTIONS = np.eye(3, dtype=np.float32)


@dataclass(frozen=True)
class ThreeChannels:
    """Hears a direction of its own by each channel."""

    model_id: str = "three-1"
    version: str = "2026-01-01"
    calibration: Calibration | None = CALIBRATION
    scored: list[tuple[Channel, float, float]] = field(default_factory=list)

    def embed(self, utterance: Utterance, channel: Channel = WIDE) -> Vector:
        assert channel is not NARROW or utterance.channel is WIDE, "there is nothing to take away"
        return np.asarray(DIRECTIONS[max(channel, utterance.channel)])

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        assert self.calibration is not None
        found = [float(embedding @ one.direction) for one in signatures]
        heard = Channel(int(np.argmax(embedding)))
        self.scored.extend((heard, cosine, self.calibration.bias) for cosine in found)
        return found

    def scores_of_all(self, embedding: Vector, speech_seconds: float, directions: Vector, seconds: Numbers) -> Numbers:
        raise AssertionError

    def with_calibration(self, calibration: Calibration) -> ThreeChannels:
        return replace(self, calibration=calibration)


def utterance(channel: Channel = WIDE) -> Utterance:
    samples = np.zeros(16_000, np.float32)
    recording = Recording(samples, AudioFormat("test", "spoken", 16_000, 1))
    return Utterance(recording, samples == 0.0, 1.0, 30.0, 0.0, -20.0, *BANDS[channel])


def enrolled(*channels: Channel) -> Signature:
    found: Signature | None = None
    for channel in channels:
        embedding, narrowed = embeddings(ThreeChannels(), utterance(channel))
        at = datetime(2026, 1, 1, tzinfo=UTC)
        enrollment = Enrollment(embedding, "three-1", 1.0, 1.0, 30.0, at, narrowed)
        found = found.plus(enrollment) if found else enrollment.signature
    assert found is not None
    return found


ALONE = Signature(DIRECTIONS[WIDE], "three-1", 1.0)
"""Known as it came, and no more."""

HALF = pytest.approx(2**-0.5)
BIAS = {WIDE: -10.0, NARROW: pytest.approx(-11.0), TELEPHONE: pytest.approx(-12.0)}


@pytest.mark.parametrize(
    ("known", "tested", "expected"),
    [
        (WIDE, WIDE, [(WIDE, 1.0, WIDE)]),
        (WIDE, NARROW, [(NARROW, 1.0, NARROW), (NARROW, 0.0, TELEPHONE), (TELEPHONE, 1.0, TELEPHONE)]),
        (WIDE, TELEPHONE, [(TELEPHONE, 0.0, NARROW), (TELEPHONE, 1.0, TELEPHONE), (TELEPHONE, 1.0, TELEPHONE)]),
        (NARROW, WIDE, [(NARROW, 1.0, NARROW), (TELEPHONE, 0.0, TELEPHONE)]),
        (NARROW, NARROW, [(NARROW, 1.0, NARROW)]),
        (NARROW, TELEPHONE, [(TELEPHONE, 0.0, TELEPHONE)]),
        (TELEPHONE, WIDE, [(NARROW, 0.0, NARROW), (TELEPHONE, 1.0, TELEPHONE)]),
        (TELEPHONE, NARROW, [(NARROW, 0.0, NARROW)]),
        (TELEPHONE, TELEPHONE, [(TELEPHONE, 1.0, TELEPHONE)]),
    ],
)
def test_the_best_of_the_ways_counts(
    known: Channel, tested: Channel, expected: list[tuple[Channel, float, Channel]]
) -> None:
    """How the recording sounds, the cosine, and the channel whose strangers' likeness is taken off."""
    model = ThreeChannels()
    (score,) = SpeakerModels(model).scores(utterance(tested), [enrolled(known)])
    assert model.scored == [(heard, cosine, BIAS[strangers]) for heard, cosine, strangers in expected]
    assert score == max(cosine for _, cosine, _ in expected)


@pytest.mark.parametrize("narrow", NARROWER)
def test_enrolled_in_the_wide_band_too_a_voice_is_known_there(narrow: Channel) -> None:
    both = enrolled(WIDE, narrow)
    assert (both.channel, enrolled(narrow, narrow).channel, enrolled(*NARROWER).channel) == (WIDE, NARROW, NARROW)
    assert SpeakerModels(ThreeChannels()).scores(utterance(WIDE), [both]) == [HALF]
    assert SpeakerModels(ThreeChannels()).scores(utterance(TELEPHONE), [both]) == [1.0]


@pytest.mark.parametrize("tested", Channel)
def test_who_is_known_as_he_came_alone_is_compared_so(tested: Channel) -> None:
    model = ThreeChannels()
    SpeakerModels(model).scores(utterance(tested), [ALONE])
    assert model.scored == [(tested, float(tested is WIDE), BIAS[WIDE])]


def test_candidates_of_all_kinds_keep_their_order() -> None:
    candidates = [ALONE, enrolled(WIDE), ALONE, enrolled(TELEPHONE), enrolled(NARROW)]
    assert SpeakerModels(ThreeChannels()).scores(utterance(NARROW), candidates) == [0.0, 1.0, 0.0, 0.0, 1.0]


def test_a_sum_that_one_enrollment_lacks_is_given_up() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    narrowed = {channel: DIRECTIONS[channel] for channel in NARROWER}
    assert ALONE.plus(Enrollment(DIRECTIONS[WIDE], "three-1", 1.0, 1.0, 30.0, at, narrowed)).narrowed == {}


@pytest.mark.parametrize("signature", [ALONE, *(enrolled(channel) for channel in Channel), enrolled(*Channel)])
def test_a_signature_is_stored_whole(signature: Signature) -> None:
    found = signature_from(signature_bytes(signature), "three-1")
    assert (found.speech_seconds, found.channel) == (signature.speech_seconds, signature.channel)
    np.testing.assert_array_equal(found.pooled, signature.pooled)
    assert found.narrowed.keys() == signature.narrowed.keys()
    for channel, total in signature.narrowed.items():
        np.testing.assert_array_equal(found.narrowed[channel], total)


def test_a_calibration_of_the_subscription_counts_for_its_model_alone() -> None:
    own = replace(CALIBRATION, bias=-5.0)
    for model_id, bias in (("three-1", -5.0), ("other-1", -10.0)):
        model = ThreeChannels()
        SpeakerModels(model, site=SiteCalibration(model_id, own)).scores(utterance(), [enrolled(WIDE)])
        assert model.scored[0][2] == bias
