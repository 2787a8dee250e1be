"""Which allowed phrase an English utterance says, by pocketsphinx with a grammar of those phrases.

The decoder's best path through a grammar always says *something* allowed, so two checks follow. The path must be one
whole phrase; and its worst word must be close to what the acoustic model expects, measured against the best senone of
each frame. For words whose confusion would turn a phrase round ("known" for "unknown") the grammar also offers the
wrong word: a recording of it is then recognised as what it is, and refused.
``docs/decisions/passphrase-recognition.md`` has the measurements.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from shared.domain.errors import LocaleUnsupported
from shared.domain.limits import PASSPHRASE_WORST_WORD, PASSPHRASE_WORST_WORD_TELEPHONE
from shared.domain.measurement import stage
from shared.domain.passphrase import HeardPhrase, normalise_phrase
from shared.domain.recording import SAMPLE_RATE, Utterance
from shared.inference.confusion import PhraseGrammar
from shared.inference.pronunciation import PronouncingDictionary

_LOCALES = ("en-US",)
_PADDING_SECONDS = 0.3
"""Audio kept on each side of the speech: the model was trained on sentences between short silences."""

_LEVEL = 0.05
"""RMS of the speech that the decoder gets (-26 dBFS): quiet recordings would lose bits in its 16-bit input."""

_NEAREST_FLOOR = 1.3
"""A worst word below this many thresholds is no sign of the phrase, which is then not named as the nearest."""

_LOG_BASE = math.log(1.0001)
_SCORE_UNIT = 1024
"""pocketsphinx counts acoustic scores in units of 2**10 (SENSCR_SHIFT) logarithms of base 1.0001 (``-logbase``)."""


class SphinxPassphraseRecogniser:
    """A ``PassphraseRecogniser`` for en-US. Safe to share between threads.

    A decoder takes about 20 ms and 8 MB to make. It waits for the next call with the same phrases; the longest idle go
    first when there are more than ``spare``. Calls take turns: pocketsphinx holds Python's lock while it listens, so a
    second decoder beside the first would gain nothing and stay in memory. Nothing of pocketsphinx is imported or read
    before the first call.
    """

    def __init__(self, spare: int = 4) -> None:
        self._spare = spare
        self._idle: list[tuple[tuple[str, ...], Any]] = []
        self._dictionary: PronouncingDictionary | None = None
        self._lock, self._turn = Lock(), Lock()

    def recognise(self, utterance: Utterance, phrases: Sequence[str], locale: str) -> HeardPhrase:
        """Which of the phrases (in their normalised form) is spoken, and whether all of it was heard clearly.

        Raises
        ------
        LocaleUnsupported
            The acoustic model does not speak the locale.
        ValueError
            A phrase is empty or has a word without a known pronunciation: see ``unknown_words``.
        """
        if locale not in _LOCALES:
            raise LocaleUnsupported(locale, _LOCALES)
        allowed = tuple(dict.fromkeys(normalise_phrase(phrase) for phrase in phrases))
        if not allowed or not utterance.speech.any():
            return HeardPhrase.nothing()
        with stage("phrase"), self._decoder(allowed) as decoder:
            words = _decode(decoder, _pcm16(utterance))
        if not words:
            return HeardPhrase.nothing()
        return _judge([word for word, _ in words], min(score for _, score in words), allowed, _threshold(utterance))

    def unknown_words(self, phrases: Sequence[str]) -> list[str]:
        """The words, in order and once each, that the dictionary cannot pronounce: such phrases can't be allowed."""
        words = dict.fromkeys(word for phrase in phrases for word in normalise_phrase(phrase).split())
        return [word for word in words if word not in self._pronunciations()]

    @contextmanager
    def _decoder(self, allowed: tuple[str, ...]) -> Iterator[Any]:
        """Lease a decoder. One whose call failed is not used again."""
        with self._turn:
            decoder = self._take(allowed) or self._make(allowed)
            yield decoder
            self._idle.append((allowed, decoder))
            del self._idle[: max(0, len(self._idle) - self._spare)]

    def _take(self, allowed: tuple[str, ...]) -> Any | None:
        for index in reversed(range(len(self._idle))):
            if self._idle[index][0] == allowed:
                return self._idle.pop(index)[1]
        return None

    def _make(self, allowed: tuple[str, ...]) -> Any:
        from pocketsphinx import Decoder

        if "" in allowed or self.unknown_words(allowed):
            raise ValueError("A passphrase is empty or holds a word without a known pronunciation.")
        grammar = PhraseGrammar.of(allowed, self._pronunciations())
        with tempfile.TemporaryDirectory(prefix="timbre-") as folder:
            words = Path(folder) / "words.dict"
            words.write_text(grammar.pronunciations, encoding="ascii")
            decoder = Decoder(hmm=str(_model() / "en-us"), dict=str(words), lm=None, loglevel="FATAL")
        decoder.add_jsgf_string("passphrases", grammar.jsgf)
        decoder.activate_search("passphrases")
        return decoder

    def _pronunciations(self) -> PronouncingDictionary:
        with self._lock:
            if self._dictionary is None:
                self._dictionary = PronouncingDictionary(_model() / "cmudict-en-us.dict")
            return self._dictionary


def _model() -> Path:
    import pocketsphinx

    return Path(pocketsphinx.get_model_path()) / "en-us"


def _threshold(utterance: Utterance) -> float:
    return PASSPHRASE_WORST_WORD if utterance.is_wide else PASSPHRASE_WORST_WORD_TELEPHONE


def _pcm16(utterance: Utterance) -> bytes:
    """From the first to the last speech with its pauses and a margin, at a fixed level, 16-bit little endian."""
    where = np.flatnonzero(utterance.speech)
    margin = round(_PADDING_SECONDS * SAMPLE_RATE)
    around = utterance.recording.samples[max(0, where[0] - margin) : where[-1] + 1 + margin].astype(np.float64)
    rms = math.sqrt(float(np.mean(np.square(utterance.spoken, dtype=np.float64))))
    scaled = around * (_LEVEL / rms) if rms > 0 else around
    return np.clip(np.rint(scaled * 32768), -32768, 32767).astype("<i2").tobytes()


def _decode(decoder: Any, pcm: bytes) -> list[tuple[str, float]]:
    """The words of the best path, each with its acoustic log-likelihood per frame.

    The front end keeps its noise estimate from utterance to utterance, so it is made anew (0.1 ms): the same audio
    gets the same score whatever was heard before. The whole utterance goes in at once, so that cepstral means are its
    own from the first frame.
    """
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    if hypothesis is None or not hypothesis.hypstr:
        return []
    return [
        (segment.word.split("(")[0], _per_frame(segment.ascore, segment.end_frame - segment.start_frame + 1))
        for segment in decoder.seg()
        if segment.word[0] not in "<([+"  # silence, null transitions, fillers
    ]


def _per_frame(probability: float, frames: int) -> float:
    """``ascore`` comes as a probability, and underflows to zero for a long word that fits nowhere."""
    return math.log(probability) / _LOG_BASE / frames / _SCORE_UNIT if probability > 0 else -math.inf


def _judge(words: Sequence[str], worst: float, allowed: Sequence[str], threshold: float) -> HeardPhrase:
    heard = " ".join(words)
    if heard in allowed and worst > threshold:
        return HeardPhrase(phrase=heard, score=worst, recognised=True)
    nearest = max(allowed, key=lambda phrase: SequenceMatcher(a=phrase.split(), b=words).ratio())
    return HeardPhrase(phrase=nearest if worst > threshold * _NEAREST_FLOOR else None, score=worst, recognised=False)
