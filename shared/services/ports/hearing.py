"""What hears: recordings to speech, speech to embeddings, phrases, digits and landmarks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from shared.domain.calibration import Calibration
from shared.domain.limits import AudioRules
from shared.domain.long_operation import ChannelVoice
from shared.domain.passphrase import HeardPhrase, PhraseTemplate
from shared.domain.profile import Signature
from shared.domain.recording import Numbers, Samples, Utterance, Vector
from shared.domain.recording_url import RecordingUrl
from shared.domain.replay import Landmarks


class Listener(Protocol):
    """Turns the body of a request into an utterance, or refuses it."""

    def listen(self, body: bytes, media_type: str | None, rules: AudioRules, channel: int | None = None) -> Utterance:
        """Decode, find the speech, measure, and hold the result against the rules.

        ``channel`` chooses one, from 1; without it speech decides. Raises ``ParameterInvalid`` (there is no such
        channel) and ``RecordingRefused`` (no audio, too short or long, too little speech, too noisy or overdriven).
        """


class ChannelListener(Protocol):
    """Turns the body of a request with several speakers into channels, or refuses it."""

    def channels(
        self, body: bytes, media_type: str | None, rules: AudioRules, channel: int | None = None
    ) -> Sequence[tuple[int | None, Samples]]:
        """Samples [n] at 16 kHz of each channel with voices of its own, under its number from 1; under ``None`` the
        only one.

        ``channel`` chooses one, from 1. Raises ``ParameterInvalid`` (there is no such channel) and ``RecordingRefused``
        (no audio, too short or long).
        """


class Segmentation(Protocol):
    def speaking(self, window: Samples) -> npt.NDArray[np.bool_]:
        """Which of up to three speakers talks in each frame of at most 10 s, shape [589, 3]; the grid is that of
        ``shared/domain/heard_speech.py``. The order of the speakers means nothing from window to window."""


class PassphraseRecogniser(Protocol):
    def recognise(
        self,
        utterance: Utterance,
        phrases: Sequence[str],
        locale: str,
        *,
        expected: str | None = None,
        alone: bool = False,
    ) -> HeardPhrase:
        """Which of the phrases is spoken, and whether all of it was heard clearly. ``expected`` is the one to try
        first; ``alone``: nobody looks for it behind other words."""


class PhraseExamples(Protocol):
    """Compares takes of phrases that nobody wrote down, in any language."""

    @property
    def front_end(self) -> str:
        """What makes the templates, with its version: those of another one mean nothing to it."""

    def template(self, utterance: Utterance) -> PhraseTemplate:
        """Of at most ``MAX_PHRASE_TEMPLATE_BYTES``."""

    def compare(self, take: PhraseTemplate, enrolled: Sequence[PhraseTemplate]) -> HeardPhrase:
        """Whether the take says what those that are enrolled say; all are of this front end. Not so where none is."""


class DigitRecogniser(Protocol):
    """Hears whether drawn digits were said. Bigger recognisers, and those of other languages, stand behind it too."""

    @property
    def locales(self) -> Collection[str]:
        """Those whose digits are recognised."""

    def text(self, digits: str, locale: str) -> str:
        """The words that are to be said. ``digits`` are ``0`` to ``9``."""

    def says(self, utterance: Utterance, digits: str, locale: str) -> bool:
        """Whether the utterance says these digits, in this order, and nothing else."""


class LandmarkFinder(Protocol):
    """What tells the same audio again, through other levels, lines and codecs."""

    def aligned(self, samples: Samples) -> Sequence[Landmarks]:
        """Of the recording: first as it is kept, then as it would be found behind cuts at other places."""


class SpeakerModel(Protocol):
    @property
    def model_id(self) -> str: ...

    @property
    def version(self) -> str:
        """The model's date, ``yyyy-mm-dd``: ``modelVersion`` on the wire."""

    @property
    def calibration(self) -> Calibration | None:
        """``None`` for a model whose scores carry no false-match rate."""

    def embed(self, utterance: Utterance) -> Vector:
        """The embedding of the utterance, unit length, shape [dimension]."""

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        """Calibrated scores in [0, 1] of the embedding against each signature, in their order.

        0.5 is the model card's stated operating point. All signatures must be of this model.
        """

    def scores_of_all(self, embedding: Vector, speech_seconds: float, directions: Vector, seconds: Numbers) -> Numbers:
        """The same against many at once: ``directions`` [n, dimension] of unit length, made of ``seconds`` [n] of
        speech; scores [n]."""

    def with_calibration(self, calibration: Calibration) -> SpeakerModel:
        """The same model, its scores by another calibration."""


class AudioKeeper(Protocol):
    def encode(self, utterance: Utterance) -> bytes:
        """The recording as FLAC, 16 kHz 16-bit mono: what is kept of an identification enrollment."""


class LongRecording(Protocol):
    """A recording that is read from its host piece by piece. Positions and lengths are samples at 16 kHz."""

    @property
    def etag(self) -> str: ...

    @property
    def length(self) -> int: ...

    def voices(self, channel: int | None) -> Sequence[ChannelVoice]:
        """Channels with voices of their own; ``channel`` chooses one, from 1. Raises as ``heard``, and
        ``ParameterInvalid``."""

    def heard(self, voices: Sequence[ChannelVoice], first: int, last: int) -> Sequence[Samples]:
        """The samples of each, [n]. Raises ``SourceFailed``, ``AudioUnreadable``."""


class LongRecordings(Protocol):
    def open(self, url: RecordingUrl, etag: str | None = None) -> LongRecording:
        """``etag``: what it must still be. Raises ``RecordingRefused``: ``SourceFailed``, or what the file is not."""


class Dictionary(Protocol):
    @property
    def locales(self) -> Sequence[str]:
        """Those in which phrases are recognised."""

    def unknown_words(self, phrases: Sequence[str]) -> list[str]:
        """The words that could not be recognised, in order and once each."""
