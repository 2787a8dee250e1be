"""The listener: from a request's body to an utterance that keeps the rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.audio.channels import SpeechDetector, find_voice, find_voices, without_offset
from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.audio.quality import bandwidth_hz, clipped_percent, level_dbfs, snr_db
from shared.audio.reader import Bounds, Decoded
from shared.domain.errors import (
    AudioClipped,
    AudioTooNarrow,
    AudioTooNoisy,
    AudioTooQuiet,
    ParameterInvalid,
    SpeechTooShort,
)
from shared.domain.explanation import Explanation, explained
from shared.domain.limits import AudioRules
from shared.domain.measurement import stage
from shared.domain.recording import Recording, Samples, Utterance


class RecordingListener:
    """Implements ``shared.services.ports.hearing.Listener``. Safe to share between threads if the detector is.

    ``strict`` accepts only 16 kHz 16-bit mono PCM, as the retired service did. Without ``decoders`` it has one of its
    own, started when it is needed.
    """

    def __init__(self, detector: SpeechDetector, *, strict: bool = False, decoders: Decoders | None = None) -> None:
        self._detector = detector
        self._strict = strict
        self._decoders = decoders or Decoders(1)

    def listen(self, body: bytes, media_type: str | None, rules: AudioRules, channel: int | None = None) -> Utterance:
        """Decode, choose the channel, find the speech, measure.

        Raises ``BodyMissing``, ``ParameterInvalid`` (the recording has no such channel), and ``RecordingRefused``: the
        first rule that the recording breaks, with what was measured, in the order format, length, channel, speech,
        clipping, level, noise, bandwidth.
        """
        decoded = self._decoded(body, media_type, rules)
        with stage("listen"):
            utterance = self._measured(decoded, channel)
        with explained(Explanation(measured=utterance.measured)):
            _check(utterance, rules)
        return utterance

    def channels(
        self, body: bytes, media_type: str | None, rules: AudioRules, channel: int | None = None
    ) -> list[tuple[int | None, Samples]]:
        """Decode, and find the channels with voices of their own: see ``ChannelListener``. Raises as ``listen`` does,
        but holds against the rules the length alone."""
        decoded = self._decoded(body, media_type, rules)
        with stage("listen"):
            numbers, samples = _chosen(decoded, channel)
            voices = find_voices(samples, self._detector)
        if len(voices) == 1:
            return [(None, voices[0].samples)]
        return [(numbers[voice.channels[0]] + 1, voice.samples) for voice in voices]

    def _decoded(self, body: bytes, media_type: str | None, rules: AudioRules) -> Decoded:
        with stage("decode"):
            return decode(body, media_type, Bounds(rules.min_seconds, rules.max_seconds, self._strict), self._decoders)

    def _measured(self, decoded: Decoded, channel: int | None) -> Utterance:
        numbers, chosen = _chosen(decoded, channel)
        voice = find_voice(chosen, self._detector)
        samples, speech = voice.samples, voice.speech
        heard = [numbers[number] for number in voice.channels]
        clipped = decoded.clipped[heard].any(axis=0)
        return Utterance(
            recording=Recording(samples, decoded.format),
            speech=speech,
            speech_seconds=voice.speech_seconds,
            snr_db=snr_db(samples, speech),
            clipped_percent=clipped_percent(np.asarray(clipped), speech),
            level_dbfs=level_dbfs(samples, speech),
            bandwidth_hz=bandwidth_hz(samples, speech),
            channel=heard[0] + 1 if len(heard) == 1 else None,
        )


def _chosen(decoded: Decoded, channel: int | None) -> tuple[Sequence[int], list[Samples]]:
    """The channels to listen to, and their samples without an offset."""
    numbers = channel_numbers(channel, len(decoded.samples))
    return numbers, [without_offset(np.ascontiguousarray(decoded.samples[number])) for number in numbers]


def channel_numbers(channel: int | None, count: int) -> Sequence[int]:
    """The channels to listen to, from 0. Raises ``ParameterInvalid``."""
    if channel is None:
        return range(count)
    if not 1 <= channel <= count:
        has = "1 channel" if count == 1 else f"{count} channels"
        raise ParameterInvalid("channel", str(channel), f"Channels are counted from 1, and the recording has {has}.")
    return (channel - 1,)


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
