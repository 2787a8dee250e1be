"""What overlapping windows say of each moment is put together."""

from __future__ import annotations

import pytest

from shared.domain.heard_speech import FRAME_SECONDS, STEP_FRAMES, WINDOW_FRAMES, HeardStretch
from shared.domain.timeline import Labelled, timeline, union_seconds


def said(label: int, window: int, start: int, end: int) -> Labelled:
    """Frames within the window."""
    offset = window * STEP_FRAMES
    return Labelled(HeardStretch(window, label, ((offset + start, offset + end),), 1.0), label)


def frames(stretches: list[tuple[float, float]]) -> list[tuple[int, int]]:
    return [
        (round((start - 0.0225) / FRAME_SECONDS), round((end - 0.0225) / FRAME_SECONDS)) for start, end in stretches
    ]


def test_the_window_whose_middle_is_nearer_decides() -> None:
    found = timeline([said(0, 0, 100, WINDOW_FRAMES)], 1, 2, exclusive=False)
    (stretch,) = frames(found[0])
    assert stretch[0] == 100
    assert stretch[1] == pytest.approx((STEP_FRAMES + WINDOW_FRAMES) / 2, abs=2), "the second window hears nobody"


def test_a_turn_across_windows_is_one() -> None:
    first, second = said(0, 0, 200, WINDOW_FRAMES), said(0, 1, 0, 300)
    assert frames(timeline([first, second], 1, 2, exclusive=False)[0]) == [(200, STEP_FRAMES + 300)]


def test_two_at_once_are_both_heard_or_the_likelier_alone() -> None:
    both = [said(0, 0, 0, 290), said(0, 1, 0, 10), said(1, 0, 200, 280)]
    assert frames(timeline(both, 2, 1, exclusive=False)[1]) == [(200, 280)]
    alone = timeline(both, 2, 1, exclusive=True)
    assert union_seconds([*alone[0], *alone[1]]) == pytest.approx(sum(e - s for s, e in [*alone[0], *alone[1]]))


def test_what_is_too_short_is_no_turn() -> None:
    assert timeline([said(0, 0, 100, 104)], 1, 1, exclusive=False) == [[]]
    assert timeline([], 0, 0, exclusive=False) == []


def test_seconds_of_several_count_once() -> None:
    assert union_seconds([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0), (5.5, 5.6)]) == 4.0
