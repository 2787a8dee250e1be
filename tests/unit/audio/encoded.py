"""Recordings made for the tests: signals of numpy, files of soundfile, and containers that soundfile does not write."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import soundfile

Floats = npt.NDArray[np.float32]


def tone(seconds: float, rate: int = 16_000, frequency: float = 440.0, amplitude: float = 0.5) -> Floats:
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def file(
    samples: Floats, rate: int = 16_000, container: str = "WAV", encoding: str = "PCM_16", endian: str = "FILE"
) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, samples, rate, format=container, subtype=encoding, endian=endian)
    return target.getvalue()


def chunk(name: bytes, content: bytes, promised: int | None = None) -> bytes:
    return (
        name + struct.pack("<I", len(content) if promised is None else promised) + content + b"\0" * (len(content) % 2)
    )


def riff(*chunks: bytes) -> bytes:
    content = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def pcm_format(rate: int = 16_000, channels: int = 1, bits: int = 16, tag: int = 1) -> bytes:
    frame = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits))


def int16(samples: Floats) -> bytes:
    return np.rint(samples * 32767).astype("<i2").tobytes()


def opus_packets(ogg: bytes) -> tuple[bytes, list[bytes]]:
    """The OpusHead and the packets of an Ogg Opus file, without the tags."""
    packets: list[bytes] = []
    at, open_packet = 0, b""
    while at < len(ogg):
        count = ogg[at + 26]
        lacing = ogg[at + 27 : at + 27 + count]
        at += 27 + count
        for length in lacing:
            open_packet += ogg[at : at + length]
            at += length
            if length < 255:
                packets.append(open_packet)
                open_packet = b""
    return packets[0], packets[2:]


def element(name: str, content: bytes, *, unknown_size: bool = False) -> bytes:
    size = b"\x01" + b"\xff" * 7 if unknown_size else struct.pack(">Q", len(content) | 1 << 56)
    return bytes.fromhex(name) + size + content


def block(packet: bytes, track: int = 1, flags: int = 0x80) -> bytes:
    return bytes((0x80 | track,)) + struct.pack(">hB", 0, flags) + packet


def webm(
    head: bytes,
    packets: Sequence[bytes],
    *,
    live: bool = True,
    groups: bool = False,
    codec: bytes = b"A_OPUS",
    bits: bytes = b"",
) -> bytes:
    """As MediaRecorder writes it (``live``: segment and clusters of unknown size), a cluster of 50 packets each.

    ``bits`` of a sample where the packets are PCM at 16 kHz.
    """
    track = element("d7", b"\x01") + element("83", b"\x02") + element("86", codec) + element("63a2", head)
    if bits:
        audio = element("b5", struct.pack(">d", 16_000.0)) + element("9f", b"\x01") + element("6264", bits)
        track += element("e1", audio)
    tracks = element("1654ae6b", element("ae", track))
    clusters = b""
    for start in range(0, len(packets), 50):
        content = element("e7", struct.pack(">I", start * 20))
        for packet in packets[start : start + 50]:
            content += element("a0", element("a1", block(packet, flags=0))) if groups else element("a3", block(packet))
        clusters += element("1f43b675", content, unknown_size=live)
    header = element("1a45dfa3", element("4282", b"webm"))
    return header + element(
        "18538067", element("1549a966", element("2ad7b1", b"\x0f\x42\x40")) + tracks + clusters, unknown_size=live
    )
