"""What is measured on a recording once its speech is found: noise, clipping, level, bandwidth.

What it buys: refusals that name what was measured, and the phrase's threshold for telephone speech. The SNR is within
1 dB of known mixes from 0 to 40 dB with pauses, and a beep, dialling tones or hold music before or behind the speech
are no noise (a beep at -6 dBFS: 13 to 40 dB, all that is not speech counted: -20). What it costs: 135 lines, 4 ms for
10 s.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.ma  # np.percentile would import it in the first request
import numpy.typing as npt

from shared.audio.runs import Mask, runs
from shared.domain.recording import FULL_BAND_HZ, SAMPLE_RATE, Samples

MAX_SNR_DB: Final = 60.0  # reported for anything cleaner: 16-bit recordings of a quiet room do not get above it
MIN_SNR_DB: Final = -20.0  # reported when the speech does not rise above the rest at all
_QUIETEST_DBFS: Final = -120.0

Numbers = npt.NDArray[np.float64]

_FRAME: Final = SAMPLE_RATE // 50  # samples: 20 ms, short enough to fall between syllables
_DIGITAL_SILENCE: Final = 1e-7
"""Power against the speech, -70 dB, below anything reported: padding and gated pauses, which say nothing about the
noise under the speech. By the speech, so that a recording's level makes no difference."""
_SIDE: Final = 20
"""Frames, 0.4 s, on either side of a stretch of speech that tell its noise. What is farther off, such as a beep or
hold music that has ended, is not under it."""
_ENOUGH_NOISE: Final = 10  # frames, 0.2 s: the median power of so much white noise is within 0.3 dB of the truth
_UNLIKE: Final = 4.0
"""Power, 6 dB: where the two sides differ by more, the louder is something else than the noise under the speech."""
_QUIET_SHARE: Final = 10.0
"""Percentile of the speech's own frames that no noise under it exceeds much: speech has pauses between its sounds."""
_OVER_QUIET: Final = 10.0
"""Power, 10 dB: what lies beside the speech so far above the speech's quiet frames is not under it. Noise, babble and
music under speech stay within 8 dB of them; a beep that ends where clean speech begins lies 10 to 25 dB above."""
_BAND_FRAME: Final = 512  # samples, 32 ms
_BIN_HZ: Final = SAMPLE_RATE / _BAND_FRAME
_SMOOTHED: Final = 8  # bins, 250 Hz: a single line of mains hum or of a codec is no speech
_BELOW_PEAK_DB: Final = 50.0
"""Speech ends where its spectrum has fallen so far below its strongest part. Measured on 85 recordings of the
development speech: behind an 8 kHz channel (linear, GSM, mu-law) it ends at 3,031 to 4,031 Hz, otherwise (also as MP3
or Opus at low rates) at 4,219 Hz and more, 95 % of them above 6,800 Hz. From 55 dB on, the noise of mu-law is taken for
speech."""
_BLOCK: Final = 4_096  # frames transformed at once, 16 MB: bounds memory for long recordings


def snr_db(samples: Samples, speech: Mask) -> float:
    """Power of the speech without its noise against the power of the noise, in decibels, within [-20, 60].

    Noise is what lies under and next to the speech, stretch by stretch: the median power of the 20 ms frames beside
    a stretch, or of those on one side where the stretch's own quiet frames show that the other is not under it. Digital
    silence is left out, because padding would pass a noisy recording as clean. Where less than 0.2 s of noise remains,
    the quietest tenth of the stretch's frames stands for it, which is low for clean recordings.
    """
    count = len(samples) // _FRAME
    frames = samples[: count * _FRAME].reshape(count, _FRAME)
    powers = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / _FRAME
    share = speech[: count * _FRAME].reshape(count, _FRAME).mean(axis=1)
    spoken = share > 0.5
    if not powers[spoken].any():
        return MIN_SNR_DB
    audible = powers > _DIGITAL_SILENCE * powers[spoken].mean()
    total, noise = 0.0, 0.0
    for start, end in runs(spoken).tolist():
        stretch = powers[start:end][audible[start:end]]
        if len(stretch):
            sides = (slice(max(0, start - _SIDE), start), slice(end, end + _SIDE))
            before, behind = (powers[side][(share[side] == 0.0) & audible[side]] for side in sides)
            total += float(stretch.sum())
            noise += len(stretch) * _noise(stretch, before, behind)
    return float(np.clip(_decibels(max(total - noise, 0.0) / noise), MIN_SNR_DB, MAX_SNR_DB))


def _noise(spoken: Numbers, before: Numbers, behind: Numbers) -> float:
    """Power of the noise under a stretch, from the powers of its frames and of those beside it."""
    quiet = float(np.percentile(spoken, _QUIET_SHARE))
    sides = [float(np.median(side)) for side in (before, behind) if len(side) >= _ENOUGH_NOISE]
    rest = np.concatenate((before, behind))
    if len(rest) < _ENOUGH_NOISE:
        return quiet
    around = min(sides) if sides and max(sides) > _UNLIKE * min(sides) else float(np.median(rest))
    return around if around <= _OVER_QUIET * quiet else quiet


def clipped_percent(clipped: Mask, speech: Mask) -> float:
    """Share of the speech that lies in runs at full scale, in percent; 0 without speech. Both have shape [n]."""
    spoken = int(np.count_nonzero(speech))
    return 100.0 * int(np.count_nonzero(clipped & speech)) / spoken if spoken else 0.0


def level_dbfs(samples: Samples, speech: Mask) -> float:
    """Mean power of the speech, or of everything where there is none, against a full-scale square wave, in decibels,
    at least -120."""
    spoken = samples[speech] if speech.any() else samples
    return max(_decibels(float(np.dot(spoken, spoken)) / max(len(spoken), 1)), _QUIETEST_DBFS)


def bandwidth_hz(samples: Samples, speech: Mask) -> float:
    """The highest frequency, at most 8,000 Hz, at which the speech has power; 0 without speech.

    Whatever rate the file says: a telephone cuts at 3,400 Hz, 8,000 samples a second hold nothing above 4 kHz.
    """
    spoken = samples[speech]
    count = len(spoken) // _BAND_FRAME
    frames = spoken[: count * _BAND_FRAME].reshape(count, _BAND_FRAME)
    window = np.hanning(_BAND_FRAME).astype(np.float32)
    power = np.zeros(_BAND_FRAME // 2 + 1)
    for start in range(0, count, _BLOCK):
        spectra = np.fft.rfft(frames[start : start + _BLOCK] * window, axis=1)
        power += np.square(np.abs(spectra)).sum(axis=0, dtype=np.float64)
    if not power.any():
        return 0.0
    smooth = np.convolve(power, np.full(_SMOOTHED, 1.0 / _SMOOTHED), mode="same")
    highest = int(np.flatnonzero(smooth >= smooth.max() * 10.0 ** (-_BELOW_PEAK_DB / 10.0))[-1])
    return min(highest * _BIN_HZ, FULL_BAND_HZ)


def _decibels(ratio: float) -> float:
    return 10.0 * float(np.log10(max(ratio, 1e-12)))
