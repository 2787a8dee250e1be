"""Enrollment: three recordings of one phrase, bound by the first; or any speech, until there is enough of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.errors import (
    EnrollmentAudioFull,
    ModelDiffers,
    PassphraseDiffers,
    PassphraseNotHeard,
    PassphraseUnlike,
    ProfileBusy,
    ProfileNotFound,
    SpeechTooShort,
    TimbreError,
    TooManyEnrollments,
)
from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.profile import EnrollmentStatus, Profile, ProfileKey, ProfileKind
from shared.domain.subscription import SettingsChange, SubscriptionSettings
from shared.services.enroll import EnrollRules
from shared.services.profiles import CHANGE_ATTEMPTS
from tests.unit.services.spoken import (
    AT_ONCE,
    NO_RECORDING,
    RULES,
    TDV,
    TII,
    TIV,
    Interrupted,
    Spoken,
    SpokenExamples,
    World,
)  # fmt: skip
from tests.unit.services.test_verify import SlowModel

LONG = EnrollRules(RULES, needed_speech_seconds=30.0, max_audio_seconds=100.0)
PHRASE = Spoken(phrase=2)
OWN = SubscriptionSettings(passphrases={"en-US": ("open the door to the garden", "close the window of the kitchen")})


def direction(world: World, key: ProfileKey) -> list[float]:
    _, signature = world.profiles.get_with_signature(key)
    assert signature is not None
    return [float(x) for x in signature.direction]


def test_the_first_recording_binds_the_phrase_and_the_third_makes_the_profile_usable(world: World) -> None:
    key = world.create(TDV)
    profiles = [world.enroll(key, PHRASE).profile for _ in range(4)]
    assert [profile.status for profile in profiles] == ["Enrolling", "Enrolling", "Enrolled", "Enrolled"]
    assert [profile.remaining_enrollments for profile in profiles] == [2, 1, 0, 0]
    assert {profile.passphrase for profile in profiles} == {EN_US_PASSPHRASES[2]}
    assert world.profiles.get(key) == profiles[-1]


def test_what_was_measured_adds_up_and_the_time_is_noted(world: World) -> None:
    key = world.create(TDV)
    world.enroll(key, Spoken(phrase=2, speech_seconds=1.5))
    later = world.clock.advance(minutes=5)
    assert world.enroll(key, Spoken(phrase=2, speech_seconds=2.0)).enrollment.speech_seconds == 2.0
    stored = world.profiles.get(key)
    assert (stored.speech_seconds, stored.audio_seconds) == (3.5, 5.5)
    assert stored.last_action_at == stored.last_enrolled_at == later
    assert stored.model_id == "spoken-1"


@pytest.mark.parametrize("kind", [TDV, TII])
def test_the_signature_is_the_voice_of_all_recordings(world: World, kind: ProfileKind) -> None:
    key = world.create(kind)
    for voice in (10, 20, 30):
        world.enroll(key, Spoken(voice=voice, phrase=2))
    assert direction(world, key) == pytest.approx([0.9397, 0.3420], abs=1e-4), "20 degrees"


def test_thirty_seconds_of_speech_make_a_profile_usable(world: World) -> None:
    key = world.create(TII)
    steps = [(29.0, EnrollmentStatus.ENROLLING, 1.0), (0.97, EnrollmentStatus.ENROLLING, 0.03)]
    for seconds, status, remaining in [*steps, (0.5, EnrollmentStatus.ENROLLED, 0.0)]:
        profile = world.enroll(key, Spoken(speech_seconds=seconds), LONG).profile
        assert profile.status is status
        assert profile.remaining_speech_seconds(30.0) == pytest.approx(remaining)
    assert world.enroll(world.create(TII), Spoken(speech_seconds=30.0), LONG).profile.is_enrolled


def test_short_audio_is_usable_at_once_and_stays_so(world: World) -> None:
    key = world.create(TII)
    for rules in (AT_ONCE, LONG):
        assert world.enroll(key, Spoken(speech_seconds=0.5), rules).profile.is_enrolled


def test_there_is_a_bound_on_the_whole_of_free_speech(world: World) -> None:
    key = world.create(TII)
    world.enroll(key, Spoken(speech_seconds=89.0), LONG)
    before = world.stored()
    with pytest.raises(EnrollmentAudioFull, match=r"100 seconds.*100\.50 seconds"):
        world.enroll(key, Spoken(speech_seconds=9.5), LONG)
    assert world.stored() == before
    assert world.enroll(key, Spoken(speech_seconds=9.0), LONG).profile.audio_seconds == 100.0


@pytest.mark.parametrize(("kind", "keeps", "kept"), [(TII, True, 2), (TII, False, 0), (TIV, True, 0), (TDV, True, 0)])
def test_audio_is_kept_for_identification_only_and_encrypted(
    world: World, kind: ProfileKind, keeps: bool, kept: int
) -> None:
    key, settings = world.create(kind), SubscriptionSettings(keep_identification_audio=keeps)
    for _ in range(2):
        world.enroll(key, PHRASE, settings=settings)
    contents = [world.blobs.get(name) or b"" for name in world.kept_audio()]
    assert len(contents) == kept
    assert not any(b"kept" in content for content in contents)


@pytest.mark.parametrize(
    ("locale", "spoken", "error", "message"),
    [
        ("en-us", Spoken(phrase=1), PassphraseDiffers, f'bound to the phrase "{EN_US_PASSPHRASES[2]}". Heard'),
        ("en-us", Spoken(phrase=-1), PassphraseNotHeard, "None of the allowed phrases"),
        ("en-us", Spoken(phrase=2, clearly=False), PassphraseNotHeard, "The nearest was"),
        ("en-us", Spoken(phrase=2, speech_seconds=0.4), SpeechTooShort, "0.40 seconds of speech"),
        ("de-DE", Spoken(phrase=1), PassphraseUnlike, "what the profile's earlier recordings say"),
        ("de-DE", Spoken(phrase=2, clearly=False), PassphraseUnlike, "what the profile's earlier recordings say"),
        ("de-DE", Spoken(phrase=2, speech_seconds=1.49), SpeechTooShort, "1.49 seconds of speech"),
    ],
)
def test_a_recording_that_is_refused_changes_nothing(
    world: World, locale: str, spoken: Spoken, error: type[TimbreError], message: str
) -> None:
    """In German by example."""
    key = world.create(TDV, locale=locale)
    world.enroll(key, PHRASE)
    before = world.stored()
    with pytest.raises(error, match=message) as refused:
        world.enroll(key, spoken)
    assert world.stored() == before
    if spoken.speech_seconds != 0.4:  # which the listener refuses, and explains
        assert refused.value.explanation is not None
        assert refused.value.explanation.decided_by == ("quality" if error is SpeechTooShort else "phrase")


@pytest.mark.parametrize("kind", [TDV, TII])
def test_an_unknown_profile_is_told_before_the_recording_is_looked_at(world: World, kind: ProfileKind) -> None:
    foreign = world.create(kind, world.yours)
    before = world.stored()
    for profile_id in (world.new_id(), foreign.profile_id):
        with pytest.raises(ProfileNotFound):
            world.enroll(ProfileKey("mine", kind, profile_id), NO_RECORDING)
    assert world.stored() == before


def test_fifty_recordings_of_a_phrase_are_enough(world: World) -> None:
    key = world.create(TDV)
    for _ in range(50):
        world.enroll(key, PHRASE)
    before = world.stored()
    with pytest.raises(TooManyEnrollments, match="50"):
        world.enroll(key, NO_RECORDING)
    assert world.stored() == before


def test_after_a_reset_another_phrase_and_another_voice_may_be_enrolled(world: World) -> None:
    key = world.create(TDV)
    world.enroll(key, Spoken(voice=0, phrase=2))
    world.profiles.reset(key, world.clock())
    profile = world.enroll(key, Spoken(voice=90, phrase=1)).profile
    assert (profile.enrollments_count, profile.passphrase) == (1, EN_US_PASSPHRASES[1])
    assert direction(world, key) == pytest.approx([0.0, 1.0], abs=1e-6), "nothing of the earlier voice is left"


def test_own_phrases_bind_new_profiles_and_one_taken_off_the_list_is_enrolled_where_it_is_bound(world: World) -> None:
    key, fresh = world.create(TDV), world.create(TDV)
    assert world.enroll(fresh, Spoken(phrase=1), settings=OWN).profile.passphrase == OWN.passphrases["en-US"][1]
    world.enroll(key, PHRASE)
    profile = world.enroll(key, PHRASE, settings=OWN).profile
    assert profile.passphrase == EN_US_PASSPHRASES[2], "behind the list of two"
    with pytest.raises(PassphraseDiffers):
        world.enroll(key, Spoken(phrase=0), settings=OWN)


def by_example(world: World, takes: int) -> ProfileKey:
    """A German profile that is bound to phrase 2 by its own takes."""
    key = world.create(TDV, locale="de-DE")
    for _ in range(takes):
        world.enroll(key, PHRASE)
    return key


def test_by_example_the_first_take_binds_and_the_first_five_are_kept(world: World) -> None:
    key = by_example(world, takes=7)
    profile = world.profiles.get(key)
    assert (profile.passphrase, profile.enrollments_count, profile.is_enrolled) == ("", 7, True)
    assert [template.content for template in world.profiles.templates(profile)] == [b"2"] * 5
    listed = SubscriptionSettings(passphrases={"de-DE": ("das ist mein eigener satz",)})
    assert world.enroll(key, PHRASE, settings=listed).profile.passphrase == "", "bound as it was"


def test_takes_of_another_front_end_are_to_be_enrolled_again(world: World) -> None:
    key = by_example(world, takes=3)
    world.examples = SpokenExamples("spoken-2")
    for use in (world.enroll, world.verify):
        with pytest.raises(ModelDiffers, match=r"with the model spoken-1; .* spoken-2\. Reset .* enroll again"):
            use(key, PHRASE)
    world.profiles.reset(key, world.clock())
    assert world.enroll(key, Spoken(phrase=1)).profile.enrollments_count == 1, "and any phrase may be chosen"


def test_of_two_first_takes_at_once_the_later_must_say_the_same(world: World) -> None:
    key, other = by_example(world, takes=0), by_example(world, takes=0)
    assert overtaken(world, key, lambda: world.enroll(key, PHRASE)).enrollments_count == 2
    with pytest.raises(PassphraseUnlike):
        overtaken(world, other, lambda: world.enroll(other, Spoken(phrase=1)))
    assert world.profiles.get(other).enrollments_count == 1


def test_an_enrollment_whose_profile_ended_meanwhile_is_refused(world: World) -> None:
    world.subscriptions.change("mine", SettingsChange(max_age_days=0.25))
    key = world.create(TIV)
    world.enroll(key)
    before, world.model = world.stored(), SlowModel(world)
    with pytest.raises(ProfileNotFound):
        world.enroll(key)
    assert world.stored() == before


def overtaken(world: World, key: ProfileKey, change: Callable[[], object]) -> Profile:
    """Enroll, with another request between the first reading of the enrollment and its writing."""
    return world.enroll(key, PHRASE, profiles=Interrupted(world.profiles, change)).profile


def test_an_enrollment_in_between_counts_too_and_may_bind_another_phrase(world: World) -> None:
    key, other = world.create(TDV), world.create(TDV)
    profile = overtaken(world, key, lambda: world.enroll(key, Spoken(voice=60, phrase=2)))
    assert profile.enrollments_count == world.profiles.get(key).enrollments_count == 2
    assert direction(world, key) == pytest.approx([0.8660, 0.5], abs=1e-4), "both voices are in it"
    with pytest.raises(PassphraseDiffers):
        overtaken(world, other, lambda: world.enroll(other, Spoken(phrase=1)))
    assert world.profiles.get(other).enrollments_count == 1


def test_a_profile_that_never_rests_is_busy(world: World) -> None:
    key = world.create(TDV)
    rivals = Interrupted(world.profiles, lambda: world.enroll(key, PHRASE), times=9)
    with pytest.raises(ProfileBusy, match="concurrent requests on same profile"):
        world.enroll(key, PHRASE, profiles=rivals)
    assert world.profiles.get(key).enrollments_count == CHANGE_ATTEMPTS, "the rivals' alone"


def test_a_delete_in_between_is_not_undone_and_a_reset_in_between_counts_from_one(world: World) -> None:
    key, other = world.create(TDV), world.create(TDV)
    with pytest.raises(ProfileNotFound):
        overtaken(world, key, lambda: world.profiles.delete(key, world.clock()))
    assert [name for name in world.stored() if key.profile_id in name] == []
    world.enroll(other, Spoken(voice=60, phrase=2))
    assert overtaken(world, other, lambda: world.profiles.reset(other, world.clock())).enrollments_count == 1
    assert direction(world, other) == pytest.approx([1.0, 0.0], abs=1e-4), "the voice that was reset is not in it"


def test_eight_enrollments_at_once_all_count_or_are_told(world: World) -> None:
    key = world.create(TDV)

    def counts(_: int) -> bool:
        try:
            world.enroll(key, PHRASE)
        except ProfileBusy:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        counted = sum(threads.map(counts, range(8)))
    assert counted >= 1
    assert world.profiles.get(key).enrollments_count == counted
    _, signature = world.profiles.get_with_signature(key)
    assert signature is not None
    assert signature.speech_seconds == pytest.approx(2.0 * counted)
