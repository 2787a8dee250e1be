"""Which allowed phrase an English utterance says, by pocketsphinx with a grammar of those phrases.

The decoder's best path through a grammar always says *something* allowed, so two checks follow. The path must be one
whole phrase; and its worst word must be close to what the acoustic model expects, measured against the best senone of
each frame. For words whose confusion would turn a phrase round ("known" for "unknown") the grammar also offers the
wrong word: a recording of it is then recognised as what it is, and refused.

The grammar bears words after the phrase, which its last silence swallows, but none before. So where it recognises
nothing, a keyword search looks for the phrases, and the stretch that fits best is held against the same grammar and
checks by itself. What the second search buys: 153 instead of 12 of 160 phrases behind other words. What it costs: 40
of 250 lines, and twice the time of a refusal (131 instead of 67 ms). ``docs/decisions/passphrase-recognition.md`` has
the measurements. Where neither recognises a phrase, the beginning of one is looked for, so that a refusal can say that
it was cut: 45 lines and 15 to 40 ms.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from typing import Final

from shared.domain.errors import LocaleUnsupported
from shared.domain.limits import PASSPHRASE_WORST_WORD, PASSPHRASE_WORST_WORD_TELEPHONE
from shared.domain.measurement import stage
from shared.domain.passphrase import HeardPhrase, normalise_phrase
from shared.domain.recording import Utterance
from shared.inference.phrase_grammar import PhraseGrammar, PronouncingDictionary
from shared.inference.sphinx import Words, model, paths, pcm16, per_frame, segments
from shared.inference.sphinx_decoder import Decoder, Settings, new_decoder
from shared.inference.sphinx_pool import DecoderPool

_LOCALES = ("en-US",)
_NEAREST_FLOOR = 1.3
"""A worst word below this many thresholds is no sign of the phrase, which is then not named as the nearest."""
_KEYWORD_THRESHOLD = 1e-20
"""Likelihood of a phrase against a loop of phones at which the spotter reports it: low, as it only proposes."""
_SPOTTER_SETTINGS: Final[Settings] = {"kws_plp": 1e-5, "ds": 2}
"""Probability of a phone of that loop (with 0.1, the default, a third of the phrases is found), and senones of every
second frame only: as many phrases in 0.6 of the time; of every third, three quarters of them."""
_FRAME_BYTES = 320  # 10 ms of 16-bit PCM, the decoder's step
_BEHIND_FRAMES = 5
"""Kept behind what was spotted. Measured: with 15 a truncated phrase between other words is accepted three times as
often. None are kept before it: with 10 the first word swallows the end of the one before, and half are refused."""
_SILENCE = bytes(30 * _FRAME_BYTES)
"""The spotter reports a phrase some frames after its end; the grammar expects a phrase between silences."""


_FEWEST_BEGUN = 2
"""Words of a phrase that was cut; one word alone is heard in all kinds of speech."""

_KEY: Final = "phrases"


class SphinxPassphraseRecogniser:
    """A ``PassphraseRecogniser`` for en-US. Safe to share between threads.

    Nothing of pocketsphinx is imported or read before the first call.
    """

    locales = _LOCALES

    def __init__(self, decoders: DecoderPool | None = None) -> None:
        self._decoders = decoders or DecoderPool()

    def recognise(
        self, utterance: Utterance, phrases: Sequence[str], locale: str, *, alone: bool = False
    ) -> HeardPhrase:
        """Which of the phrases (in their normalised form) is spoken, and whether all of it was heard clearly.

        Words before and after it do no harm; with ``alone`` those before do, which saves half of the time of a refusal.
        Raises ``LocaleUnsupported``, and ``ValueError`` for a phrase that is empty or has one of ``unknown_words``.
        """
        if locale not in _LOCALES:
            raise LocaleUnsupported(locale, _LOCALES)
        allowed = tuple(dict.fromkeys(normalise_phrase(phrase) for phrase in phrases))
        if not allowed or not utterance.speech.any():
            return HeardPhrase.nothing()
        pcm = pcm16(utterance)
        threshold = PASSPHRASE_WORST_WORD if utterance.is_wide else PASSPHRASE_WORST_WORD_TELEPHONE
        with stage("phrase"):
            heard, so_far = self._hear(pcm, allowed, threshold)
            if heard.recognised or alone:
                return heard
            if spotted := self._spot(pcm, allowed):
                within, _ = self._hear(spotted, allowed, threshold)
                if within.recognised:
                    return within
            return replace(heard, begun=self._begun(pcm, so_far, allowed, threshold))

    def unknown_words(self, phrases: Sequence[str]) -> list[str]:
        """The words, in order and once each, that the dictionary cannot pronounce: such phrases can't be allowed."""
        words = dict.fromkeys(word for phrase in phrases for word in normalise_phrase(phrase).split())
        return [word for word in words if word not in self._dictionary]

    def _hear(self, pcm: bytes, allowed: tuple[str, ...], threshold: float) -> tuple[HeardPhrase, Words]:
        """By the grammar; and the path to where in it the audio ends, be that the end of a phrase or not."""
        with self._decoder(allowed) as grammar:
            so_far, words = paths(grammar, pcm)
        if not words:
            return HeardPhrase.nothing(), so_far
        return _judge([word.word for word in words], min(map(per_frame, words)), allowed, threshold), so_far

    def _begun(self, pcm: bytes, so_far: Words, allowed: tuple[str, ...], threshold: float) -> str | None:
        """The words of a phrase that was not said to its end, but for the last, which may be cut itself.

        Before the end of a phrase the decoder gives no scores. So the audio is held against a grammar of these words
        alone. Measured: 42 of 44 phrases cut at 50 to 80 % of their length, and 11 of 200 sentences that are no phrase.
        """
        begun = " ".join(word.word for word in so_far[:-1])
        if len(so_far) <= _FEWEST_BEGUN or not any(phrase.startswith(f"{begun} ") for phrase in allowed):
            return None
        heard, _ = self._hear(pcm, (begun,), threshold)
        return begun if heard.recognised else None

    def _spot(self, pcm: bytes, allowed: tuple[str, ...]) -> bytes:
        """The stretch that is most like one of the phrases, between silences; empty if none is like any."""
        with self._decoder(allowed, spots=True) as spotter:
            nearest = max(segments(spotter, pcm + _SILENCE), key=lambda segment: segment.prob, default=None)
        if nearest is None:
            return b""
        end = nearest.end_frame + 1 + _BEHIND_FRAMES
        return _SILENCE + pcm[max(0, nearest.start_frame) * _FRAME_BYTES : end * _FRAME_BYTES] + _SILENCE

    def _decoder(self, allowed: tuple[str, ...], *, spots: bool = False) -> AbstractContextManager[Decoder]:
        return self._decoders.lease((_KEY, allowed, spots), lambda: self._make(allowed, spots))

    def _make(self, allowed: tuple[str, ...], spots: bool) -> Decoder:
        if "" in allowed or self.unknown_words(allowed):
            raise ValueError("A passphrase is empty or holds a word without a known pronunciation.")
        grammar = PhraseGrammar.of(allowed, self._dictionary)
        with tempfile.TemporaryDirectory(prefix="timbre-") as folder:
            words, keywords = Path(folder) / "words.dict", Path(folder) / "keywords"
            words.write_text(grammar.pronunciations, encoding="ascii")
            if spots:
                lines = [f"{phrase} /{_KEYWORD_THRESHOLD}/\n" for phrase in allowed]
                keywords.write_text("".join(lines), encoding="ascii")
                return new_decoder(model() / "en-us", words, {"kws": str(keywords), **_SPOTTER_SETTINGS})
            made = new_decoder(model() / "en-us", words, {})
        made.search_grammar(grammar.jsgf)
        return made

    @cached_property
    def _dictionary(self) -> PronouncingDictionary:
        return PronouncingDictionary(model() / "cmudict-en-us.dict")


def _judge(words: Sequence[str], worst: float, allowed: Sequence[str], threshold: float) -> HeardPhrase:
    heard = " ".join(words)
    if heard in allowed and worst > threshold:
        return HeardPhrase(phrase=heard, score=worst, recognised=True)
    nearest = max(allowed, key=lambda phrase: SequenceMatcher(a=phrase.split(), b=words).ratio())
    return HeardPhrase(phrase=nearest if worst > threshold * _NEAREST_FLOOR else None, score=worst, recognised=False)
