"""The section of docs/accuracy.md about two voices in one enrollment."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Final

from tools.evaluation.page import WIDTH, table
from tools.second_voices.counts import Count
from tools.second_voices.recordings import MOOD, TURNS

BEGIN: Final = "<!-- two voices: written by python dev.py evaluate --second-voices -->"
END: Final = "<!-- two voices: end -->"
Counts = Mapping[str, Mapping[str, Count]]
"""By channel, by kind."""


def section(date: str, speakers: int, found: Counts) -> str:
    """With its marks. ``speakers``: so many are counted."""
    intro = (
        f"{date}. Enrollments of {speakers} speakers, on none of whom the rule was fitted: every recording of the "
        "development speech that is of one person, and made mixtures, in which the first voice speaks 10 to 16 s. Both "
        "voices are of one source; of the speakers with many recordings half of the mixtures are of one sex. "
        "*Refused* is with `SecondVoiceHeard`. Recordings with less than 3.5 s of speech are not looked at, and count "
        "as not refused. 95 % intervals of a count (Wilson 1927); mixtures of one speaker hang together, so that they "
        "are somewhat too narrow."
    )
    kinds = list(next(iter(found.values())))
    rows = [(f"{kind}: refused", *(_shown(counts[kind]) for counts in found.values())) for kind in kinds]
    single = [kind for kind in kinds if kind not in TURNS and kind != MOOD]
    for name, some in (("**one voice, all together**", single), ("**a second voice, all together**", list(TURNS))):
        rows.append((name, *(_shown(_sum(counts, some)) for counts in found.values())))
    head = ("recordings", *found)
    text = fill(intro, WIDTH, break_on_hyphens=False, break_long_words=False)
    return "\n\n".join((BEGIN, "## Two voices in one enrollment", text, table(head, rows), END))


def replaced(page: str, text: str) -> str:
    """The page with ``text`` in the place of the section. Raises ``ValueError`` where there is none."""
    return page.replace(written(page), text)


def written(page: str) -> str:
    """The section as it stands in the page, with its marks. Raises ``ValueError`` where there is none."""
    return page[page.index(BEGIN) : page.index(END) + len(END)]


def _sum(counts: Mapping[str, Count], kinds: list[str]) -> Count:
    total = Count(0, 0)
    for kind in kinds:
        total = total.plus(counts[kind])
    return total


def _shown(count: Count) -> str:
    low, high = count.bounds
    digits = 1 if count.share < 0.1 else 0
    share, least, most = (f"{100 * one:.{digits}f}" for one in (count.share, low, high))
    return f"{count.refused} of {count.of}: {share} % ({least} to {most})"
