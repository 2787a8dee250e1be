"""Storage is asked while the recording is listened to, and nobody can tell from the answers."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from shared.domain.errors import (
    AudioUnreadable,
    GroupNotFound,
    LocalesDiffer,
    ProfileNotEnrolled,
    ProfileNotFound,
    StorageUnavailable,
)
from shared.domain.group import InGroup
from shared.domain.measurement import Measurement, gathered
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.services.beside import beside
from shared.services.identify import Identify
from shared.services.identify_among import IdentifyAmong
from shared.services.profiles import CreateProfile
from shared.services.verify import VerifyPhrase, VerifySpeech
from tests.unit.services.spoken import RULES, World
from tests.unit.services.test_identify import enrolled

NOISE = Audio(b"no recording", "text/plain")
NOBODY = "11111111-2222-3333-4444-555555555555"


def test_both_are_done_at_once() -> None:
    """Each waits for the other: one after the other they would wait for ever."""
    asked, listened = Event(), Event()

    def ask() -> bool:
        asked.set()
        return listened.wait(10)

    def listen() -> bool:
        listened.set()
        return asked.wait(10)

    assert beside(ask, listen) == (True, True)


def test_the_error_of_the_work_comes_only_when_storage_has_answered() -> None:
    refused, answered = Event(), Event()

    def ask() -> None:
        refused.wait(10)
        answered.set()

    def listen() -> None:
        refused.set()
        raise AudioUnreadable("Not a recording.")

    with pytest.raises(AudioUnreadable):
        beside(ask, listen)
    assert answered.is_set()


@pytest.mark.parametrize("works", [True, False])
def test_what_storage_refuses_comes_first(works: bool) -> None:
    def ask() -> None:
        raise StorageUnavailable

    def listen() -> None:
        if not works:
            raise AudioUnreadable("Not a recording.")

    with pytest.raises(StorageUnavailable):
        beside(ask, listen)


def test_only_waiting_for_storage_is_measured_as_storage() -> None:
    answered, now = Event(), [0.0]
    measurement = Measurement("verify", "mine", lambda: now[0])

    def ask() -> None:
        answered.wait(10)

    def listen() -> None:
        now[0] += 2.0
        answered.set()

    with gathered(measurement):
        beside(ask, listen)

    assert measurement.seconds["store"] == 0.0


def verify_phrase(world: World, key: ProfileKey) -> object:
    use_case = VerifyPhrase(world.profiles, world.listener, world.phrases, world.model, world.clock)
    return use_case(world.mine.settings, key, NOISE, RULES)


def verify_speech(world: World, key: ProfileKey) -> object:
    use_case = VerifySpeech(world.profiles, world.listener, world.model, world.clock)
    return use_case(world.mine.settings, key, NOISE, RULES)


@pytest.mark.parametrize(
    ("verify", "kind"),
    [
        (verify_phrase, ProfileKind.TEXT_DEPENDENT_VERIFICATION),
        (verify_speech, ProfileKind.TEXT_INDEPENDENT_VERIFICATION),
    ],
)
def test_verify_says_what_is_wrong_with_the_profile_before_what_is_wrong_with_the_recording(
    world: World, verify: Callable[[World, ProfileKey], object], kind: ProfileKind
) -> None:
    with pytest.raises(ProfileNotFound):
        verify(world, ProfileKey("mine", kind, NOBODY))
    with pytest.raises(ProfileNotEnrolled):
        verify(world, world.create(kind))


def test_identify_says_what_is_wrong_with_the_candidates_before_what_is_wrong_with_the_recording(world: World) -> None:
    create = CreateProfile(world.profiles, world.audit, world.clock, world.new_id)
    chinese = create(world.me, ProfileKind.IDENTIFICATION, "zh-cn").key.profile_id
    empty, speaker = world.create(ProfileKind.IDENTIFICATION).profile_id, enrolled(world, 0)
    identify = Identify(world.profiles, world.listener, world.model, world.clock)

    with pytest.raises(ProfileNotFound):
        identify(world.mine, [speaker, NOBODY], NOISE, RULES)
    with pytest.raises(LocalesDiffer):
        identify(world.mine, [speaker, chinese], NOISE, RULES, same_locale=True)
    with pytest.raises(ProfileNotEnrolled):
        identify(world.mine, [speaker, empty], NOISE, RULES)
    with pytest.raises(AudioUnreadable):
        identify(world.mine, [speaker], NOISE, RULES)


def test_identify_among_says_that_there_is_no_such_group_before_what_is_wrong_with_the_recording(world: World) -> None:
    parts = world.profiles, world.galleries, world.groups, world.listener, world.model, world.clock
    with pytest.raises(GroupNotFound):
        IdentifyAmong(*parts)(world.mine, InGroup("nowhere"), NOISE, RULES)
