"""Stage 1 of who spoke when: a slice of one channel becomes stretches of speech with their embeddings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.heard_speech import (
    FRAME,
    FRAME_SECONDS,
    LEAST_CLEAN_SECONDS,
    STEP,
    STEP_FRAMES,
    WINDOW,
    HeardSpeech,
    HeardStretch,
)
from shared.domain.recording import SAMPLE_RATE, AudioFormat, Recording, Samples, Utterance, Vector
from shared.services.comparison import SpeakerModels
from shared.services.ports.hearing import Segmentation

Frames = npt.NDArray[np.bool_]

LEAST_MIXED_SECONDS: Final = 0.3
"""Of a stretch with too little speech of one voice alone: so much of it is embedded with whoever speaks at once. A
tenth of what is said is in such stretches, most of it a listener's words. By their window alone three in ten were told
rightly; heard, 62 instead of 54 % of the enrolled speakers' overlapped time is right: docs/internals/turns.md."""
PAUSE_SECONDS: Final = 0.25
PIECE_SECONDS: Final = 2.0
"""A longer pause of a local speaker ends a stretch, and longer speech is cut into stretches of about so much: behind it
may be another voice that the network takes for the same."""
PAUSE_FRAMES: Final = round(PAUSE_SECONDS / FRAME_SECONDS)
PIECE_FRAMES: Final = round(PIECE_SECONDS / FRAME_SECONDS)

_FORMAT: Final = AudioFormat("samples", "float32", SAMPLE_RATE, 1)
_FRAME_OFFSET: Final = (991 - FRAME) // 2
"""Samples before those that a frame stands for, of those that the network sees of it."""


@dataclass(frozen=True)
class HearSpeakers:
    segmentation: Segmentation
    models: SpeakerModels

    def __call__(
        self,
        samples: Samples,
        start_second: float,
        *,
        last: bool,
        model_ids: Collection[str] = (),
        channel: int | None = None,
    ) -> HeardSpeech:
        """What is heard in the windows that lie wholly inside the samples [n] at 16 kHz; ``last``: and in those behind,
        until the samples are all heard.

        ``start_second`` is 0 or ``next_second`` of what was heard before. Speakers are embedded by the current model,
        and by others that made candidates' signatures: ``model_ids``. Raises ``ValueError`` for another start.
        """
        start = round(start_second * SAMPLE_RATE)
        if start % STEP:
            raise ValueError(f"A slice begins at a multiple of {STEP} samples, not at {start}.")
        first = start // STEP
        count = max(0, (len(samples) - WINDOW) // STEP + 1)
        if last and (count == 0 or (count - 1) * STEP + WINDOW < len(samples)):
            count += 1
        stretches = [
            stretch
            for number in range(count)
            for stretch in self._window(samples[number * STEP :][:WINDOW], first + number, model_ids)
        ]
        end = start + len(samples) if last else start + max(0, count - 1) * STEP + WINDOW * (count > 0)
        return HeardSpeech(channel, first, first + count, end / SAMPLE_RATE, tuple(stretches))

    def _window(self, samples: Samples, window: int, model_ids: Collection[str]) -> Iterator[HeardStretch]:
        speaking = self.segmentation.speaking(samples)
        speaking[max(0, len(samples) - _FRAME_OFFSET) // FRAME :] = False  # the silence that fills the last window
        alone = speaking.sum(axis=1) == 1
        for local, active in enumerate(speaking.T):
            somebody_else: Frames = np.any(np.delete(speaking, local, axis=1), axis=1)
            for runs in _stretches(active, somebody_else):
                own = np.zeros(len(active), np.bool_)
                for start, end in runs:
                    own[start:end] = True
                clean = _samples_of(own & alone, len(samples))
                seconds = _seconds(clean)
                heard, least = clean, LEAST_CLEAN_SECONDS
                if seconds < least:
                    heard, least = _samples_of(own, len(samples)), LEAST_MIXED_SECONDS
                embeddings = self._embedded(samples, heard, model_ids) if _seconds(heard) >= least else {}
                offset = window * STEP_FRAMES
                placed = tuple((start + offset, end + offset) for start, end in runs)
                yield HeardStretch(window, local, placed, seconds, embeddings)

    def _embedded(self, samples: Samples, heard: Frames, model_ids: Collection[str]) -> dict[str, Vector]:
        """By model id. Rounded as they are where they are kept between slices, so that both give the same."""
        recording = Recording(samples, _FORMAT)
        utterance = Utterance(recording, heard, _seconds(heard), snr_db=0.0, clipped_percent=0.0, level_dbfs=0.0)
        wanted = (model for model in self.models.running if model is self.models.current or model.model_id in model_ids)
        return {model.model_id: model.embed(utterance).astype(np.float16).astype(np.float32) for model in wanted}


def _samples_of(frames: Frames, length: int) -> Frames:
    """The frames as samples, [length]."""
    mask = np.zeros(max(length, _FRAME_OFFSET + len(frames) * FRAME), np.bool_)
    mask[_FRAME_OFFSET : _FRAME_OFFSET + len(frames) * FRAME] = np.repeat(frames, FRAME)
    return mask[:length]


def _seconds(samples: Frames) -> float:
    return int(np.count_nonzero(samples)) / SAMPLE_RATE


def _stretches(active: Frames, somebody_else: Frames) -> list[list[tuple[int, int]]]:
    """The runs of frames of each stretch: short pauses in which nobody else speaks do not end it."""
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2)
    stretches: list[list[tuple[int, int]]] = []
    for start, end in edges.tolist():
        before = stretches[-1][-1][1] if stretches else 0
        goes_on = start - before <= PAUSE_FRAMES and not somebody_else[before:start].any()
        first, *others = _pieces(start, end)
        if stretches and goes_on and _frames([*stretches[-1], first]) <= PIECE_FRAMES:
            stretches[-1].append(first)
        else:
            stretches.append([first])
        stretches += [[piece] for piece in others]
    return stretches


def _frames(runs: Sequence[tuple[int, int]]) -> int:
    return sum(end - start for start, end in runs)


def _pieces(start: int, end: int) -> list[tuple[int, int]]:
    """Equal parts of about ``PIECE_SECONDS``."""
    edges = np.linspace(start, end, max(1, round((end - start) * FRAME_SECONDS / PIECE_SECONDS)) + 1).astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
