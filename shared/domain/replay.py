"""Whether a recording was heard before: landmarks of accepted ones, each behind a keyed hash.

A landmark says which two peaks of a spectrogram stand how far apart. Of a profile's accepted recordings their hashes
and times are kept, never the landmarks: without the subscription's key nobody can tell which peaks they were.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.profile import ProfileKey

HASH_BYTES: Final = 4

MAX_PRINTS: Final = 100
"""Kept of one profile, the latest: half a megabyte at most."""

LEAST_SHARED: Final = 15
LEAST_SHARE: Final = 0.05
"""From how many landmarks, and which part of the shorter recording's, that two recordings have at the same distance in
time, the later is a replay. ``docs/replay.md`` has the measurements."""


@dataclass(frozen=True)
class Landmarks:
    """``values`` [n] and ``times`` [n], in frames from the recording's beginning, in the order of time."""

    values: npt.NDArray[np.uint32] = field(repr=False)
    times: npt.NDArray[np.uint16] = field(repr=False)


@dataclass(frozen=True)
class Print:
    """What is kept of an accepted recording: ``hashes`` [n] of its landmarks, and their ``times`` [n]."""

    hashes: npt.NDArray[np.uint32] = field(repr=False)
    times: npt.NDArray[np.uint16] = field(repr=False)

    @classmethod
    def of(cls, landmarks: Landmarks, key: ProfileKey, secret: bytes) -> Print:
        """``secret``: 32 bytes of the subscription's own. The prints of two profiles have nothing in common."""
        whose = f"{key.kind.value}:{key.profile_id}:".encode()
        digests = (hmac.digest(secret, whose + value.tobytes(), sha256) for value in landmarks.values.astype("<u4"))
        hashes = np.frombuffer(b"".join(digest[:HASH_BYTES] for digest in digests), "<u4")
        return cls(hashes.astype(np.uint32), landmarks.times)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Print:
        count = len(stored) // 6
        return cls(np.frombuffer(stored, "<u4", count), np.frombuffer(stored, "<u2", count, 4 * count))

    def to_bytes(self) -> bytes:
        return self.hashes.astype("<u4").tobytes() + self.times.astype("<u2").tobytes()

    def shared_with(self, other: Print) -> int:
        """How many landmarks both have, at one distance in time, give or take a frame."""
        order = np.argsort(other.hashes, kind="stable")
        hashes = other.hashes[order]
        first, last = np.searchsorted(hashes, self.hashes), np.searchsorted(hashes, self.hashes, "right")
        counts = last - first
        if not counts.any():
            return 0
        own = np.repeat(self.times.astype(np.int64), counts)
        starts = np.repeat(first - np.cumsum(counts) + counts, counts)
        theirs = other.times[order][starts + np.arange(counts.sum())].astype(np.int64)
        at = np.bincount(own - theirs + 65_536, minlength=131_072)
        return int((at[:-2] + at[1:-1] + at[2:]).max())

    def repeats(self, other: Print) -> bool:
        """Whether this is the other's recording, or a part of it."""
        least = max(LEAST_SHARED, LEAST_SHARE * min(len(self.hashes), len(other.hashes)))
        return self.shared_with(other) >= least


def repeated(heard: Sequence[Print], kept: Sequence[Print]) -> bool:
    """``heard``: of one recording, in several alignments."""
    return any(one.repeats(other) for other in kept for one in heard)
