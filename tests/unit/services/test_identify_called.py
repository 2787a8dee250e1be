"""Identify somebody who calls by telephone among those who enrolled through a microphone."""

from __future__ import annotations

import pytest

from shared.domain.group import Everyone
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Utterance, Vector
from shared.services.identify import Identification, Identify
from shared.services.identify_among import TELEPHONE_SHORTLIST, IdentifyAmong
from tests.unit.services.spoken import RULES, Spoken, SpokenModel, World
from tests.unit.services.test_identify import enrolled

TELEPHONE_HZ = 3_900.0

CALL = Spoken(voice=12, bandwidth_hz=TELEPHONE_HZ)
"""As it comes it is nearest to the voice at 90 degrees: the telephone turns every voice by a right angle."""


def among_all(world: World, spoken: Spoken = CALL) -> Identification:
    use_case = IdentifyAmong(
        world.profiles, world.galleries, world.groups, world.listener, world.model, world.clock, None
    )
    return use_case(world.subscriptions.get("mine"), Everyone(), spoken.audio, RULES)


def test_a_caller_is_named_from_a_list(world: World) -> None:
    ids = [enrolled(world, voice) for voice in (90, 10, 50)]
    found = Identify(world.profiles, world.listener, world.model, world.clock)(world.mine, ids, CALL.audio, RULES)
    assert [one.profile_id for one in found.ranking] == [ids[1], ids[2], ids[0]]


def test_a_caller_is_named_among_everybody_as_from_a_list(world: World) -> None:
    ids = [enrolled(world, voice) for voice in (90, 10, 50)]
    listed = Identify(world.profiles, world.listener, world.model, world.clock)(world.mine, ids, CALL.audio, RULES)
    found = among_all(world)
    assert [one.profile_id for one in found.ranking] == [one.profile_id for one in listed.ranking]
    assert [one.decision.score for one in found.ranking] == pytest.approx(
        [one.decision.score for one in listed.ranking], abs=1e-6
    )


@pytest.mark.parametrize("tested", [Spoken(voice=12), CALL], ids=["microphone", "telephone"])
def test_who_enrolled_by_telephone_is_compared_on_that_channel_as_from_a_list(world: World, tested: Spoken) -> None:
    """Channels mixed: each pair of voices meets on the telephone where one of them is known from there alone."""
    ids = [enrolled(world, voice) for voice in (90, 10, 50)]
    ids += [enrolled(world, voice, bandwidth_hz=TELEPHONE_HZ) for voice in (30, 14)]
    listed = Identify(world.profiles, world.listener, world.model, world.clock)(world.mine, ids, tested.audio, RULES)
    assert listed.best.profile_id in (ids[1], ids[4])
    found = among_all(world, tested)
    assert [one.profile_id for one in found.ranking] == [one.profile_id for one in listed.ranking]
    assert [one.decision.score for one in found.ranking] == pytest.approx(
        [one.decision.score for one in listed.ranking], abs=1e-6
    )


def test_many_who_enrolled_by_telephone_crowd_nobody_out(world: World) -> None:
    """As it comes, a call sounds like all that came that way: they would fill any shortlist that they stood in."""
    for _ in range(TELEPHONE_SHORTLIST):
        enrolled(world, 60, bandwidth_hz=TELEPHONE_HZ)
    near = enrolled(world, 12)
    assert among_all(world).best.profile_id == near


def test_a_recording_is_embedded_once_for_each_channel_that_is_needed(world: World) -> None:
    enrolled(world, 10)
    alone = embeddings_made(world, CALL)
    enrolled(world, 30, bandwidth_hz=TELEPHONE_HZ)
    assert alone == ["as it came"] == embeddings_made(world, CALL)
    assert embeddings_made(world, Spoken(voice=12)) == ["as it came", "as over the telephone"]


def embeddings_made(world: World, spoken: Spoken) -> list[str]:
    made: list[str] = []

    class Noting(SpokenModel):
        def embed(self, utterance: Utterance) -> Vector:
            made.append("as it came")
            return super().embed(utterance)

        def embed_telephone(self, utterance: Utterance) -> Vector:
            made.append("as over the telephone")
            return super().embed_telephone(utterance)

    parts = world.profiles, world.galleries, world.groups, world.listener
    IdentifyAmong(*parts, Noting(world.model.model_id), world.clock)(world.mine, Everyone(), spoken.audio, RULES)
    return sorted(made)


def test_who_is_deleted_meanwhile_is_no_candidate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = enrolled(world, 10), enrolled(world, 90)
    gallery = world.galleries.up_to_date("mine")
    monkeypatch.setattr(world.galleries, "up_to_date", lambda _: gallery)
    world.profiles.delete(ProfileKey("mine", ProfileKind.IDENTIFICATION, near), world.clock())
    assert [one.profile_id for one in among_all(world).ranking] == [far]
