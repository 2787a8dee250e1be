"""The work that cannot be saved, in this process and on one thread: voice activity, features, network, phrase.

The objects are the service's own, from ``shared.bootstrap``; only the HTTP, storage and decoding are missing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from unittest.mock import patch

from shared import bootstrap
from shared.audio.listener import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.domain.limits import V1_SHORT_AUDIO
from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.recording import Utterance
from shared.inference.passphrase import TranscribedPassphraseRecogniser
from shared.inference.speaker_model import OnnxSpeakerModel

_LOCALE, _BOUND = "en-US", "my voice is my passport verify me"


@dataclass(frozen=True)
class Bare:
    """The parts that every verify and identify runs."""

    listener: RecordingListener
    detector: VoiceActivity
    model: OnnxSpeakerModel
    phrases: TranscribedPassphraseRecogniser

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Bare:
        """Builds this process's services, once a process."""
        with patch.dict(os.environ, environment):
            verify = bootstrap.services().verify
        listener, model, phrases = verify.listener, verify.models.current, verify.phrases.recogniser
        assert isinstance(listener, RecordingListener)
        assert isinstance(model, OnnxSpeakerModel)
        assert isinstance(phrases, TranscribedPassphraseRecogniser)
        detector = listener._detector
        assert isinstance(detector, VoiceActivity)
        return cls(listener, detector, model, phrases)

    def heard(self, wav: bytes) -> Utterance:
        return self.listener.listen(wav, "audio/wav", V1_SHORT_AUDIO)

    def identify(self, utterance: Utterance) -> None:
        """Voice activity, features and network."""
        self.detector.speech_mask(utterance.recording.samples)
        self.model.embed(utterance)

    def verify(self, utterance: Utterance) -> None:
        """The same and the phrase."""
        self.identify(utterance)
        self.phrases.recognise(utterance, EN_US_PASSPHRASES, _LOCALE, expected=_BOUND)


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
