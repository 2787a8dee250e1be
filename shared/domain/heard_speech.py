"""What was heard of a recording with several speakers, window by window: enough to say later who spoke when.

Windows lie on a grid that begins with the recording, so that a recording heard in slices gives what it gives at once.
A window knows up to three speakers, its local ones. Whose voice a stretch is is said by all windows together
(``shared/services/turns.py``): a window's network takes two like voices for one, which embeddings tell apart. Nobody's
words can be made of this, but it holds voices: it is sealed where it is kept.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from shared.domain.recording import SAMPLE_RATE, Vector

FRAME: Final = 270
"""Samples from frame to frame, 16.9 ms: the segmentation network's."""
FRAME_SECONDS: Final = FRAME / SAMPLE_RATE
FIRST_MIDDLE: Final = 495.5 / SAMPLE_RATE
"""Seconds: the middle of the first frame, which the network sees 991 samples of."""
WINDOW: Final = 160_000
"""Samples of a window, 10 s: what the network was taught with."""
WINDOW_FRAMES: Final = 589
STEP_FRAMES: Final = 296
STEP: Final = STEP_FRAMES * FRAME
"""Samples from window to window, 4.995 s: a whole number of frames, so that the frames of all windows coincide."""
LEAST_CLEAN_SECONDS: Final = 0.5
"""Of speech of one voice alone: with less an embedding says little of whose it is."""


@dataclass(frozen=True)
class HeardStretch:
    """What one of the up to three local speakers of a window says until he pauses or somebody else speaks.

    ``active``: when, as frames [first, end) counted from the beginning of the recording. ``embeddings``, by model id,
    are of the ``clean_seconds`` in which nobody else speaks. Where those are too few they are of all that is said,
    with whoever speaks at once: ``alone`` tells. There are none where even that is too little.
    """

    window: int
    local: int
    active: Sequence[tuple[int, int]]
    clean_seconds: float
    embeddings: Mapping[str, Vector] = field(default_factory=dict, repr=False)

    @property
    def alone(self) -> bool:
        """Whether there are embeddings, of this voice alone."""
        return bool(self.embeddings) and self.clean_seconds >= LEAST_CLEAN_SECONDS

    @property
    def seconds(self) -> float:
        """With those in which others speak too."""
        return sum(end - first for first, end in self.active) * FRAME_SECONDS


@dataclass(frozen=True)
class HeardSpeech:
    """Of the windows [first_window, end_window) of a channel. ``seconds``: where what was heard ends, counted from the
    beginning of the recording."""

    channel: int | None
    first_window: int
    end_window: int
    seconds: float
    stretches: Sequence[HeardStretch]

    @property
    def next_second(self) -> float:
        """Where the samples of the next slice must begin."""
        return self.end_window * STEP / SAMPLE_RATE


def heard_to_bytes(heard: Sequence[HeardSpeech]) -> bytes:
    """To be sealed before it is kept: it holds embeddings."""
    return json.dumps([_to_json(slice_) for slice_ in heard], separators=(",", ":")).encode()


def heard_from_bytes(content: bytes) -> list[HeardSpeech]:
    """The inverse. Raises ``ValueError``, ``LookupError`` or ``TypeError`` for anything else."""
    return [_from_json(slice_) for slice_ in json.loads(content)]


def _to_json(heard: HeardSpeech) -> dict[str, Any]:
    stretches = [
        [
            one.window,
            one.local,
            [frame for run in one.active for frame in run],
            one.clean_seconds,
            {name: base64.b64encode(made.astype("<f2").tobytes()).decode() for name, made in one.embeddings.items()},
        ]
        for one in heard.stretches
    ]
    about = [heard.channel, heard.first_window, heard.end_window, heard.seconds]
    return {"about": about, "stretches": stretches}


def _from_json(content: dict[str, Any]) -> HeardSpeech:
    stretches = []
    for window, local, frames, clean_seconds, voices in content["stretches"]:
        embeddings = {
            name: np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32) for name, text in voices.items()
        }
        active = tuple(zip(frames[::2], frames[1::2], strict=True))
        stretches.append(HeardStretch(window, local, active, clean_seconds, embeddings))
    channel, first_window, end_window, seconds = content["about"]
    return HeardSpeech(channel, first_window, end_window, seconds, tuple(stretches))
