"""Time that runs out while a request is under way."""

from __future__ import annotations

import pytest

from shared.domain.errors import ProfileNotFound
from shared.domain.profile import Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Utterance, Vector
from shared.domain.subscription import SettingsChange
from shared.services.enroll import EnrollSpeech, SpeechRules
from shared.services.settings import ChangeSettings
from shared.services.verify import VerifySpeech
from tests.unit.services.spoken import ACTOR, RULES, Spoken, SpokenModel, World

TIV = ProfileKind.TEXT_INDEPENDENT_VERIFICATION
SHORT = SpeechRules(RULES, needed_speech_seconds=30.0, max_audio_seconds=100.0, at_once=True)


class SlowModel(SpokenModel):
    """Takes half a day for a recording."""

    def __init__(self, world: World) -> None:
        super().__init__()
        object.__setattr__(self, "_world", world)

    def embed(self, utterance: Utterance) -> Vector:
        self._world.clock.advance(hours=12)  # type: ignore[attr-defined]
        return super().embed(utterance)


def enroll(world: World, key: ProfileKey, model: SpokenModel) -> None:
    EnrollSpeech(world.profiles, world.audit, world.listener, model, world.keeper, world.clock)(
        world.me, key, Spoken().audio, SHORT
    )


def enrolled(world: World, policy: SettingsChange) -> ProfileKey:
    world.subscriptions.change("mine", policy)
    key = world.create(TIV)
    enroll(world, key, world.model)
    return key


def found(world: World, key: ProfileKey) -> tuple[Profile, Signature | None]:
    return world.profiles.get_with_signature(key)


def test_a_use_that_began_in_time_is_answered_and_counts_from_its_beginning(world: World) -> None:
    key = enrolled(world, SettingsChange(max_idle_days=1.0))
    began = world.clock.advance(hours=18)
    verify = VerifySpeech(world.profiles, world.listener, SlowModel(world), world.clock)
    assert verify(world.mine.settings, key, Spoken().audio, RULES).decision.accepted
    assert found(world, key)[0].last_action_at == began


def test_a_use_that_took_too_long_brings_nothing_back(world: World) -> None:
    key = enrolled(world, SettingsChange(max_idle_days=0.25))
    verify = VerifySpeech(world.profiles, world.listener, SlowModel(world), world.clock)
    verify(world.mine.settings, key, Spoken().audio, RULES)
    with pytest.raises(ProfileNotFound):
        found(world, key)


def test_an_enrollment_whose_profile_ended_meanwhile_is_refused(world: World) -> None:
    key = enrolled(world, SettingsChange(max_age_days=0.25))
    before = world.stored()
    with pytest.raises(ProfileNotFound):
        enroll(world, key, SlowModel(world))
    assert world.stored() == before


def test_another_policy_begins_a_walk_and_the_same_one_does_not(world: World) -> None:
    class Words:
        def unknown_words(self, phrases: object) -> list[str]:
            return []

    change = ChangeSettings(world.subscriptions, Words(), world.upkeep, world.audit, world.clock)
    change(ACTOR, "mine", SettingsChange(max_candidates=5))
    assert world.stored() == {}
    for _ in range(2):
        change(ACTOR, "mine", SettingsChange(max_age_days=30.0))
        assert len([row for row in world.stored() if ":policy:" in row]) == 2
