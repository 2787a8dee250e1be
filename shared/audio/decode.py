"""From the bytes of a request to samples at 16 kHz, channel by channel.

WAV of plain samples, and samples without a header, are read here and now. Everything else goes to a decoder process.
"""

from __future__ import annotations

from shared.audio.containers import wav
from shared.audio.decoder.pool import Decoders
from shared.audio.formats import Container
from shared.audio.media_type import declared_layout
from shared.audio.plain_samples import WIDTHS, PlainSamples
from shared.audio.reader import Bounds, Decoded, read
from shared.audio.sniff import sniff
from shared.domain.errors import AudioUnreadable
from shared.domain.recording import AudioFormat


def decode(body: bytes, media_type: str | None, bounds: Bounds, decoders: Decoders) -> Decoded:
    """Decode a whole recording within bounds.

    The media type matters only for bytes without any signature (see ``sniff``). Raises ``BodyMissing``,
    ``AudioUnreadable`` (no audio, or damaged), ``AudioFormatUnsupported`` (names what was received), ``AudioTooShort``
    and ``AudioTooLong`` (with the measured seconds; where only decoding tells the length, reading stops at the bound
    and the error says ``at_least``), and ``ServiceBusy`` (no decoder had time for it).
    """
    container = sniff(body, media_type)
    if container is Container.PCM:
        return read(_headerless(body, media_type), bounds)
    if container in (Container.WAV, Container.RF64, Container.BW64):
        wave = wav.opened(body, str(container))
        return read(wave, bounds) if isinstance(wave, PlainSamples) else decoders.decode(wave, container, bounds)
    return decoders.decode(body, container, bounds)


def _headerless(body: bytes, media_type: str | None) -> PlainSamples:
    layout = declared_layout(media_type)
    if layout is None:
        raise AssertionError("sniff took the bytes for samples")
    if len(body) % WIDTHS[layout.encoding]:
        raise AudioUnreadable(
            f"Headerless PCM has two bytes a sample; the body has an odd length of {len(body):,} bytes."
        )
    received = AudioFormat(str(Container.PCM), layout.encoding, layout.rate, layout.channels)
    return PlainSamples(received, memoryview(body), big_endian=layout.big_endian)
