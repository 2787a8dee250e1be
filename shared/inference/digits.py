"""Whether an utterance says the drawn digits, by pocketsphinx with a grammar of them.

In every place of the grammar stands the drawn digit, and at a small weight every other one: a wrong digit is then heard
as what it is. A second ear, which bears telephones and rooms better, must not contradict; and where it is sure of the
drawn digit, it outweighs a decoder that heard another. Every word must be close to what the acoustic model expects, so
that silence fills no place; and no speech may be left over, as the decoder's silence swallows a digit before or behind
the others.
``docs/challenges.md`` has the measurements.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from shared.domain.errors import LocaleUnsupported
from shared.domain.measurement import stage
from shared.domain.recording import Utterance
from shared.inference.digit_sounds import DigitSounds, WordFrames
from shared.inference.model_card import CATALOGUE_FILE, DigitCard
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.sphinx import FRAME_SAMPLES, Words, around_speech, model, paths, pcm16, per_frame
from shared.inference.sphinx_decoder import Decoder, Settings, new_decoder
from shared.inference.sphinx_pool import DecoderPool

SHIPPED: Final = "en-us"
"""The acoustic model in pocketsphinx's own package."""

_OTHER_WEIGHT: Final = "1e-14"
"""Prior of any other digit against 1 for the drawn one. With 1e-30 readings in a room with one digit wrong pass."""

_WORST_WORD: Final = -70.0
"""Acoustic log-likelihood per frame that the worst digit must exceed (pocketsphinx units)."""

_LEFT_OVER_FRAMES: Final = 8
_LEFT_OVER_DB: Final = -8.0
"""How long speech outside the digits may be, in frames of 10 ms, that is louder than this against the digits' own
level: what a room adds behind a word is softer."""

_LEAST_MARGIN: Final = -3.0
_LEAST_MARGIN_ALONE: Final = 0.0
"""Logarithm of the odds of a drawn digit against the likeliest other, by its sound, that lets it pass: where the
decoder hears it too, and where the decoder hears another."""

_WIDE_BEAMS: Final = {"beam": 1e-120, "wbeam": 1e-100, "pbeam": 1e-120}
"""Where the drawn digits alone are laid along a recording in which others may have been said."""

_KEY: Final = "digits"
_DRAWN_KEY: Final = "drawn digits"


class SphinxDigitRecogniser:
    """A ``DigitRecogniser`` for the languages of the cards whose acoustic model is there. Safe to share between
    threads. pocketsphinx is not imported before the first call.

    ``network`` is the one that phrases are compared by; it hears the languages whose card names weights for it.
    """

    def __init__(
        self,
        cards: Sequence[DigitCard],
        network: OnnxNetwork,
        folder: Path = CATALOGUE_FILE.parent,
        decoders: DecoderPool | None = None,
    ) -> None:
        self._folder = folder
        self._cards = {card.locale: card for card in cards if self._is_there(card)}
        self._sounds = {card.locale: DigitSounds(network, folder / card.sounds) for card in cards if card.sounds}
        self._decoders = decoders or DecoderPool()

    @property
    def locales(self) -> Sequence[str]:
        return tuple(self._cards)

    def text(self, digits: str, locale: str) -> str:
        card = self._card(locale)
        return " ".join(card.said[int(digit)][0] for digit in digits)

    def says(self, utterance: Utterance, digits: str, locale: str) -> bool:
        card = self._card(locale)
        if not utterance.speech.any():
            return False
        with stage("phrase"):
            drawn, heard = self._hear(card, pcm16(utterance), digits)
            if not drawn or min(map(per_frame, drawn)) <= _WORST_WORD:
                return False
            if left_over(utterance, drawn) > _LEFT_OVER_FRAMES:
                return False
            return self._agree(card, utterance, drawn, heard, digits)

    def lay(self, utterance: Utterance, digits: str, locale: str) -> Words:
        """The digits as they lie along the recording, in frames from the start of ``around_speech``; none where they do
        not fit."""
        return self._hear(self._card(locale), pcm16(utterance), digits)[0]

    def _hear(self, card: DigitCard, pcm: bytes, digits: str) -> tuple[Words, Words]:
        """The drawn digits as they lie along the recording, if they fit; and what the decoder heard, any digits."""
        with self._decoders.lease((_KEY, card.locale), lambda: self._make(card, {})) as places:
            places.search_grammar(grammar(card, digits, _OTHER_WEIGHT))
            _, heard = paths(places, pcm)
        if all(_same(card, heard, digits)):
            return heard, heard
        if card.locale not in self._sounds:
            return (), heard
        with self._decoders.lease((_DRAWN_KEY, card.locale), lambda: self._make(card, _WIDE_BEAMS)) as only:
            only.search_grammar(grammar(card, digits))
            _, drawn = paths(only, pcm)
        return (drawn if len(drawn) == len(digits) else ()), heard

    def _agree(self, card: DigitCard, utterance: Utterance, drawn: Words, heard: Words, digits: str) -> bool:
        """Whether the words also sound like the digits: where the drawn ones lie, and where those do that were heard,
        since a wrong digit lies on the part of a word that is most like it."""
        sounds = self._sounds.get(card.locale)
        if sounds is None:
            return True
        ways = [drawn, heard] if len(heard) == len(digits) else [drawn]
        places = [[WordFrames(word.start_frame, word.end_frame) for word in words] for words in ways]
        least = np.where(_same(card, heard, digits), _LEAST_MARGIN, _LEAST_MARGIN_ALONE)
        return bool((sounds.margins(utterance, places, digits) > least).all())

    def _is_there(self, card: DigitCard) -> bool:
        return card.acoustic_model == SHIPPED or (self._folder / card.acoustic_model).is_dir()

    def _card(self, locale: str) -> DigitCard:
        """Raises ``LocaleUnsupported``."""
        if locale not in self._cards:
            raise LocaleUnsupported(locale, self.locales)
        return self._cards[locale]

    def _make(self, card: DigitCard, settings: Settings) -> Decoder:
        """For all challenges of a language: a grammar takes a millisecond to change, a decoder 20 to make."""
        own = model() if card.acoustic_model == SHIPPED else self._folder
        with tempfile.TemporaryDirectory(prefix="timbre-") as folder:
            words = Path(folder) / "digits.dict"
            words.write_text("\n".join((*card.pronunciations, "")), encoding="utf-8")
            return new_decoder(own / card.acoustic_model, words, settings)


def grammar(card: DigitCard, digits: str, other_weight: str = "") -> str:
    """JSGF. With a weight of any other digit against 1 for the drawn one; otherwise the drawn ones alone."""
    places = (_place(card, int(digit), other_weight) for digit in digits)
    return f"#JSGF V1.0;\ngrammar digits;\npublic <digits> = {' '.join(places)};\n"


def _same(card: DigitCard, words: Words, digits: str) -> list[bool]:
    """Whether each word is its digit; none is, where there are more or fewer."""
    if len(words) != len(digits):
        return [False] * len(digits)
    return [word.word in card.said[int(digit)] for word, digit in zip(words, digits, strict=True)]


def left_over(utterance: Utterance, words: Words) -> int:
    """The longest run of loud speech outside the words, in frames."""
    stretch = around_speech(utterance)
    count = len(utterance.speech[stretch]) // FRAME_SAMPLES
    frames = slice(stretch.start, stretch.start + count * FRAME_SAMPLES)
    speech = utterance.speech[frames].reshape(count, FRAME_SAMPLES).mean(axis=1) > 0.5
    samples = utterance.recording.samples[frames].astype(np.float64)
    power = np.square(samples).reshape(count, FRAME_SAMPLES).mean(axis=1)
    inside = np.zeros(count, bool)
    for word in words:
        inside[word.start_frame : word.end_frame + 1] = True
    loud = power > np.percentile(power[inside], 60) * 10.0 ** (_LEFT_OVER_DB / 10.0)
    edges = np.flatnonzero(np.diff((speech & loud & ~inside).astype(np.int8), prepend=0, append=0))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def _place(card: DigitCard, digit: int, other_weight: str) -> str:
    others = [word for other, said in enumerate(card.said) if other != digit for word in said]
    weighted = [f"/1.0/ {word}" for word in card.said[digit]]
    if other_weight:
        weighted += [f"/{other_weight}/ {word}" for word in others]
    return f"( {' | '.join(weighted)} )"
