"""Two models at once: every profile is served by the one that made its signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from shared.domain.calibration import Calibration, SiteCalibration
from shared.domain.errors import ModelDiffers
from shared.domain.group import Everyone
from shared.domain.profile import EnrollmentStatus, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Utterance, Vector
from shared.domain.subscription import SubscriptionSettings
from shared.services.comparison import SpeakerModels
from tests.unit.services.spoken import TDV, TII, TIV, Interrupted, Spoken, SpokenModel, World

OWN: Final = Calibration(-10.0, 20.0, 0.0, 0.0, 0.0, 0.01, 1.0, 12.0, "our calls", 60, 1_000)


@dataclass(frozen=True)
class Strict(SpokenModel):
    """Refuses foreign signatures as the real models do, and counts the recordings that it hears."""

    embedded: list[str] = field(default_factory=list, compare=False)

    def embed(self, utterance: Utterance) -> Vector:
        self.embedded.append(self.model_id)
        return super().embed(utterance)

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        assert {signature.model_id for signature in signatures} <= {self.model_id}
        return super().scores(embedding, speech_seconds, signatures)


@dataclass
class Change:
    """A service that has just gone from the model ``old-1`` to ``new-1``."""

    world: World
    old: Strict = field(default_factory=lambda: Strict("old-1"))
    new: Strict = field(default_factory=lambda: Strict("new-1"))

    def runs(self, model: Strict, previous: Strict | None = None) -> World:
        self.world.model, self.world.previous = model, previous
        return self.world

    def profile(self, voice: float, model: Strict, kind: ProfileKind = TII) -> ProfileKey:
        """Enrolled by that model; afterwards both run."""
        key = self.runs(model).enrolled(kind, voice=voice)
        self.old.embedded.clear()
        self.new.embedded.clear()
        self.runs(self.new, self.old)
        return key


@pytest.fixture
def change(world: World) -> Change:
    return Change(world)


@pytest.mark.parametrize("kind", [TDV, TIV])
def test_verify_uses_the_model_that_made_the_signature(change: Change, kind: ProfileKind) -> None:
    for made_by, other in ((change.old, change.new), (change.new, change.old)):
        key = change.profile(10.0, made_by, kind)
        assert change.world.verify(key, Spoken(voice=10.0, phrase=2)).decision.score == pytest.approx(1.0)
        assert (made_by.embedded, other.embedded) == ([made_by.model_id], [])


@pytest.mark.parametrize("everyone", [True, False])
def test_identify_has_each_model_embed_once_and_ranks_all(change: Change, everyone: bool) -> None:
    keys = [change.profile(voice, model) for voice, model in ((0, change.old), (50, change.new), (90, change.old))]
    ids = [key.profile_id for key in keys]
    result = change.world.identify(Everyone() if everyone else ids, Spoken(voice=52.0))
    assert [profile.profile_id for profile in result.ranking] == [ids[index] for index in (1, 2, 0)]
    assert (change.old.embedded, change.new.embedded) == (["old-1"], ["new-1"])


@pytest.mark.parametrize("everyone", [True, False])
def test_identify_leaves_a_model_alone_that_no_candidate_needs(change: Change, everyone: bool) -> None:
    key = change.profile(10.0, change.new)
    change.world.identify(Everyone() if everyone else [key.profile_id])
    assert change.old.embedded == []


def test_without_the_previous_model_its_profiles_are_refused_with_what_to_do(change: Change) -> None:
    key = change.profile(10.0, change.old, TIV)
    world = change.runs(change.new)
    message = rf"Profile {key.profile_id} was enrolled with the model old-1; this service runs new-1\. Reset .* again"
    before = world.stored()
    for use in (world.verify, world.enroll):
        with pytest.raises(ModelDiffers, match=message):
            use(key)
    assert world.stored() == before
    assert change.new.embedded == []


def test_a_profile_goes_on_enrolling_in_its_own_model_and_a_new_one_begins_in_the_current(change: Change) -> None:
    key, world = change.profile(10.0, change.old), change.world
    assert world.enroll(key, Spoken(voice=20.0)).profile.model_id == "old-1"
    assert world.enroll(world.create(TII)).profile.model_id == "new-1"
    world.profiles.reset(key, world.clock())
    assert world.enroll(key).profile.model_id == "new-1"


def test_an_enrollment_that_meets_the_migration_is_embedded_again_by_the_new_model(change: Change) -> None:
    key, world = change.profile(10.0, change.old), change.world

    def migrated() -> None:
        """Stands for the job: the profile is of the new model from now on."""
        world.profiles.reset(key, world.clock())
        world.enroll(key, Spoken(voice=10.0))
        change.new.embedded.clear()

    enrolled = world.enroll(key, Spoken(voice=20.0), profiles=Interrupted(world.profiles, migrated))
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
        change.world.models.model_of(profile)


@pytest.mark.parametrize(
    ("made_for", "in_force"), [("new-1", [OWN, None]), ("old-1", [None, OWN]), ("x", [None, None])]
)
def test_a_subscriptions_own_calibration_counts_for_the_model_that_it_was_made_for(
    change: Change, made_for: str, in_force: list[Calibration | None]
) -> None:
    settings = SubscriptionSettings(calibration=SiteCalibration(made_for, OWN))
    models = SpeakerModels(change.new, change.old).calibrated_for(settings)
    assert [model.calibration for model in models.running] == in_force
