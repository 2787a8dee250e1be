"""Headerless samples, as the media type declares them.

The media type is asked only where the bytes say nothing. ``audio/L16`` is big-endian (RFC 2586), ``audio/basic`` mu-law
at 8 kHz (RFC 2046), ``audio/PCMU`` and ``audio/PCMA`` G.711 at 8 kHz (RFC 3551); the rest is what speech services
take: ``audio/wav; codecs=audio/pcm; samplerate=16000``, ``audio/x-mulaw; rate=8000``,
``audio/l16; endianness=little-endian``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.audio.plain_samples import Encoding
from shared.domain.errors import AudioFormatUnsupported
from shared.domain.limits import MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from shared.domain.recording import SAMPLE_RATE

TELEPHONE_RATE: Final = 8_000
"""Hz: G.711's own rate, where none is declared."""

EXAMPLES: Final = "audio/pcm; rate=16000 (16-bit little-endian mono) or audio/x-mulaw; rate=8000"
"""For messages: media types that make headerless samples readable."""


@dataclass(frozen=True)
class Declared:
    """How to read bytes without a header."""

    encoding: Encoding
    rate: int
    channels: int = 1
    big_endian: bool = False


_PCM: Final = Declared(Encoding.PCM_16, SAMPLE_RATE)
_L16: Final = replace(_PCM, big_endian=True)
_ULAW: Final = Declared(Encoding.ULAW, TELEPHONE_RATE)
_ALAW: Final = Declared(Encoding.ALAW, TELEPHONE_RATE)

_BY_CODEC: Final = {
    "pcm": _PCM, "x-pcm": _PCM, "raw": _PCM, "x-raw": _PCM, "pcm_s16le": _PCM, "s16le": _PCM, "1": _PCM,
    "l16": _L16, "x-l16": _L16, "pcm_s16be": _L16,
    "basic": _ULAW, "mulaw": _ULAW, "x-mulaw": _ULAW, "ulaw": _ULAW, "x-ulaw": _ULAW, "mu-law": _ULAW, "pcmu": _ULAW,
    "pcm_mulaw": _ULAW, "g711-mulaw": _ULAW, "7": _ULAW,
    "alaw": _ALAW, "x-alaw": _ALAW, "a-law": _ALAW, "pcma": _ALAW, "pcm_alaw": _ALAW, "g711-alaw": _ALAW, "6": _ALAW,
}  # fmt: skip
"""By subtype of ``audio/`` or value of ``codecs``; the numbers are WAV's codecs, in hexadecimal as RFC 2361 has it."""
_WAV: Final = frozenset({"audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave"})
"""Types of files with a header, under which many clients send bare PCM."""

_PARAMETER: Final = re.compile(r';\s*([a-z]+)\s*=\s*("[^"]*"|[^;,\s]*)')
_NAMES: Final = {
    "codec": "codecs", "codecs": "codecs", "rate": "rate", "samplerate": "rate", "channels": "channels",
    "endian": "endian", "endianness": "endian", "bits": "bits", "bit": "bits",
}  # fmt: skip
"""The parameters that say how to read, by the name that they share."""
_BIG_ENDIAN: Final = {"little": False, "little-endian": False, "big": True, "big-endian": True}
_LONGEST: Final = 1_024
"""Characters of a media type that are read."""


def declared(media_type: str | None) -> Declared | None:
    """What the media type says of bytes without a header; ``None`` where it promises no samples.

    Raises ``AudioFormatUnsupported``, which names the parameter and its value, where they cannot be read so.
    """
    lowered = (media_type or "")[:_LONGEST].lower()
    for part in lowered.split(","):
        kind = part.split(";")[0].strip()
        given = _parameters(part)
        start = _start(kind, given)
        if start is not None:
            return _with(start, given, kind)
    return None


def _parameters(part: str) -> dict[str, list[tuple[str, str]]]:
    """Names as written and values, by the name that they share."""
    given: dict[str, list[tuple[str, str]]] = {}
    for name, value in _PARAMETER.findall(part):
        if name in _NAMES:
            given.setdefault(_NAMES[name], []).append((name, value.strip('" ')))
    return given


def _start(kind: str, given: dict[str, list[tuple[str, str]]]) -> Declared | None:
    """What type and codec stand for, before the other parameters; ``None`` where that is no plain samples."""
    of_type = _PCM if kind in _WAV else _BY_CODEC.get(kind.removeprefix("audio/")) if "/" in kind else None
    for name, value in given.get("codecs", ()):
        of_codec = _BY_CODEC.get(value.removeprefix("audio/"))
        if of_codec is not None:
            return of_codec
        if of_type is not None:
            raise _refusal(kind, name, value, "codecs audio/pcm, mulaw or alaw")
    return of_type


def _with(start: Declared, given: dict[str, list[tuple[str, str]]], kind: str) -> Declared:
    rate = _number(given.get("rate", ()), start.rate, (MIN_SAMPLE_RATE, MAX_SAMPLE_RATE), kind)
    channels = _number(given.get("channels", ()), start.channels, (1, MAX_CHANNELS), kind)
    _number(given.get("bits", ()), 8 * start.encoding.width, (8 * start.encoding.width, 8 * start.encoding.width), kind)
    big_endian = start.big_endian
    for name, value in given.get("endian", ()):
        if value not in _BIG_ENDIAN:
            raise _refusal(kind, name, value, "endian little or big")
        big_endian = _BIG_ENDIAN[value]
    return Declared(start.encoding, rate, channels, big_endian)


def _number(given: Sequence[tuple[str, str]], otherwise: int, bounds: tuple[int, int], kind: str) -> int:
    """The parameter's value; where it is given more than once they must agree."""
    numbers = set()
    for name, value in given:
        number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1
        if not bounds[0] <= number <= bounds[1]:
            least = f"{bounds[0]}" if bounds[0] == bounds[1] else f"from {bounds[0]} to {bounds[1]}"
            raise _refusal(kind, name, value, f"{name} {least}")
        numbers.add(number)
    if len(numbers) > 1:
        names = " and ".join(dict.fromkeys(name for name, _ in given))
        raise _refusal(kind, names, ", ".join(str(number) for number in sorted(numbers)), "one value")
    return numbers.pop() if numbers else otherwise


def _refusal(kind: str, name: str, value: str, supported: str) -> AudioFormatUnsupported:
    shown = value if len(value) <= 32 else f"{value[:31]}…"
    return AudioFormatUnsupported(f"{kind[:64]} with {name}={shown}", f"headerless samples with {supported}")
