"""The recogniser of drawn digits: real networks, synthesised words (flite) joined with pauses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.domain.errors import LocaleUnsupported
from shared.domain.recording import Samples, Utterance
from shared.inference.digits import SpokenDigitRecogniser, in_figures, in_words
from shared.inference.model_card import CATALOGUE_FILE, DigitCard, NetworkCard, read_catalogue
from shared.inference.transcriber import Transcriber
from tests.integration.inference.test_passphrase import TONE, utterance_of
from tests.voices import PASSPORT, STORY, flite, joined, lower

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DRAWN = ("618240", "972305")
NOISE = np.random.default_rng(3).normal(0.0, 0.05, 48_000).astype(np.float32)
CATALOGUE = read_catalogue()
(ENGLISH,), (CARD,) = CATALOGUE.digits, CATALOGUE.transcribers


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber(CARD)


@pytest.fixture(scope="module")
def recogniser(transcriber: Transcriber) -> SpokenDigitRecogniser:
    return SpokenDigitRecogniser([ENGLISH], [transcriber])


def spoken(digits: str, zero: str = "zero") -> Samples:
    return joined(" ".join((zero, *WORDS[1:])[int(digit)] for digit in digits))


def by_telephone(samples: Samples) -> Utterance:
    """From 300 to 3,400 Hz, with noise at -70 dB of full scale."""
    hertz = np.maximum(np.fft.rfftfreq(len(samples), 1.0 / 16_000), 1.0)
    gain = 1.0 / np.sqrt((1.0 + (300.0 / hertz) ** 16) * (1.0 + (hertz / 3_400.0) ** 16))
    noise = np.random.default_rng(1).normal(0.0, 3e-4, len(samples))
    narrow = np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)) + noise
    return utterance_of(narrow.astype(np.float32), 3_900.0)


@pytest.mark.parametrize("heard", [utterance_of, by_telephone])
@pytest.mark.parametrize(("digits", "pace"), [("618240", 1.0), ("972305", 0.8), ("2938475610", 0.9)])
def test_the_drawn_digits_are_heard_and_one_wrong_one_is_told(
    recogniser: SpokenDigitRecogniser, heard: Callable[[Samples], Utterance], digits: str, pace: float
) -> None:
    utterance = heard(lower(spoken(digits), pace))
    assert recogniser.says(utterance, digits, "en-US")
    for place in (0, len(digits) // 2, len(digits) - 1):
        for step in (4, 7):
            other = str((int(digits[place]) + step) % 10)
            assert not recogniser.says(utterance, digits[:place] + other + digits[place + 1 :], "en-US")


def test_every_digit_fits_better_than_any_other_in_its_place(recogniser: SpokenDigitRecogniser) -> None:
    utterance = utterance_of(spoken("0123456789"))
    right = recogniser.fit(utterance, "0123456789", "en-US")
    assert right.own.shape == right.end.shape == (10,)
    assert right.own.min() > 0.0
    wrong = recogniser.fit(utterance, "9876543210", "en-US")
    assert wrong.own.max() < 0.0
    assert right.end.argmax() == 9
    assert right.end[-1] > 0.0


@pytest.mark.parametrize("level", [0.003, 0.1, 1.0])
def test_the_level_of_a_recording_does_not_matter(recogniser: SpokenDigitRecogniser, level: float) -> None:
    utterance = utterance_of(spoken("618240") * np.float32(level))
    assert recogniser.says(utterance, "618240", "en-US")
    assert not recogniser.says(utterance, "618210", "en-US")


@pytest.mark.parametrize("said", ["72305", "97235", "97230", "9723051", "5972305"])
def test_a_digit_too_few_or_too_many_is_told(recogniser: SpokenDigitRecogniser, said: str) -> None:
    assert not recogniser.says(utterance_of(spoken(said)), "972305", "en-US")


def test_oh_is_zero(recogniser: SpokenDigitRecogniser) -> None:
    assert recogniser.says(utterance_of(spoken("618240", zero="oh")), "618240", "en-US")


@pytest.mark.parametrize("other", [flite(PASSPORT), flite(STORY)[:160_000], TONE, NOISE, np.zeros(16_000, np.float32)])
def test_nothing_else_is_taken_for_digits(recogniser: SpokenDigitRecogniser, other: Samples) -> None:
    for digits in DRAWN:
        assert not recogniser.says(utterance_of(other), digits, "en-US")


def test_digits_are_written_in_words_and_in_figures(transcriber: Transcriber) -> None:
    vocabulary = transcriber.vocabulary
    words, figures = in_words(vocabulary, ENGLISH, "9704"), in_figures(vocabulary, "9704")
    assert [vocabulary.text(form.tokens) for form in (words, figures)] == ["Nine, seven, zero, four", "9704"]
    for form in (words, figures):
        for digit, before, behind in zip("9704", form.before, form.behind, strict=True):
            assert form.tokens[before] in form.firsts[int(digit)]
            assert behind - before in (1, 2)
        firsts = [token for tokens in form.firsts for token in tokens]
        assert len(firsts) == len(set(firsts)), "a token tells one digit"
    assert len(words.firsts[0]) == 6, "zero, oh and o, also at the start of a sentence"


def test_the_text_is_in_words(recogniser: SpokenDigitRecogniser) -> None:
    assert recogniser.text("0987654321", "en-US") == "zero nine eight seven six five four three two one"


def test_another_language_is_refused_by_name(recogniser: SpokenDigitRecogniser) -> None:
    with pytest.raises(LocaleUnsupported, match="en-US"):
        recogniser.text("012345", "de-DE")
    with pytest.raises(LocaleUnsupported, match="en-US"):
        recogniser.says(utterance_of(TONE), "012345", "de-DE")


def test_cards_open_another_language_where_its_transcriber_is_installed(tmp_path: Path) -> None:
    """The English files under another name stand in for one."""

    def installed(card: NetworkCard) -> NetworkCard:
        return replace(card, file=replace(card.file, name=f"own-{card.file.name}"))

    parts = (CARD.encoder, CARD.decoder, CARD.tokens)
    encoder, decoder, tokens = map(installed, parts)
    own = replace(CARD, locales=("xx-XX",), encoder=encoder, decoder=decoder, tokens=tokens)
    card = DigitCard("xx-XX", (("oh",), *ENGLISH.said[1:]))
    transcribers = [Transcriber(CARD), Transcriber(own, tmp_path)]
    assert SpokenDigitRecogniser([ENGLISH, card], transcribers).locales == ("en-US",)
    for part in parts:
        (tmp_path / f"own-{part.file.name}").symlink_to(CATALOGUE_FILE.parent / part.file.name)
    recogniser = SpokenDigitRecogniser([ENGLISH, card], transcribers)
    assert (recogniser.locales, recogniser.text("10", "xx-XX")) == (("en-US", "xx-XX"), "one oh")
    assert recogniser.says(utterance_of(spoken("618240", zero="oh")), "618240", "xx-XX")
