"""Identify somebody who speaks by a narrower channel than those who are looked through enrolled by."""

from __future__ import annotations

import pytest

from shared.domain.channel import Channel
from shared.domain.group import Everyone
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Utterance, Vector
from shared.services.identify import Identification, Identify
from shared.services.identify_among import SHORTLIST, IdentifyAmong
from tests.unit.services.spoken import RULES, Spoken, SpokenModel, World
from tests.unit.services.test_identify import enrolled

CALL = Spoken(voice=12, channel=Channel.TELEPHONE)
"""As it comes it is nearest to the voice at 90 degrees: the telephone turns every voice by a right angle."""

NARROW = Spoken(voice=12, channel=Channel.NARROW)
"""As it comes it is nearest to the voice at 50 degrees."""

by_both = pytest.mark.parametrize("spoken", [NARROW, CALL], ids=["narrow", "telephone"])


def among_all(world: World, spoken: Spoken = CALL) -> Identification:
    use_case = IdentifyAmong(
        world.profiles, world.galleries, world.groups, world.listener, world.model, world.clock, None
    )
    return use_case(world.subscriptions.get("mine"), Everyone(), spoken.audio, RULES)


@by_both
def test_a_caller_is_named_from_a_list(world: World, spoken: Spoken) -> None:
    ids = [enrolled(world, voice) for voice in (90, 10, 50)]
    found = Identify(world.profiles, world.listener, world.model, world.clock)(world.mine, ids, spoken.audio, RULES)
    assert [one.profile_id for one in found.ranking] == [ids[1], ids[2], ids[0]]


@by_both
def test_a_caller_is_named_among_everybody_as_from_a_list(world: World, spoken: Spoken) -> None:
    ids = [enrolled(world, voice) for voice in (90, 10, 50)]
    listed = Identify(world.profiles, world.listener, world.model, world.clock)(world.mine, ids, spoken.audio, RULES)
    found = among_all(world, spoken)
    assert [one.profile_id for one in found.ranking] == [one.profile_id for one in listed.ranking]
    assert [one.decision.score for one in found.ranking] == pytest.approx(
        [one.decision.score for one in listed.ranking], abs=1e-6
    )


@pytest.mark.parametrize("tested", [Spoken(voice=12), NARROW, CALL], ids=["microphone", "narrow", "telephone"])
def test_channels_may_be_mixed_as_in_a_list(world: World, tested: Spoken) -> None:
    """Every pair of voices is compared in its own ways."""
    ids = [enrolled(world, voice) for voice in (90, 10, 50)]
    ids += [enrolled(world, voice, channel=Channel.TELEPHONE) for voice in (30, 15)]
    ids += [enrolled(world, voice, channel=Channel.NARROW) for voice in (70, 13)]
    listed = Identify(world.profiles, world.listener, world.model, world.clock)(world.mine, ids, tested.audio, RULES)
    assert listed.best.profile_id == ids[1 if tested is CALL else 6]
    found = among_all(world, tested)
    assert [one.profile_id for one in found.ranking] == [one.profile_id for one in listed.ranking]
    assert [one.decision.score for one in found.ranking] == pytest.approx(
        [one.decision.score for one in listed.ranking], abs=1e-6
    )


def test_many_who_enrolled_by_telephone_crowd_nobody_out(world: World) -> None:
    """As it comes, a call sounds like all that came that way: they would fill any shortlist that they stood in."""
    for _ in range(SHORTLIST):
        enrolled(world, 60, channel=Channel.TELEPHONE)
    near = enrolled(world, 12)
    assert among_all(world).best.profile_id == near


def test_a_recording_is_embedded_once_for_each_channel_that_is_needed(world: World) -> None:
    enrolled(world, 10)
    alone = embeddings_made(world, CALL)
    enrolled(world, 30, channel=Channel.TELEPHONE)
    assert alone == [Channel.WIDE, Channel.TELEPHONE] == embeddings_made(world, CALL)
    assert embeddings_made(world, NARROW) == [Channel.WIDE, Channel.TELEPHONE]
    assert embeddings_made(world, Spoken(voice=12)) == list(Channel)


def embeddings_made(world: World, spoken: Spoken) -> list[Channel]:
    made: list[Channel] = []

    class Noting(SpokenModel):
        def embed(self, utterance: Utterance, channel: Channel = Channel.WIDE) -> Vector:
            made.append(channel)
            return super().embed(utterance, channel)

    parts = world.profiles, world.galleries, world.groups, world.listener
    IdentifyAmong(*parts, Noting(world.model.model_id), world.clock)(world.mine, Everyone(), spoken.audio, RULES)
    return sorted(made)


def test_who_is_deleted_meanwhile_is_no_candidate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = enrolled(world, 10), enrolled(world, 90)
    gallery = world.galleries.up_to_date("mine")
    monkeypatch.setattr(world.galleries, "up_to_date", lambda _: gallery)
    world.profiles.delete(ProfileKey("mine", ProfileKind.IDENTIFICATION, near), world.clock())
    assert [one.profile_id for one in among_all(world).ranking] == [far]
