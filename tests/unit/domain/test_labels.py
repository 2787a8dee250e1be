"""Who said a phrase."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.labels import Span, SpokenSpan, speakers_of

MOMENTS = st.integers(0, 40)
CHANNELS = st.none() | st.integers(1, 3)
SPANS = st.builds(
    lambda start, length, channel: Span(start, start + length, channel), MOMENTS, st.integers(0, 20), CHANNELS
)
TURNS = st.lists(st.builds(SpokenSpan, st.sampled_from("ABCDE"), SPANS), max_size=12)


def test_a_phrase_is_of_who_speaks_for_most_of_it() -> None:
    turns = [SpokenSpan("A", Span(0, 10)), SpokenSpan("B", Span(10, 20)), SpokenSpan("A", Span(20, 24))]

    assert speakers_of([Span(0, 9), Span(4, 15), Span(8, 19), Span(9, 25)], turns) == ["A", "A", "B", "B"]


def test_of_equal_shares_the_first_in_the_recording_counts_in_whatever_order_turns_come() -> None:
    turns = [SpokenSpan("B", Span(5, 10)), SpokenSpan("A", Span(0, 5))]

    assert speakers_of([Span(0, 10)], turns) == speakers_of([Span(0, 10)], turns[::-1]) == ["A"]


def test_a_moment_is_of_who_speaks_then() -> None:
    assert speakers_of([Span(7, 7)], [SpokenSpan("A", Span(0, 5)), SpokenSpan("B", Span(5, 9))]) == ["B"]


@given(phrases=st.lists(SPANS, max_size=8), turns=TURNS)
def test_the_sums_are_those_of_a_count_turn_by_turn(phrases: list[Span], turns: list[SpokenSpan]) -> None:
    """Several turns of a speaker count together; channels are kept apart where phrase and turn name theirs."""
    for phrase, speaker in zip(phrases, speakers_of(phrases, turns), strict=True):
        shares: dict[str | None, int] = {None: 0}
        for turn in turns:
            if phrase.channel is None or turn.span.channel in (None, phrase.channel):
                end = min(max(phrase.end, phrase.start + 1), turn.span.end)
                overlap = max(0, end - max(phrase.start, turn.span.start))
                shares[turn.speaker] = shares.get(turn.speaker, 0) + overlap
        assert shares[speaker] == max(shares.values())
        assert (speaker is None) == (shares[speaker] == 0)
