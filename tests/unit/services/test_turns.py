"""Who spoke when: clusters of what was heard, and whose they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from shared.domain.errors import (
    AudioTooLong,
    NobodyEnrolled,
    ParameterInvalid,
    ProfileNotEnrolled,
    ProfileNotFound,
    SpeechTooShort,
)
from shared.domain.group import Everyone
from shared.domain.heard_speech import STEP_FRAMES, HeardSpeech, HeardStretch, heard_from_bytes, heard_to_bytes
from shared.domain.limits import AudioRules
from shared.domain.recording import SAMPLE_RATE, Samples, Vector
from shared.domain.turns import NamedTurns, TurnOptions
from shared.services.turns import TurnsWanted
from tests.unit.services.spoken import NO_RECORDING, TII, World

AS_USUAL = TurnOptions()
Said = tuple[float, int, int]
"""A voice (degrees), and from which to which frame of its window it speaks."""


def embedding(voice: float) -> Vector:
    angle = math.radians(voice)
    return np.array([math.cos(angle), math.sin(angle)], np.float16).astype(np.float32)


def heard(*windows: Sequence[Said], channel: int | None = None) -> HeardSpeech:
    """Each window's voices; windows overlap by half, so a voice is said once in each of two."""
    speakers = [
        HeardStretch(
            window,
            local,
            ((window * STEP_FRAMES + start, window * STEP_FRAMES + end),),
            (end - start) * 0.016875,
            {"spoken-1": embedding(voice)},
        )
        for window, said in enumerate(windows)
        for local, (voice, start, end) in enumerate(said)
    ]
    return HeardSpeech(channel, 0, len(windows), 10.0 + 5.0 * (len(windows) - 1), tuple(speakers))


def enrolled(world: World, voice: float) -> str:
    return world.enrolled(voice=voice).profile_id


def named(world: World, *slices: HeardSpeech, candidates: Sequence[str], options: TurnOptions = AS_USUAL) -> NamedTurns:
    return world.identify_turns.name(TurnsWanted(world.mine, candidates, options), slices)


def speakers(found: NamedTurns) -> list[str]:
    return [turn.speaker for turn in found.turns]


def test_the_enrolled_are_named_and_strangers_are_counted_by_first_appearance(world: World) -> None:
    ann, bob = enrolled(world, 0.0), enrolled(world, 90.0)
    found = named(
        world,
        heard([(180.0, 0, 200), (2.0, 250, 500)], [(92.0, 280, 500)], [(-92.0, 300, 500)], [(181.0, 280, 500)]),
        candidates=[ann, bob],
    )
    assert speakers(found) == ["unknown-1", ann, bob, "unknown-2", "unknown-1"]
    assert [turn.score is None for turn in found.turns] == [True, False, False, True, True]
    assert [speaker.speaker for speaker in found.speakers] == ["unknown-1", ann, bob, "unknown-2"]
    assert found.speakers[1].ranking[0][0] == ann


def test_two_clusters_of_one_candidate_join(world: World) -> None:
    ann = enrolled(world, 0.0)
    found = named(world, heard([(40.0, 0, 200)], [(-40.0, 300, 500)]), candidates=[ann])
    assert set(speakers(found)) == {ann}
    assert len(found.speakers) == 1


def test_a_little_of_a_named_voice_in_another_tone_is_that_person_too(world: World) -> None:
    ann = enrolled(world, 0.0)
    long = [[(0.0, 0, 500)]] * 7
    near, far = ([(angle, 200, 500)] for angle in (65.0, 120.0))
    found = named(world, heard(*long, near), candidates=[ann])
    assert set(speakers(found)) == {ann}
    found = named(world, heard(*long, far), candidates=[ann])
    assert set(speakers(found)) == {ann, "unknown-1"}
    found = named(world, heard(*long[:2], near), candidates=[ann])
    assert set(speakers(found)) == {ann, "unknown-1"}, "a fifth is not little"
    found = named(world, heard(near), candidates=[ann])
    assert set(speakers(found)) == {"unknown-1"}, "alone it has no name"


def test_a_short_stretch_goes_to_the_likest_or_is_nobodys(world: World) -> None:
    ann = enrolled(world, 0.0)
    found = named(world, heard([(0.0, 0, 200), (50.0, 250, 290)], [(180.0, 400, 450)]), candidates=[ann])
    assert [(turn.speaker, round(turn.start)) for turn in found.turns] == [(ann, 0), (ann, 4)]


def test_speakers_are_as_many_as_asked_for(world: World) -> None:
    other = enrolled(world, 180.0)
    windows = heard([(0.0, 0, 200)], [(0.0, 300, 500)], [(80.0, 300, 500)], [(-80.0, 300, 500)])
    for least, most, number in ((1, 20, 3), (4, 20, 4), (1, 2, 2), (1, 1, 1)):
        options = TurnOptions(min_speakers=least, max_speakers=most)
        assert len(named(world, windows, candidates=[other], options=options).speakers) == number


def test_who_speaks_at_once_is_marked_or_left_out(world: World) -> None:
    ann, bob = enrolled(world, 0.0), enrolled(world, 90.0)
    both = heard([(0.0, 0, 300), (90.0, 200, 500)])
    assert [turn.overlap for turn in named(world, both, candidates=[ann, bob]).turns] == [True, True]
    alone = named(world, both, candidates=[ann, bob], options=TurnOptions(exclusive=True)).turns
    assert [turn.overlap for turn in alone] == [False] * len(alone)
    assert {turn.speaker for turn in alone} <= {ann, bob}


def test_channels_are_told_apart_and_named_alike(world: World) -> None:
    ann = enrolled(world, 0.0)
    first, second = heard([(0.0, 0, 200)], channel=1), heard([(180.0, 50, 150), (2.0, 300, 500)], channel=2)
    found = named(world, first, second, candidates=[ann])
    assert [(turn.speaker, turn.channel) for turn in found.turns] == [(ann, 1), ("unknown-1", 2), (ann, 2)]


@dataclass(frozen=True)
class Channels:
    """A listener to which every recording has so many channels, each with a voice of its own."""

    count: int
    seconds: float

    def channels(
        self, body: bytes, media_type: str | None, rules: AudioRules, channel: int | None = None
    ) -> list[tuple[int | None, Samples]]:
        silence = np.zeros(round(self.seconds * SAMPLE_RATE), np.float32)
        return [(number + 1, silence) for number in range(self.count)]


@pytest.mark.parametrize(("count", "longest"), [(1, 3.0), (2, 3.0), (3, 2.0), (4, 1.5)])
def test_channels_together_are_as_long_as_two_recordings(world: World, count: int, longest: float) -> None:
    wanted, rules = TurnsWanted(world.mine, [enrolled(world, 0.0)]), AudioRules(1.0, 3.0, 0.5, 0.0)
    with pytest.raises(SpeechTooShort):
        replace(world.identify_turns, listener=Channels(count, longest))(wanted, NO_RECORDING, rules)
    if count > 2:
        with pytest.raises(AudioTooLong) as refusal:
            replace(world.identify_turns, listener=Channels(count, longest + 0.1))(wanted, NO_RECORDING, rules)
        assert (refusal.value.maximum_seconds, refusal.value.channels) == (longest, count)
        assert str(refusal.value).endswith(f"{longest + 0.1:.2f} seconds and voices of their own on {count} channels.")


def test_what_was_heard_survives_its_bytes(world: World) -> None:
    first = heard([(0.0, 0, 200)], [(45.0, 300, 500)])
    (again,) = heard_from_bytes(heard_to_bytes([first]))
    ann = enrolled(world, 0.0)
    assert named(world, again, candidates=[ann]) == named(world, first, candidates=[ann])
    assert (again.first_window, again.end_window, again.seconds) == (0, 2, first.seconds)


def test_a_missing_slice_is_noticed(world: World) -> None:
    late = HeardSpeech(None, 3, 4, 25.0, ())
    with pytest.raises(ValueError, match="window 3"):
        named(world, late, candidates=[enrolled(world, 0.0)])


def test_candidates_are_refused_as_identify_refuses_them(world: World) -> None:
    with pytest.raises(NobodyEnrolled):
        world.identify_turns.name(TurnsWanted(world.mine, Everyone()), [])
    with pytest.raises(ProfileNotFound):
        named(world, candidates=["absent"])
    with pytest.raises(ProfileNotEnrolled):
        named(world, candidates=[world.create(TII).profile_id])


@pytest.mark.parametrize(("least", "most"), [(0, 20), (1, 21), (3, 2)])
def test_numbers_of_speakers_are_checked(least: int, most: int) -> None:
    with pytest.raises(ParameterInvalid):
        TurnOptions(least, most)
