"""Refusals that v2.0 and 2021-09-05 have in words of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.domain.errors import AudioTooLong, AudioTooShort, ParameterMissing, RecordingRefused

PROFILE_IDS_RULE: Final = "It should be comma-delimited list of IDs containing at least one ID."


class ProfileIdsMissing(ParameterMissing):
    def __init__(self) -> None:
        super().__init__("profileIds", PROFILE_IDS_RULE)


class AudioLengthRefused(RecordingRefused):
    """The sentence says what kind of request the limit is for."""

    def __init__(self, error: AudioTooShort | AudioTooLong, purpose: str) -> None:
        if isinstance(error, AudioTooLong):
            limit = f"Maximum allowed length per {purpose} request is {error.maximum_seconds:g} seconds."
        else:
            limit = f"Minimum allowed length per {purpose} request is {error.minimum_seconds:g} second."
        super().__init__(f"Invalid audio length. {limit} {error.measured}")


@contextmanager
def lengths_per(purpose: str) -> Iterator[None]:
    """Raises ``AudioLengthRefused`` in place of ``AudioTooShort`` and ``AudioTooLong``."""
    try:
        yield
    except (AudioTooShort, AudioTooLong) as error:
        raise AudioLengthRefused(error, purpose) from error
