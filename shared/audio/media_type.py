"""Headerless samples, as the media type declares them.

The media type is asked only where the bytes say nothing. ``audio/L16`` is big-endian (RFC 2586), ``audio/basic`` mu-law
at 8 kHz (RFC 2046), ``audio/PCMU`` and ``audio/PCMA`` G.711 at 8 kHz (RFC 3551); the rest is what speech services
take: ``audio/wav; codecs=audio/pcm; samplerate=16000``, ``audio/x-mulaw; rate=8000``.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from shared.audio.plain_samples import WIDTHS
from shared.domain.errors import AudioFormatUnsupported
from shared.domain.limits import MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from shared.domain.recording import SAMPLE_RATE

EXAMPLES: Final = "audio/pcm; rate=16000 (16-bit little-endian mono) or audio/x-mulaw; rate=8000"
"""For messages: media types that make headerless samples readable."""


class Layout(NamedTuple):
    """How to read bytes without a header."""

    encoding: str
    rate: int
    channels: int = 1
    big_endian: bool = False


_PCM: Final = Layout("PCM_16", SAMPLE_RATE)
_L16: Final = _PCM._replace(big_endian=True)
_ULAW: Final = Layout("ULAW", 8_000)
_ALAW: Final = Layout("ALAW", 8_000)
_BY_CODEC: Final = {
    **dict.fromkeys(("pcm", "x-pcm", "raw", "x-raw", "pcm_s16le", "s16le", "1"), _PCM),
    **dict.fromkeys(("l16", "x-l16", "pcm_s16be"), _L16),
    **dict.fromkeys(("basic", "mulaw", "x-mulaw", "ulaw", "x-ulaw", "mu-law", "pcmu", "pcm_mulaw"), _ULAW),
    **dict.fromkeys(("g711-mulaw", "7"), _ULAW),
    **dict.fromkeys(("alaw", "x-alaw", "a-law", "pcma", "pcm_alaw", "g711-alaw", "6"), _ALAW),
}
"""By subtype of ``audio/`` or value of ``codecs``; the numbers are WAV's codecs, in hexadecimal as RFC 2361 has it."""
_WAV: Final = frozenset({"audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave"})
"""Types of files with a header, under which many clients send bare PCM."""
_PARAMETER: Final = re.compile(r';\s*([a-z]+)\s*=\s*("[^"]*"|[^;,\s]*)')
_SYNONYMS: Final = {"codec": "codecs", "samplerate": "rate", "endianness": "endian", "bit": "bits"}
_BIG_ENDIAN: Final = {"little": False, "little-endian": False, "big": True, "big-endian": True}
_LONGEST: Final = 1_024  # characters of a media type that are read
Parameters = list[tuple[str, str]]
"""Names as the sender writes them, and values."""


def declared_layout(media_type: str | None) -> Layout | None:
    """``None`` where the media type promises no samples.

    Raises ``AudioFormatUnsupported``, which names the parameter and its value, where they cannot be read so.
    """
    for part in (media_type or "")[:_LONGEST].lower().split(","):
        kind = part.split(";")[0].strip()
        parameters = [(name, value.strip('" ')) for name, value in _PARAMETER.findall(part)]
        layout = _by_codec(kind, parameters)
        if layout is not None:
            return _with_parameters(layout, kind, parameters)
    return None


def _by_codec(kind: str, parameters: Parameters) -> Layout | None:
    """What type and codec stand for, before the other parameters."""
    by_type = _PCM if kind in _WAV else _BY_CODEC.get(kind.removeprefix("audio/")) if "/" in kind else None
    for name, value in _named("codecs", parameters):
        by_codec = _BY_CODEC.get(value.removeprefix("audio/"))
        if by_codec is not None:
            return by_codec
        if by_type is not None:
            raise _refusal(kind, name, value, "codecs audio/pcm, mulaw or alaw")
    return by_type


def _with_parameters(layout: Layout, kind: str, parameters: Parameters) -> Layout:
    bits = 8 * WIDTHS[layout.encoding]
    rate = _number(kind, _named("rate", parameters), layout.rate, MIN_SAMPLE_RATE, MAX_SAMPLE_RATE)
    channels = _number(kind, _named("channels", parameters), layout.channels, 1, MAX_CHANNELS)
    _number(kind, _named("bits", parameters), bits, bits, bits)
    big_endian = layout.big_endian
    for name, value in _named("endian", parameters):
        if value not in _BIG_ENDIAN:
            raise _refusal(kind, name, value, "endian little or big")
        big_endian = _BIG_ENDIAN[value]
    return Layout(layout.encoding, rate, channels, big_endian)


def _named(name: str, parameters: Parameters) -> Parameters:
    return [parameter for parameter in parameters if _SYNONYMS.get(parameter[0], parameter[0]) == name]


def _number(kind: str, parameters: Parameters, default: int, low: int, high: int) -> int:
    """The parameter's value; where it is given more than once they must agree."""
    numbers = {default} if not parameters else set()
    for name, value in parameters:
        number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1
        if not low <= number <= high:
            bounds = f"{low}" if low == high else f"from {low} to {high}"
            raise _refusal(kind, name, value, f"{name} {bounds}")
        numbers.add(number)
    if len(numbers) > 1:
        names = " and ".join(dict.fromkeys(name for name, _ in parameters))
        raise _refusal(kind, names, ", ".join(map(str, sorted(numbers))), "one value")
    return numbers.pop()


def _refusal(kind: str, name: str, value: str, supported: str) -> AudioFormatUnsupported:
    shown = value if len(value) <= 32 else f"{value[:31]}…"
    return AudioFormatUnsupported(f"{kind[:64]} with {name}={shown}", f"headerless samples with {supported}")
