"""Verification: the voice, and for a text-dependent profile the phrase too."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from shared.domain.errors import ProfileNotEnrolled, ProfileNotFound, SpeechTooShort
from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Utterance, Vector
from shared.domain.subscription import SettingsChange, SubscriptionSettings
from shared.services.enroll import EnrollRules
from tests.unit.services.spoken import NO_RECORDING, RULES, TDV, TIV, Spoken, SpokenModel, World

PHRASE = Spoken(phrase=2)


@pytest.fixture
def bound(world: World) -> ProfileKey:
    return world.enrolled(TDV)


@pytest.mark.parametrize("kind", [TDV, TIV])
@pytest.mark.parametrize(("threshold", "accepted"), [(0.49, True), (0.51, False)])
def test_a_voice_60_degrees_away_scores_a_half_and_the_threshold_decides(
    world: World, kind: ProfileKind, threshold: float, accepted: bool
) -> None:
    settings = SubscriptionSettings(verification_threshold=threshold, identification_threshold=0.999)
    decision = world.verify(world.enrolled(kind), Spoken(voice=60, phrase=2), settings=settings).decision
    assert decision.score == pytest.approx(0.5, abs=1e-6)
    assert (decision.threshold, decision.accepted) == (threshold, accepted)


@pytest.mark.parametrize(
    ("spoken", "accepted", "score", "heard"),
    [
        (Spoken(voice=20, phrase=2), True, 0.9397, (EN_US_PASSPHRASES[2], True)),
        (Spoken(voice=90, phrase=2), False, 0.0, (EN_US_PASSPHRASES[2], True)),
        (Spoken(voice=0, phrase=1), False, 0.0, (EN_US_PASSPHRASES[1], True)),
        (Spoken(voice=0, phrase=-1), False, 0.0, (None, False)),
        (Spoken(voice=0, phrase=2, clearly=False), False, 0.0, (EN_US_PASSPHRASES[2], False)),
    ],
    ids=["right", "another voice", "another phrase", "no phrase", "an unclear phrase"],
)
def test_voice_and_phrase_must_both_be_the_enrolled_ones(
    world: World, bound: ProfileKey, spoken: Spoken, accepted: bool, score: float, heard: tuple[str | None, bool]
) -> None:
    result = world.verify(bound, spoken)
    assert result.heard is not None
    assert (result.heard.phrase, result.heard.recognised) == heard
    assert result.decision.accepted is accepted
    assert result.decision.score == pytest.approx(score, abs=1e-4)


def test_text_independent_verification_asks_for_the_voice_alone(world: World) -> None:
    key = world.enrolled(TIV)
    for voice, accepted in ((10, True), (80, False)):
        result = world.verify(key, Spoken(voice=voice, phrase=-1))
        assert (result.decision.accepted, result.heard) == (accepted, None)


def test_a_phrase_taken_off_the_list_still_opens_the_profiles_that_it_binds(world: World, bound: ProfileKey) -> None:
    own = SubscriptionSettings(passphrases={"en-US": ("open the door to the garden", "close the kitchen window now")})
    assert world.verify(bound, Spoken(phrase=2), settings=own).decision.accepted, "behind the list of two"
    assert not world.verify(bound, Spoken(phrase=0), settings=own).decision.accepted, "another allowed phrase"


@pytest.mark.parametrize(
    ("spoken", "accepted", "decided_by"),
    [
        (Spoken(voice=20, phrase=2), True, "voice"),
        (Spoken(voice=90, phrase=2), False, "voice"),
        (Spoken(voice=0, phrase=1), False, "phrase"),
        (Spoken(voice=0, phrase=2, clearly=False), False, "phrase"),
    ],
    ids=["right", "another voice", "another phrase", "an unclear phrase"],
)
def test_by_example_voice_and_phrase_must_be_the_enrolled_ones_too(
    world: World, spoken: Spoken, accepted: bool, decided_by: str
) -> None:
    key = world.create(TDV, locale="zh-CN")
    for _ in range(3):
        world.enroll(key, PHRASE)
    world.clock.advance(days=3)
    before = world.stored()
    result = world.verify(key, spoken)
    assert result.heard is not None
    assert (result.decision.accepted, result.explanation.decided_by, result.heard.phrase) == (accepted, decided_by, "")
    if decided_by == "phrase":
        assert result.decision.score == 0.0
        assert world.stored() == before, "no use of the profile"


@pytest.mark.parametrize("kind", [TDV, TIV])
def test_verifying_notes_the_use_and_writes_nothing_else(world: World, kind: ProfileKind) -> None:
    key = world.enrolled(kind)
    before, later = set(world.stored()), world.clock.advance(days=3)
    world.verify(key, Spoken(voice=90, phrase=2))
    assert world.profiles.get(key).last_action_at == later
    assert set(world.stored()) == before


@pytest.mark.parametrize(
    "spoken", [Spoken(phrase=-1), Spoken(phrase=2, clearly=False), Spoken(phrase=2, speech_seconds=0.4)]
)
def test_a_recording_of_none_of_the_phrases_or_one_that_is_refused_is_no_use(
    world: World, bound: ProfileKey, spoken: Spoken
) -> None:
    world.clock.advance(days=3)
    before = world.stored()
    with pytest.raises(SpeechTooShort) if spoken.speech_seconds < 0.5 else nullcontext():
        world.verify(bound, spoken)
    assert world.stored() == before


@pytest.mark.parametrize(
    ("kind", "missing"),
    [(TDV, r"2 more recording\(s\) of the phrase"), (TIV, r"more speech; it has 2\.00 seconds")],
)
def test_a_profile_without_enough_enrollments_says_what_is_missing(
    world: World, kind: ProfileKind, missing: str
) -> None:
    key = world.create(kind)
    world.enroll(key, PHRASE, EnrollRules(RULES, needed_speech_seconds=20.0))
    with pytest.raises(ProfileNotEnrolled, match=missing):
        world.verify(key, NO_RECORDING)  # told before what is wrong with the recording


def test_a_profile_of_another_subscription_is_not_found(world: World, bound: ProfileKey) -> None:
    with pytest.raises(ProfileNotFound):
        world.verify(ProfileKey("yours", TDV, bound.profile_id), NO_RECORDING)


class SlowModel(SpokenModel):
    """Takes half a day for a recording."""

    def __init__(self, world: World) -> None:
        super().__init__()
        object.__setattr__(self, "_world", world)

    def embed(self, utterance: Utterance) -> Vector:
        self._world.clock.advance(hours=12)  # type: ignore[attr-defined]
        return super().embed(utterance)


def test_a_use_that_began_in_time_is_answered_and_counts_from_its_beginning(world: World) -> None:
    world.subscriptions.change("mine", SettingsChange(max_idle_days=1.0))
    key = world.enrolled(TIV)
    began, world.model = world.clock.advance(hours=18), SlowModel(world)
    assert world.verify(key).decision.accepted
    assert world.profiles.get(key).last_action_at == began


def test_a_use_that_took_too_long_brings_nothing_back(world: World) -> None:
    world.subscriptions.change("mine", SettingsChange(max_idle_days=0.25))
    key = world.enrolled(TIV)
    world.model = SlowModel(world)
    world.verify(key)
    with pytest.raises(ProfileNotFound):
        world.profiles.get(key)
