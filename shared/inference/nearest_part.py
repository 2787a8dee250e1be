"""Where in a text another one stands, letters misheard or not.

Sellers (1980), doi:10.1016/0196-6774(80)90016-4: the edit distance with a free beginning and end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def nearest_part(text: str, wanted: str, starts: Sequence[int]) -> tuple[int, int]:
    """The fewest letters to change, add or leave out that make ``wanted`` of a part of ``text``; and where that begins.

    Both are ASCII. ``starts`` are the places where it may begin; the part has no letters where nothing fits.
    """
    # A cost and where its part began, in one number: the least cost, and of these the first start, is the least number.
    unit = len(text) + 1
    at = np.arange(unit)
    row = np.full(unit, (len(wanted) + 1) * unit)
    row[list(starts)] = starts
    row = np.minimum.accumulate(row - at * unit) + at * unit
    signs = np.frombuffer(text.encode("ascii"), np.uint8)
    for sign in wanted.encode("ascii"):
        left_out = row + unit
        left_out[1:] = np.minimum(left_out[1:], row[:-1] + unit * (signs != sign))
        row = np.minimum.accumulate(left_out - at * unit) + at * unit
    cost, start = divmod(int(row.min()), unit)
    return cost, start
