"""The work that cannot be saved, in this process and on one thread: voice activity, features, network, phrase.

The objects are the service's own, from ``shared.bootstrap``; only the HTTP, storage and decoding are missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.audio.clipping import ClippedRuns
from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.audio.listener import RecordingListener
from shared.audio.quality import clipped_percent, level_dbfs, snr_db
from shared.audio.voice_activity import VoiceActivity
from shared.bootstrap import Services
from shared.domain.limits import V1_SHORT_AUDIO
from shared.domain.passphrase import PASSPHRASES_BY_LOCALE
from shared.domain.profile import Signature
from shared.domain.recording import SAMPLE_RATE, Utterance
from shared.inference.fbank import segments
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.passphrase import SphinxPassphraseRecogniser
from shared.inference.speaker_model import FbankModel

_LOCALE = "en-US"


@dataclass(frozen=True)
class Bare:
    """The parts that every verify and identify runs."""

    listener: RecordingListener
    detector: VoiceActivity
    model: FbankModel
    phrases: SphinxPassphraseRecogniser

    @classmethod
    def of(cls, services: Services) -> Bare:
        listener, model = services.verify_phrase.listener, services.verify_phrase.model
        phrases = services.verify_phrase.phrases
        assert isinstance(listener, RecordingListener)
        assert isinstance(model, FbankModel)
        assert isinstance(phrases, SphinxPassphraseRecogniser)
        detector = listener._detector
        assert isinstance(detector, VoiceActivity)
        return cls(listener, detector, model, phrases)

    def open(self) -> None:
        """Open both networks."""
        assert isinstance(self.detector._network, OnnxNetwork)
        self.detector._network.open()
        self.model._network.open()

    def heard(self, wav: bytes) -> Utterance:
        return self.listener.listen(wav, "audio/wav", V1_SHORT_AUDIO)

    def identify(self, utterance: Utterance) -> float:
        """Seconds of voice activity, features and network."""
        return timed(lambda: self._voice(utterance))

    def verify(self, utterance: Utterance) -> float:
        """Seconds of the same and the phrase."""
        return self.identify(utterance) + timed(lambda: self._phrase(utterance))

    def stages(self, wav: bytes, signatures: list[Signature], *, phrase: bool) -> dict[str, Callable[[], object]]:
        """Each step of a request by itself."""
        utterance = self.heard(wav)
        samples, speech = utterance.recording.samples, utterance.speech
        rules = self.model._rules
        parts = segments(utterance.spoken, rules)
        decoders = Decoders(1)
        network, embedding = self.model._network, self.model.embed(utterance)
        clipped = ClippedRuns(SAMPLE_RATE, 1).mask(len(samples))[0]
        steps: dict[str, Callable[[], object]] = {
            "decode": lambda: decode(wav, "audio/wav", min_seconds=1.0, max_seconds=300.0, decoders=decoders),
            "voice activity": lambda: self.detector.speech_mask(samples),
            "quality": lambda: (
                snr_db(samples, speech),
                clipped_percent(clipped, speech),
                level_dbfs(samples, speech),
            ),
            "features": lambda: segments(utterance.spoken, rules),
            "model": lambda: [network.run_single(part[None]) for part in parts],
            "scores": lambda: self.model.scores(embedding, utterance.speech_seconds, signatures),
        }
        return steps | ({"phrase": lambda: self._phrase(utterance)} if phrase else {})

    def _voice(self, utterance: Utterance) -> None:
        self.detector.speech_mask(utterance.recording.samples)
        self.model.embed(utterance)

    def _phrase(self, utterance: Utterance) -> None:
        self.phrases.recognise(utterance, PASSPHRASES_BY_LOCALE[_LOCALE], _LOCALE)


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
