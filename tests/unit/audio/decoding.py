"""The decoder of the tests: two processes for all of them."""

from __future__ import annotations

from unittest.mock import patch

from shared.audio.decode import decode
from shared.audio.decoder import pool
from shared.audio.decoder.pool import Decoders
from shared.audio.reader import Bounds, Decoded

DECODERS = Decoders(2)
PATIENCE_SECONDS = 60.0
"""A machine may be busy for longer than a caller would be kept waiting. A process has its bound of processor time."""


def decoded(
    body: bytes, media_type: str | None = None, *, shortest: float = 0.0, longest: float = 15.0, strict: bool = False
) -> Decoded:
    with patch.object(pool, "DECODING_WAIT_SECONDS", PATIENCE_SECONDS):
        return decode(body, media_type, Bounds(shortest, longest, strict), DECODERS)
