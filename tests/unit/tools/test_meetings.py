"""Simulated meetings of synthetic voices: the turns are where the sound is, and nothing of an enrolment is heard."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from shared.domain.recording import SAMPLE_RATE, Samples
from tools.evaluation.degradations import mu_law
from tools.meetings.measures import Naming, naming, share
from tools.meetings.page import BEGIN, END, replaced
from tools.meetings.simulation import Meeting, Turn, overlapped, rttm, simulated, through, with_stranger
from tools.meetings.voices import FITTING, Voice, halves, spoken, voice


def tone(hertz: float, *spans: tuple[float, float], seconds: float) -> Samples:
    """A tone that is heard in these spans of seconds alone, and hiss 60 dB below it."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    heard = np.zeros(len(times))
    for start, end in spans:
        heard[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] = 1.0
    hiss = 1e-4 * np.random.default_rng(0).standard_normal(len(times))
    return np.asarray(0.1 * heard * np.sin(2 * np.pi * hertz * times) + hiss, np.float32)


def speaker(hertz: float) -> Voice:
    """Enrols with a tone of twice its frequency, so that it would be heard if a meeting had it."""
    takes = [tone(hertz, (0.5, 2.0), (2.8, 4.0), seconds=4.5) for _ in range(3)]
    return voice(f"{hertz:.0f} Hz", [tone(2 * hertz, (0.2, 2.8), seconds=3.0), *takes], enrolled=1)


VOICES = [speaker(hertz) for hertz in (300.0, 430.0, 710.0)]


@pytest.fixture(scope="module")
def meeting() -> Meeting:
    return simulated("three", VOICES, 60.0, np.random.default_rng(7))


def loud(samples: Samples, hertz: float, turn: Turn) -> bool:
    part = samples[round(turn.start * SAMPLE_RATE) : round(turn.end * SAMPLE_RATE)]
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(part)) / SAMPLE_RATE)
    return bool(abs((part * wave).mean()) > 0.01)


def test_speech_is_found_by_its_level_with_its_pauses() -> None:
    first, second = spoken(tone(300.0, (0.5, 2.0), (2.8, 4.0), seconds=4.5))
    found = np.array([first.start, first.end, second.start, second.end]) / SAMPLE_RATE
    np.testing.assert_allclose(found, (0.5, 2.0, 2.8, 4.0), atol=0.03)
    assert len(spoken(tone(300.0, (0.5, 2.0), (2.1, 4.0), seconds=4.5))) == 1


def test_everyone_is_heard_in_his_turns_and_no_one_else_unless_they_overlap(meeting: Meeting) -> None:
    assert {turn.speaker for turn in meeting.turns} == {one.name for one in VOICES}
    for turn in meeting.turns:
        others = [one for one in meeting.turns if one.speaker != turn.speaker]
        alone = not any(one.start < turn.end and turn.start < one.end for one in others)
        for one in VOICES:
            own = one.name == turn.speaker
            if own or alone:
                assert loud(meeting.samples[0], float(one.name.split()[0]), turn) == own, (turn, one.name)


def test_nobody_overlaps_himself_and_the_meeting_is_as_long_as_asked(meeting: Meeting) -> None:
    for one in VOICES:
        own = [turn for turn in meeting.turns if turn.speaker == one.name]
        assert all(turn.end < following.start for turn, following in pairwise(own))
    assert 60.0 <= meeting.seconds <= 90.0


def test_gaps_and_overlaps_are_as_published() -> None:
    long = simulated("long", VOICES, 600.0, np.random.default_rng(1))
    assert 0.05 < overlapped(long.turns) < 0.15
    speech = sum(turn.end - turn.start for turn in long.turns)
    assert 0.65 < speech / long.seconds < 0.95


def test_a_seed_gives_the_same_meeting_again_and_another_gives_another(meeting: Meeting) -> None:
    again = simulated("three", VOICES, 60.0, np.random.default_rng(7))
    other = simulated("three", VOICES, 60.0, np.random.default_rng(8))
    assert again.turns == meeting.turns
    np.testing.assert_array_equal(again.samples, meeting.samples)
    assert other.turns != meeting.turns


def test_no_enrolment_is_in_the_meeting(meeting: Meeting) -> None:
    whole = Turn(0.0, meeting.seconds, "")
    assert not any(loud(meeting.samples[0], 2 * float(one.name.split()[0]), whole) for one in VOICES)


def test_two_channels_have_their_own_speakers_alone() -> None:
    call = simulated("call", VOICES[:2], 40.0, np.random.default_rng(3), channels=2)
    assert {(turn.speaker, turn.channel) for turn in call.turns} == {(VOICES[0].name, 0), (VOICES[1].name, 1)}
    for channel, hertz in ((0, 430.0), (1, 300.0)):
        assert not loud(call.samples[channel], hertz, Turn(0.0, call.seconds, ""))


def test_a_telephone_keeps_the_turns_and_sends_8_kilohertz(meeting: Meeting) -> None:
    changed, body = through(meeting, mu_law, np.random.default_rng(0))
    assert changed.turns == meeting.turns
    assert changed.samples.shape == meeting.samples.shape
    assert int.from_bytes(body[24:28], "little") == 8_000
    for turn in meeting.turns:
        assert loud(changed.samples[0], float(turn.speaker.split()[0]), turn)
    silent = np.abs(meeting.samples[0]) < 0.002
    assert np.abs(changed.samples[0][silent]).mean() < 0.01


def test_the_stranger_is_no_candidate_and_the_absent_are(meeting: Meeting) -> None:
    guests = with_stranger(meeting, [speaker(900.0)])
    assert guests.strangers == {VOICES[2].name}
    assert [one.name for one in guests.candidates] == ["300 Hz", "430 Hz", "900 Hz"]


def test_rttm_has_a_line_for_each_turn() -> None:
    assert rttm("m", [Turn(0.5, 2.0, "a"), Turn(1.25, 3.0, "b", 1)]) == (
        "SPEAKER m 1 0.500 1.500 <NA> <NA> a <NA> <NA>\nSPEAKER m 2 1.250 1.750 <NA> <NA> b <NA> <NA>\n"
    )


def test_overlap_is_a_share_of_the_time_that_somebody_speaks() -> None:
    assert overlapped([Turn(0.0, 2.0, "a"), Turn(1.0, 3.0, "b"), Turn(5.0, 6.0, "a")]) == pytest.approx(0.25)
    assert overlapped([]) == 0.0


def test_halves_share_no_speaker() -> None:
    known = sorted(FITTING)[0]
    fitting, counting = halves([*VOICES, Voice(known, (), ())])
    assert [one.name for one in fitting] == [known]
    assert counting == VOICES


def test_names_are_counted_moment_by_moment() -> None:
    reference = [Turn(0.0, 4.0, "a"), Turn(3.0, 6.0, "b"), Turn(7.0, 9.0, "guest")]
    found = [
        Turn(0.0, 2.0, "a"),
        Turn(2.0, 3.0, "c"),
        Turn(3.0, 5.0, "b"),
        Turn(7.0, 8.0, "a"),
        Turn(8.0, 9.0, "unknown-1"),
    ]
    counted = naming(reference, found, {"guest"})
    # a: 2 s right, 1 s as c, and 1 s in which b is rightly heard; b: 2 s right, 1 s of silence.
    assert counted == Naming(right=4.0, other=1.0, unnamed=1.0, missed=1.0, strangers=2.0, strangers_named=1.0)


def test_a_collar_leaves_out_what_is_near_a_border_of_anybodys() -> None:
    reference = [Turn(0.0, 4.0, "a"), Turn(3.0, 6.0, "b")]
    found = [Turn(0.0, 3.0, "a"), Turn(3.0, 6.4, "b")]
    counted = naming(reference, found, (), 0.25)
    # Left out: to 0.25, 2.75 to 3.25, 3.75 to 4.25, from 5.75.
    assert counted == Naming(right=4.5, other=0.0, unnamed=0.5, missed=0.0, strangers=0.0, strangers_named=0.0)


def test_shares_are_of_all_meetings_together_with_an_interval_over_meetings() -> None:
    estimate = share([1.0, 0.0, 3.0], [10.0, 20.0, 10.0])
    assert estimate.value == pytest.approx(0.1)
    assert 0.0 <= estimate.low < 0.1 < estimate.high <= 0.3


def test_a_section_is_put_between_its_marks_alone() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replaced(page, f"{BEGIN}\nnew\n{END}") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    with pytest.raises(ValueError, match="no marks"):
        replaced("before", "new")
