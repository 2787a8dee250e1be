"""Looks for secret bytes in whatever a program has written, in the forms that programs write bytes in.

A needle counts as found when 64 of its bytes in a row lie anywhere in the haystack: raw, in base64 (three ways to fall
on its groups of three, two alphabets), in hex, or as a list of decimal numbers. The search takes, from each 57 places
of a needle, 8 bytes (any run of 64 holds such a sample whole), finds those among all 8-byte windows of the haystack,
and then measures how far the two agree.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RUN = 64
"""Bytes in a row that are no accident: 4 ms of audio, or 16 numbers of a vector."""

_SAMPLE = 8
_STRIDE = RUN - _SAMPLE + 1
_HASH_BITS = 24
_CHUNK = 1 << 22
_FEWEST_KINDS = 5
"""A sample of fewer different bytes is silence or padding, which proves nothing."""


_DECIMALS = [str(byte).encode() for byte in range(256)]


@dataclass(frozen=True)
class Needle:
    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Find:
    needle: str
    form: str
    file: str
    length: int


@dataclass(frozen=True)
class _Samples:
    """8 bytes from every 57th place of each needle in each of its forms: as numbers in ascending order, and where they
    are from.
    """

    values: NDArray[np.uint64]
    forms: NDArray[np.int64]
    places: NDArray[np.int64]

    def of(self, value: int) -> Iterator[tuple[int, int]]:
        """Form and place of each sample with that value."""
        first, last = (int(np.searchsorted(self.values, np.uint64(value), side)) for side in ("left", "right"))
        return ((int(self.forms[one]), int(self.places[one])) for one in range(first, last))


def search(needles: list[Needle], paths: list[Path]) -> list[Find]:
    """Every file under the paths; one run of each needle and form in each file, however many there are."""
    written = [(needle.name, form, content) for needle in needles for form, content in forms(needle.content)]
    samples = _samples([content for _, _, content in written])
    longest: dict[tuple[int, str], int] = {}
    for file in (file for path in paths for file in files(path)):
        haystack = file.read_bytes()
        for value, at in _hits(haystack, samples.values):
            for form, place in samples.of(value):
                found = form, str(file)
                if longest.get(found, 0) < RUN:
                    agreeing = _agreement(written[form][2], place, haystack, at)
                    longest[found] = max(longest.get(found, 0), agreeing)
    return [Find(*written[form][:2], file, length) for (form, file), length in longest.items() if length >= RUN]


def files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def forms(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "raw", content
    for skipped in range(3):
        encoded = base64.b64encode(content[skipped : skipped + (len(content) - skipped) // 3 * 3])
        yield f"base64+{skipped}", encoded
        yield f"base64url+{skipped}", encoded.replace(b"+", b"-").replace(b"/", b"_")
    yield "hex", content.hex().encode()
    yield "HEX", content.hex().upper().encode()
    decimal = b",".join(map(_DECIMALS.__getitem__, content))
    yield "decimal", decimal
    yield "decimal spaced", decimal.replace(b",", b", ")


def _samples(contents: list[bytes]) -> _Samples:
    values, numbers, places = [], [], []
    for number, content in enumerate(contents):
        if len(content) < _SAMPLE:
            continue
        windows = _windows(content, _STRIDE)
        ordered = np.sort(windows.view(np.uint8).reshape(-1, _SAMPLE), axis=1)
        telling = np.flatnonzero((np.diff(ordered, axis=1) != 0).sum(axis=1) + 1 >= _FEWEST_KINDS)
        values.append(windows[telling])
        numbers.append(np.full(len(telling), number))
        places.append(telling * _STRIDE)
    joined = np.concatenate([*values, np.zeros(0, np.uint64)])
    order = np.argsort(joined)
    return _Samples(
        joined[order],
        np.concatenate([*numbers, np.zeros(0, np.int64)])[order],
        np.concatenate([*places, np.zeros(0, np.int64)])[order],
    )


def _hits(haystack: bytes, wanted: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Each wanted number, in ascending order, among the haystack's 8-byte windows, and where.

    A table of hashes sorts most of them out.
    """
    table = np.zeros(1 << _HASH_BITS, dtype=bool)
    table[_hash(wanted)] = True
    for start in range(0, len(haystack) - _SAMPLE + 1, _CHUNK):
        windows = _windows(haystack[start : start + _CHUNK + _SAMPLE - 1])
        likely = np.flatnonzero(table[_hash(windows)])
        places = np.minimum(np.searchsorted(wanted, windows[likely]), len(wanted) - 1)
        for at in likely[wanted[places] == windows[likely]]:
            yield int(windows[at]), start + int(at)


def _hash(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Knuth's multiplicative hash: the upper bits of a product with an odd number near 2**64 / 1.618."""
    return np.asarray((values * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _HASH_BITS), dtype=np.uint64)


def _windows(content: bytes, step: int = 1) -> NDArray[np.uint64]:
    """The 8 bytes from each ``step``-th place on as a number, shape [length - 7] where it is 1."""
    data = np.frombuffer(content, dtype=np.uint8)
    return np.lib.stride_tricks.sliding_window_view(data, _SAMPLE)[::step].copy().view(np.uint64)[:, 0]


def _agreement(needle: bytes, at: int, haystack: bytes, there: int) -> int:
    """How many bytes in a row are the same around the two places."""
    before = after = 0
    while min(at, there) > before and needle[at - before - 1] == haystack[there - before - 1]:
        before += 1
    end = min(len(needle) - at, len(haystack) - there)
    while after < end and needle[at + after] == haystack[there + after]:
        after += 1
    return before + after
