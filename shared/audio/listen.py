"""The listener: from a request's body to an utterance that keeps the rules."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from shared.audio.band import band
from shared.audio.decode import Decoded, decode
from shared.audio.mixdown import mixed
from shared.audio.offset import without_offset
from shared.audio.quality import clipped_percent, level_dbfs, snr_db
from shared.domain.errors import AudioClipped, AudioTooNarrow, AudioTooNoisy, AudioTooQuiet, SpeechTooShort
from shared.domain.limits import AudioRules
from shared.domain.measurement import stage
from shared.domain.recording import SAMPLE_RATE, Recording, Samples, Utterance


class SpeechDetector(Protocol):
    def speech_mask(self, samples: Samples) -> npt.NDArray[np.bool_]:
        """Which samples are speech, shape [n]."""


class RecordingListener:
    """Implements ``shared.services.ports.Listener``. Safe to share between threads if the detector is.

    Parameters
    ----------
    detector
        Finds the speech.
    strict
        Accept only 16 kHz 16-bit mono PCM, as the retired service did.
    """

    def __init__(self, detector: SpeechDetector, *, strict: bool = False) -> None:
        self._detector = detector
        self._strict = strict

    def listen(self, body: bytes, media_type: str | None, rules: AudioRules) -> Utterance:
        """Decode, find the speech, measure; refused in the order format, length, speech, clipping, level, noise,
        bandwidth.

        Raises
        ------
        BodyMissing
            There are no bytes.
        RecordingRefused
            The first rule that the recording breaks, with what was measured.
        """
        with stage("decode"):
            decoded = decode(
                body,
                media_type,
                min_seconds=rules.min_seconds,
                max_seconds=rules.max_seconds,
                strict=self._strict,
            )
        with stage("listen"):
            utterance = self._measured(decoded)
        _check(utterance, rules)
        return utterance

    def _measured(self, decoded: Decoded) -> Utterance:
        samples = without_offset(mixed(decoded.samples))
        speech = self._detector.speech_mask(samples)
        heard = band(samples, speech)
        return Utterance(
            recording=Recording(samples, decoded.format),
            speech=speech,
            speech_seconds=int(np.count_nonzero(speech)) / SAMPLE_RATE,
            snr_db=snr_db(samples, speech),
            clipped_percent=clipped_percent(np.asarray(decoded.clipped.any(axis=0)), speech),
            level_dbfs=level_dbfs(samples, speech),
            bandwidth_hz=heard.bandwidth_hz,
            bass_db=heard.bass_db,
        )


def _check(utterance: Utterance, rules: AudioRules) -> None:
    if utterance.speech_seconds < rules.min_speech_seconds or utterance.speech_seconds == 0.0:
        raise SpeechTooShort(utterance.speech_seconds, rules.min_speech_seconds)
    if utterance.clipped_percent > rules.max_clipped_percent:
        raise AudioClipped(utterance.clipped_percent, rules.max_clipped_percent)
    if utterance.level_dbfs < rules.min_level_dbfs:
        raise AudioTooQuiet(utterance.level_dbfs, rules.min_level_dbfs)
    if utterance.snr_db < rules.min_snr_db:
        raise AudioTooNoisy(utterance.snr_db, rules.min_snr_db)
    if utterance.bandwidth_hz < rules.min_bandwidth_hz:
        raise AudioTooNarrow(utterance.bandwidth_hz, rules.min_bandwidth_hz)
