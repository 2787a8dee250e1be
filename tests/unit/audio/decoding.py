"""The decoder of the tests: two processes for all of them."""

from __future__ import annotations

from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.audio.reader import Bounds, Decoded

DECODERS = Decoders(2)


def decoded(
    body: bytes, media_type: str | None = None, *, shortest: float = 0.0, longest: float = 15.0, strict: bool = False
) -> Decoded:
    return decode(body, media_type, Bounds(shortest, longest, strict), DECODERS)
