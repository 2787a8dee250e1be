"""What is measured on a recording once its speech is found."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.ma
import numpy.typing as npt

from shared.domain.recording import SAMPLE_RATE, Samples

MAX_SNR_DB: Final = 60.0
"""Reported for anything cleaner: 16-bit recordings of a quiet room do not get above it."""

MIN_SNR_DB: Final = -20.0
"""Reported when the speech does not rise above the rest at all."""

QUIETEST_DBFS: Final = -120.0

Numbers = npt.NDArray[np.float64]

_FRAME: Final = SAMPLE_RATE // 50
"""Samples: 20 ms, short enough to fall between syllables."""

_DIGITAL_SILENCE: Final = 1e-7
"""Power against the speech, -70 dB, below anything reported: padding and gated pauses, which say nothing about the
noise under the speech. By the speech, so that a recording's level makes no difference."""

_BESIDE: Final = 20
"""Frames, 0.4 s, on either side of a stretch of speech that tell its noise. What is farther off, such as a beep or
hold music that has ended, is not under it."""

_ENOUGH_NOISE: Final = 10
"""Frames, 0.2 s: the median power of so much white noise is within 0.3 dB of the truth."""

_UNLIKE: Final = 4.0
"""Power, 6 dB: where the two sides differ by more, the louder is something else than the noise under the speech."""

_QUIET_SHARE: Final = 10.0
"""Percentile of the speech's own frames that no noise under it exceeds much: speech has pauses between its sounds."""

_OVER_QUIET: Final = 10.0
"""Power, 10 dB: what lies beside the speech so far above the speech's quiet frames is not under it. Noise, babble and
music under speech stay within 8 dB of them; a beep that ends where clean speech begins lies 10 to 25 dB above."""


def snr_db(samples: Samples, speech: npt.NDArray[np.bool_]) -> float:
    """Power of the speech without its noise against the power of the noise, in decibels, within [-20, 60].

    Noise is what lies under and next to the speech, stretch by stretch: the median power of the 20 ms frames beside
    a stretch, or of those on one side where the stretch's own quiet frames show that the other is not under it. Digital
    silence is left out, because padding would pass a noisy recording as clean. Where less than 0.2 s of noise remains,
    the quietest tenth of the stretch's frames stands for it, which is low for clean recordings.
    """
    count = len(samples) // _FRAME
    if not count or not speech.any():
        return MIN_SNR_DB
    frames = samples[: count * _FRAME].reshape(count, _FRAME)
    powers = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / _FRAME
    share = speech[: count * _FRAME].reshape(count, _FRAME).mean(axis=1)
    spoken = share > 0.5
    if not powers[spoken].any():
        return MIN_SNR_DB
    audible = powers > _DIGITAL_SILENCE * powers[spoken].mean()
    total, noise = 0.0, 0.0
    for start, end in _stretches(spoken):
        stretch = powers[start:end][audible[start:end]]
        if len(stretch):
            sides = (slice(max(0, start - _BESIDE), start), slice(end, end + _BESIDE))
            before, behind = (powers[side][(share[side] == 0.0) & audible[side]] for side in sides)
            total += float(stretch.sum())
            noise += len(stretch) * _noise(stretch, before, behind)
    return float(np.clip(_decibels(max(total - noise, 0.0) / noise), MIN_SNR_DB, MAX_SNR_DB))


def _noise(spoken: Numbers, before: Numbers, behind: Numbers) -> float:
    """Power of the noise under a stretch, from the powers of its frames and of those beside it."""
    quiet = float(np.percentile(spoken, _QUIET_SHARE))
    sides = [float(np.median(side)) for side in (before, behind) if len(side) >= _ENOUGH_NOISE]
    rest = np.concatenate((before, behind))
    if not len(sides):
        beside = float(np.median(rest)) if len(rest) >= _ENOUGH_NOISE else quiet
    elif max(sides) > _UNLIKE * min(sides):
        beside = min(sides)
    else:
        beside = float(np.median(rest))
    return beside if beside <= _OVER_QUIET * quiet else quiet


def _stretches(frames: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """As (first frame, frame behind the last)."""
    edges = np.flatnonzero(np.diff(frames.astype(np.int8), prepend=0, append=0)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def clipped_percent(clipped: npt.NDArray[np.bool_], speech: npt.NDArray[np.bool_]) -> float:
    """Share of the speech that lies in runs at full scale, in percent; 0 without speech. Both have shape [n]."""
    spoken = int(np.count_nonzero(speech))
    return 100.0 * int(np.count_nonzero(clipped & speech)) / spoken if spoken else 0.0


def level_dbfs(samples: Samples, speech: npt.NDArray[np.bool_]) -> float:
    """Mean power of the speech against a full-scale square wave, in decibels, at least -120."""
    spoken = samples[speech]
    if not len(spoken):
        return QUIETEST_DBFS
    return max(_decibels(float(np.dot(spoken, spoken)) / len(spoken)), QUIETEST_DBFS)


def _decibels(ratio: float) -> float:
    return 10.0 * float(np.log10(max(ratio, 1e-12)))
