"""From the bytes of a request to samples at 16 kHz, channel by channel.

WAV of plain samples, and samples without a header, are read here and now. Everything else goes to a decoder process.
"""

from __future__ import annotations

from shared.audio.containers import wav
from shared.audio.decoder.pool import Decoders
from shared.audio.formats import Container
from shared.audio.media_type import EXAMPLES, declared_layout
from shared.audio.plain_samples import WIDTHS, PlainSamples
from shared.audio.reader import Bounds, Decoded, read
from shared.audio.sniff import NO_RIFF_HEADER, sniff
from shared.domain.errors import AudioUnreadable, BodyMissing
from shared.domain.recording import AudioFormat


def decode(body: bytes, media_type: str | None, bounds: Bounds, decoders: Decoders) -> Decoded:
    """Decode a whole recording within bounds.

    The media type matters only for bytes without any signature. Raises ``BodyMissing``, ``AudioUnreadable`` (no audio,
    or damaged), ``AudioFormatUnsupported`` (names what was received), ``AudioTooShort`` and ``AudioTooLong`` (with the
    measured seconds; where only decoding tells the length, reading stops at the bound and the error says ``at_least``),
    and ``ServiceBusy`` (no decoder had time for it).
    """
    if not body:
        raise BodyMissing
    container = sniff(body)
    if container is None:
        return read(_headerless(body, media_type), bounds)
    if container in (Container.WAV, Container.RF64, Container.BW64):
        wave = wav.opened(body, container)
        return read(wave, bounds) if isinstance(wave, PlainSamples) else decoders.decode(wave, container, bounds)
    return decoders.decode(body, container, bounds)


def _headerless(body: bytes, media_type: str | None) -> PlainSamples:
    layout = declared_layout(media_type)
    if layout is None:
        raise AudioUnreadable(
            f"{NO_RIFF_HEADER}. Received {len(body):,} bytes of no known audio format. Samples without a header are "
            f"read where Content-Type says what they are: {EXAMPLES}."
        )
    if len(body) % WIDTHS[layout.encoding]:
        raise AudioUnreadable(
            f"Headerless PCM has two bytes a sample; the body has an odd length of {len(body):,} bytes."
        )
    received = AudioFormat("headerless PCM", layout.encoding, layout.rate, layout.channels)
    return PlainSamples(received, memoryview(body), layout.big_endian)
