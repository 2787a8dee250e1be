"""Two models at once: every profile is served by the one that made its signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from shared.domain.errors import ModelDiffers
from shared.domain.group import Everyone
from shared.domain.profile import EnrollmentStatus, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Utterance, Vector
from shared.services.enroll import EnrollPhrase, EnrollSpeech, SpeechRules
from shared.services.identify import Identify
from shared.services.identify_among import IdentifyAmong
from shared.services.ports import SpeakerModel
from shared.services.side_by_side import SpeakerModels
from shared.services.verify import VerifyPhrase, VerifySpeech
from tests.unit.services.spoken import RULES, Interrupted, Spoken, SpokenModel, World

SPEECH: Final = SpeechRules(RULES, needed_speech_seconds=1.0, max_audio_seconds=300.0, at_once=False)
TIV, TII = ProfileKind.TEXT_INDEPENDENT_VERIFICATION, ProfileKind.IDENTIFICATION


@dataclass(frozen=True)
class Strict(SpokenModel):
    """Refuses foreign signatures as the real models do, and counts the recordings that it hears."""

    embedded: list[str] = field(default_factory=list, compare=False)

    def embed(self, utterance: Utterance) -> Vector:
        self.embedded.append(self.model_id)
        return super().embed(utterance)

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        assert {one.model_id for one in signatures} <= {self.model_id}
        return super().scores(embedding, speech_seconds, signatures)


@dataclass
class Change:
    """A service that has just gone from the model ``old-1`` to ``new-1``."""

    world: World
    old: Strict = field(default_factory=lambda: Strict("old-1"))
    new: Strict = field(default_factory=lambda: Strict("new-1"))

    def enroll(
        self, key: ProfileKey, voice: float, model: SpeakerModel, previous: SpeakerModel | None = None
    ) -> str | None:
        world = self.world
        use_case = EnrollSpeech(world.profiles, world.audit, world.listener, model, world.keeper, world.clock, previous)
        return use_case(world.me, key, Spoken(voice=voice).audio, SPEECH).profile.model_id

    def profile(self, voice: float, model: SpeakerModel, kind: ProfileKind = TII) -> ProfileKey:
        key = self.world.create(kind)
        self.enroll(key, voice, model)
        self.old.embedded.clear()
        self.new.embedded.clear()
        return key


@pytest.fixture
def change(world: World) -> Change:
    return Change(world)


def test_verify_uses_the_model_that_made_the_signature(change: Change) -> None:
    world = change.world
    verify = VerifySpeech(world.profiles, world.listener, change.new, world.clock, change.old)
    for made_by, other in ((change.old, change.new), (change.new, change.old)):
        key = change.profile(10.0, made_by, TIV)
        assert verify(world.mine.settings, key, Spoken(voice=10.0).audio, RULES).decision.score == pytest.approx(1.0)
        assert made_by.embedded == [made_by.model_id]
        assert other.embedded == []


def test_a_phrase_is_verified_by_the_model_that_made_the_signature(change: Change) -> None:
    world = change.world
    key = world.create(ProfileKind.TEXT_DEPENDENT_VERIFICATION)
    said = Spoken(phrase=3).audio
    for _ in range(3):
        EnrollPhrase(world.profiles, world.audit, world.listener, world.phrases, change.old, world.clock)(
            world.me, key, said, RULES
        )
    verify = VerifyPhrase(world.profiles, world.listener, world.phrases, change.new, world.clock, change.old)
    assert verify(world.mine.settings, key, said, RULES).decision.accepted
    assert change.new.embedded == []


def test_identify_asks_each_model_once_and_ranks_all(change: Change) -> None:
    world = change.world
    keys = [change.profile(voice, model) for voice, model in ((0, change.old), (50, change.new), (90, change.old))]
    identify = Identify(world.profiles, world.listener, change.new, world.clock, change.old)
    found = identify(world.mine, [key.profile_id for key in keys], Spoken(voice=52.0).audio, RULES)
    assert [one.profile_id for one in found.ranking] == [keys[index].profile_id for index in (1, 2, 0)]
    assert change.old.embedded == ["old-1"]
    assert change.new.embedded == ["new-1"]


def test_identify_among_everybody_asks_each_model_once(change: Change) -> None:
    world = change.world
    keys = [change.profile(voice, model) for voice, model in ((0, change.old), (50, change.new), (90, change.old))]
    parts = world.profiles, world.galleries, world.groups, world.listener, change.new, world.clock
    found = IdentifyAmong(*parts, change.old)(world.mine, Everyone(), Spoken(voice=52.0).audio, RULES)
    assert [one.profile_id for one in found.ranking] == [keys[index].profile_id for index in (1, 2, 0)]
    assert (change.old.embedded, change.new.embedded) == (["old-1"], ["new-1"])


def test_identify_leaves_a_model_alone_that_no_candidate_needs(change: Change) -> None:
    world, key = change.world, change.profile(10.0, change.new)
    identify = Identify(world.profiles, world.listener, change.new, world.clock, change.old)
    identify(world.mine, [key.profile_id], Spoken(voice=10.0).audio, RULES)
    assert change.old.embedded == []


def test_without_the_previous_model_its_profiles_are_refused_with_what_to_do(change: Change) -> None:
    world, key = change.world, change.profile(10.0, change.old, TIV)
    said = Spoken(voice=10.0).audio
    message = rf"Profile {key.profile_id} was enrolled with the model old-1; this service runs new-1\. Reset .* again"
    with pytest.raises(ModelDiffers, match=message):
        VerifySpeech(world.profiles, world.listener, change.new, world.clock)(world.mine.settings, key, said, RULES)
    before = world.stored()
    with pytest.raises(ModelDiffers, match=message):
        change.enroll(key, 10.0, change.new)
    assert world.stored() == before
    assert change.new.embedded == []


def test_a_profile_goes_on_enrolling_in_its_own_model_and_a_new_one_begins_in_the_current(change: Change) -> None:
    old = change.profile(10.0, change.old)
    assert change.enroll(old, 20.0, change.new, previous=change.old) == "old-1"
    assert change.enroll(change.world.create(TII), 20.0, change.new, previous=change.old) == "new-1"


def test_after_a_reset_a_profile_begins_in_the_current_model(change: Change) -> None:
    key = change.profile(10.0, change.old)
    change.world.profiles.reset(key, change.world.clock())
    assert change.enroll(key, 10.0, change.new, previous=change.old) == "new-1"


def test_an_enrollment_that_meets_the_migration_is_embedded_again_by_the_new_model(change: Change) -> None:
    world, key = change.world, change.profile(10.0, change.old)

    def migrated() -> None:
        """Stands for the job: the profile is of the new model from now on, once."""
        if world.profiles.get(key).model_id == "old-1":
            world.profiles.reset(key, world.clock())
            change.enroll(key, 10.0, change.new)
            change.new.embedded.clear()

    reads = iter([migrated])
    store = Interrupted(world.profiles, lambda: next(reads, lambda: None)())
    use_case = EnrollSpeech(store, world.audit, world.listener, change.new, world.keeper, world.clock, change.old)
    enrolled = use_case(world.me, key, Spoken(voice=20.0).audio, SPEECH)
    assert (enrolled.profile.model_id, enrolled.enrollment.model_id) == ("new-1", "new-1")
    assert enrolled.profile.enrollments_count == 2
    assert (change.old.embedded, change.new.embedded) == (["old-1"], ["new-1"])


def test_a_profile_of_neither_model_is_refused(change: Change) -> None:
    profile = replace(
        change.world.profiles.get(change.profile(10.0, change.old)),
        status=EnrollmentStatus.ENROLLED,
        model_id="older-1",
    )
    with pytest.raises(ModelDiffers, match=r"older-1; .* new-1\. It is rebuilt .* if not: reset the profile and"):
        SpeakerModels(change.new, change.old).of(profile)
