"""Sends damaged bodies to the decoder, by the million, and counts what must not happen.

    python -m tools.fuzz_audio [--bodies 1000000] [--seconds 3600] [--at-once 2] [--seed 1]

A body is a recording of a kind, damaged in its headers or anywhere: bytes changed, cut, repeated, sizes and counts set
to extremes, Ogg's checksums put right again so that the damage gets through. It must be decoded or refused within
``LONGEST_SECONDS``; nothing may be left of it but a little memory. Exit code 1 where that did not hold.
"""

from __future__ import annotations

import argparse
import io
import logging
import struct
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Final

import numpy as np
import soundfile

from shared.audio.containers.ogg import checksum
from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.audio.reader import Bounds
from shared.domain.errors import TimbreError, TryLater

LONGEST_SECONDS: Final = 3.5
"""Three and the look of a watch."""
MOST_GROWN_BYTES: Final = 50_000_000

KINDS: Final = (
    ("WAV", "PCM_16"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("RF64", "PCM_16"),
    ("RF64", "ULAW"), ("W64", "PCM_16"), ("W64", "GSM610"), ("AIFF", "PCM_16"), ("AIFF", "ULAW"),
    ("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("CAF", "ALAC_24"), ("AU", "PCM_16"), ("AU", "ULAW"), ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"),
)  # fmt: skip
_HEADER_BYTES: Final = 512
_TOLD_EVERY: Final = 10_000
_EXTREMES: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF)
_MEDIA_TYPES: Final = (None, "audio/wav", "audio/x-mulaw; rate=8000", "audio/L16; rate=44100; channels=2")


@dataclass
class Found:
    """What happened to the bodies."""

    outcomes: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @property
    def bodies(self) -> int:
        return sum(self.outcomes.values())

    def add(self, outcome: str, seconds: float, wrong: str | None) -> None:
        with self.lock:
            self.outcomes[outcome] += 1
            self.longest = max(self.longest, seconds)
            if self.bodies % _TOLD_EVERY == 0:
                print(f"{self.bodies:,} bodies, {len(self.wrong)} wrong, longest {self.longest:.2f} s", flush=True)
            if wrong is not None:
                self.wrong.append(wrong)


def recordings(random: np.random.Generator) -> dict[str, bytes]:
    """A short recording of each kind that libsndfile writes."""
    time_axis = np.arange(4_800) / 16_000
    voice = 0.3 * np.sin(2 * np.pi * 220 * time_axis) + random.normal(0, 0.02, 4_800)
    made = {}
    for container, encoding in KINDS:
        target = io.BytesIO()
        soundfile.write(target, voice.astype(np.float32), 16_000, format=container, subtype=encoding)
        made[f"{container} {encoding}"] = target.getvalue()
    return made


def damaged(body: bytes, random: np.random.Generator) -> bytes:  # noqa: C901  one flat match
    """One to eight changes, most of them near the beginning, where the headers are."""
    changed = bytearray(body)
    for _ in range(int(random.integers(1, 9))):
        end = min(len(changed), _HEADER_BYTES) if random.random() < 0.7 else len(changed)
        if end < 8:
            break
        at = int(random.integers(0, end - 4))
        match int(random.integers(0, 6)):
            case 0:
                changed[at] = int(random.integers(0, 256))
            case 1:
                changed[at] ^= 1 << int(random.integers(0, 8))
            case 2:
                order = "<I" if random.random() < 0.5 else ">I"
                struct.pack_into(order, changed, at, int(random.choice(_EXTREMES)))
            case 3:
                length = int(random.integers(1, 64))
                changed[at:at] = changed[at : at + length]
            case 4:
                del changed[at : at + int(random.integers(1, 64))]
            case _:
                length = int(random.integers(1, 16))
                changed[at : at + length] = random.integers(0, 256, length, dtype=np.uint8).tobytes()
    if random.random() < 0.1:
        del changed[int(random.integers(0, len(changed))) :]
    return resummed(bytes(changed)) if body.startswith(b"OggS") and random.random() < 0.9 else bytes(changed)


def resummed(ogg: bytes) -> bytes:
    """The same with the checksum of each page as its content asks for."""
    changed, at = bytearray(ogg), 0
    while changed[at : at + 4] == b"OggS" and at + 27 <= len(changed):
        count = changed[at + 26]
        end = at + 27 + count + sum(changed[at + 27 : at + 27 + count])
        changed[at + 22 : at + 26] = bytes(4)
        struct.pack_into("<I", changed, at + 22, checksum(bytes(changed[at:end])))
        at = end
    return bytes(changed)


def attempt(body: bytes, media_type: str | None, decoders: Decoders, found: Found, kind: str) -> None:
    started, wrong = time.perf_counter(), None
    try:
        samples = decode(body, media_type, Bounds(0.0, 15.0), decoders).samples
        outcome = "decoded"
        if not 0 < samples.shape[1] <= 15 * 16_000 + 16 or not np.isfinite(samples).all():
            wrong = f"samples of shape {samples.shape}"
    except TryLater as busy:
        outcome = type(busy).__name__
        wrong = "an answer of 503"
    except TimbreError as refusal:
        outcome = type(refusal).__name__
        if len(str(refusal)) > 500:
            wrong = f"an answer of {len(str(refusal))} characters"
    except Exception as error:  # noqa: BLE001  that is what is looked for
        outcome = wrong = type(error).__name__
    seconds = time.perf_counter() - started
    if seconds > LONGEST_SECONDS:
        wrong = f"{seconds:.1f} s"
    found.add(outcome, seconds, None if wrong is None else f"{kind}: {wrong}: {body[:2048].hex()}")


def send(bodies: int, seconds: float, seed: int, decoders: Decoders, found: Found, more: Mapping[str, bytes]) -> None:
    random = np.random.default_rng(seed)
    kinds = recordings(random) | dict(more)
    names, ends = list(kinds), time.monotonic() + seconds
    for _ in range(bodies):
        if time.monotonic() > ends:
            return
        kind = str(random.choice(names))
        media_type = _MEDIA_TYPES[int(random.integers(0, len(_MEDIA_TYPES)))]
        attempt(damaged(kinds[kind], random), media_type, decoders, found, kind)


class Losses(logging.Handler):
    """Counts decoders that were replaced, and collects defects of ours, which the log alone knows."""

    def __init__(self, found: Found) -> None:
        super().__init__()
        self.found, self.lost = found, 0

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        self.lost += line.startswith("decoder_lost")
        if line.startswith("decoder_defect"):
            with self.found.lock:
                self.found.wrong.append(line)


def resident(pid: str = "self") -> int:
    """Bytes; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096
    except OSError:
        return 0


def fuzz(bodies: int, seconds: float, at_once: int, seed: int, more: Mapping[str, bytes]) -> tuple[Found, Losses, int]:
    """What was found, the decoders that were lost, and the bytes by which this process has grown."""
    found, decoders = Found(), Decoders(at_once)
    losses = Losses(found)
    logging.getLogger("timbre.decoders").addHandler(losses)
    send(50, seconds, seed + 1_000, decoders, Found(), more)  # what one takes once is no growth
    before = resident()
    shares = [bodies // at_once + (number < bodies % at_once) for number in range(at_once)]
    threads = [
        Thread(target=send, args=(share, seconds, seed + number, decoders, found, more))
        for number, share in enumerate(shares)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logging.getLogger("timbre.decoders").removeHandler(losses)
    return found, losses, resident() - before


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz_audio", description="Damaged bodies, by the million.")
    parser.add_argument("--bodies", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3_600.0, help="stop after so long, whatever the number")
    parser.add_argument("--at-once", type=int, default=2, help="processes that decode")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--more", type=Path, help="a folder of further recordings to damage")
    options = parser.parse_args(arguments)
    more = {one.name: one.read_bytes() for one in sorted(options.more.iterdir())} if options.more else {}
    found, losses, grown = fuzz(options.bodies, options.seconds, options.at_once, options.seed, more)
    print(f"{found.bodies:,} bodies: {dict(found.outcomes.most_common())}")
    print(f"longest {found.longest:.2f} s; {losses.lost} decoders lost; this process grew by {grown / 1e6:.1f} MB")
    for line in found.wrong[:50]:
        print(f"WRONG {line}")
    return 1 if found.wrong or grown > MOST_GROWN_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
