"""Sends damaged bodies to the decoder, by the million, and counts what must not happen.

    python -m tools.fuzz_audio [--bodies 1000000] [--seconds 3600] [--seed 1] [--more FOLDER]

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
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from shared.audio.containers.ogg import checksum
from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.audio.reader import Bounds
from shared.domain.errors import TimbreError, TryLater

AT_ONCE: Final = 2
"""Processes that decode."""
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


class Found(logging.Handler):
    """What happened to the bodies. As a handler it counts decoders that were lost, and takes note of defects of ours,
    which the log alone knows."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes, self.wrong = Counter[str](), list[str]()
        self.longest, self.lost, self.grown = 0.0, 0, 0

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        self.lost += line.startswith("decoder_lost")
        if line.startswith("decoder_defect"):
            self.wrong.append(line)

    def add(self, outcome: str, seconds: float, wrong: str) -> None:
        self.outcomes[outcome] += 1
        self.longest = max(self.longest, seconds)
        if wrong:
            self.wrong.append(wrong)
        if self.outcomes.total() % _TOLD_EVERY == 0:
            print(
                f"{self.outcomes.total():,} bodies, {len(self.wrong)} wrong, longest {self.longest:.2f} s", flush=True
            )


@dataclass(frozen=True)
class Body:
    kind: str
    content: bytes = field(repr=False)
    media_type: str | None


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


def bodies(random: np.random.Generator, more: Mapping[str, bytes]) -> Iterator[Body]:
    """Without end."""
    kinds = recordings(random) | dict(more)
    while True:
        kind = str(random.choice(list(kinds)))
        yield Body(kind, damaged(kinds[kind], random), _MEDIA_TYPES[int(random.integers(0, len(_MEDIA_TYPES)))])


def damaged(body: bytes, random: np.random.Generator) -> bytes:
    """One to eight changes, most of them near the beginning, where the headers are."""
    changed = bytearray(body)
    for _ in range(int(random.integers(1, 9))):
        end = min(len(changed), _HEADER_BYTES) if random.random() < 0.7 else len(changed)
        if end < 8:
            break
        at, length = int(random.integers(0, end - 4)), int(random.integers(1, 64))
        match int(random.integers(0, 5)):
            case 0:
                changed[at] ^= 1 << int(random.integers(0, 8))
            case 1:
                struct.pack_into(str(random.choice(("<I", ">I"))), changed, at, int(random.choice(_EXTREMES)))
            case 2:
                changed[at:at] = changed[at : at + length]
            case 3:
                del changed[at : at + length]
            case _:
                changed[at : at + length // 4] = random.bytes(length // 4)
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


def attempt(body: Body, decoders: Decoders) -> tuple[str, float, str]:
    """The outcome, its seconds, and what is wrong with it or nothing."""
    started, wrong = time.perf_counter(), ""
    try:
        samples = decode(body.content, body.media_type, Bounds(0.0, 15.0), decoders).samples
        name = "decoded"
        if not 0 < samples.shape[1] <= 15 * 16_000 + 16 or not np.isfinite(samples).all():
            wrong = f"samples of shape {samples.shape}"
    except TimbreError as refusal:
        name = type(refusal).__name__
        if isinstance(refusal, TryLater) or len(str(refusal)) > 500:
            wrong = f"{name} of {len(str(refusal))} characters"
    except Exception as error:  # noqa: BLE001  that is what is looked for
        name = wrong = type(error).__name__
    seconds = time.perf_counter() - started
    if seconds > LONGEST_SECONDS:
        wrong = f"{seconds:.1f} s"
    return name, seconds, (wrong and f"{body.kind}: {wrong}: {body.content[:2048].hex()}")


def resident() -> int:
    """Bytes of this process; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096
    except OSError:
        return 0


def fuzz(count: int, seconds: float, seed: int, more: Mapping[str, bytes]) -> Found:
    """So many bodies, or as many as that time allows."""
    found, decoders, ends = Found(), Decoders(AT_ONCE), time.monotonic() + seconds
    log, made = logging.getLogger("timbre.decoders"), bodies(np.random.default_rng(seed), more)
    log.addHandler(found)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda body: attempt(body, decoders), islice(made, 50)))  # what one takes once is no growth
        before = resident()
        while (left := count - found.outcomes.total()) > 0 and time.monotonic() < ends:
            for outcome in pool.map(lambda body: attempt(body, decoders), islice(made, min(left, 100))):
                found.add(*outcome)
    log.removeHandler(found)
    found.grown = resident() - before
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz_audio", description="Damaged bodies, by the million.")
    parser.add_argument("--bodies", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3_600.0, help="stop after so long, whatever the number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--more", type=Path, help="a folder of further recordings to damage")
    options = parser.parse_args(arguments)
    more = {one.name: one.read_bytes() for one in sorted(options.more.iterdir())} if options.more else {}
    found = fuzz(options.bodies, options.seconds, options.seed, more)
    print(f"{found.outcomes.total():,} bodies: {dict(found.outcomes.most_common())}")
    print(f"longest {found.longest:.2f} s; {found.lost} decoders lost; this process grew by {found.grown / 1e6:.1f} MB")
    for line in found.wrong[:50]:
        print(f"WRONG {line}")
    return 1 if found.wrong or found.grown > MOST_GROWN_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
