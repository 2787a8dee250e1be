"""Where in a text another one stands."""

from __future__ import annotations

import pytest

from shared.inference.nearest_part import nearest_part


@pytest.mark.parametrize(
    ("text", "starts", "expected"),
    [
        ("openthedoor", (0, 4, 7), (0, 0)),
        ("wellumopenthedoornow", (0, 4, 6, 10, 13, 17), (0, 6)),
        ("wellumopenthatdoor", (0, 4, 6, 10, 14), (2, 6)),
        ("opnthedoor", (0, 3, 6), (1, 0)),
        ("xopenthedoor", (0,), (1, 0)),
        ("openopenthedoor", (0, 4), (0, 4)),
        ("", (0,), (11, 0)),
    ],
    ids=["all", "among words", "a word misheard", "a letter lost", "no beginning of a word", "said twice", "nothing"],
)
def test_the_part_that_is_most_like_it(text: str, starts: tuple[int, ...], expected: tuple[int, int]) -> None:
    assert nearest_part(text, "openthedoor", starts) == expected


def test_a_text_that_is_like_it_nowhere_costs_no_more_than_all_its_letters() -> None:
    assert nearest_part("zzzzzzzzzzzzzzzzzzzz", "abc", (0, 5, 10)) == (3, 0)
