"""The recogniser of drawn digits: real decoder, synthesised words (flite) joined with pauses."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from shared.domain.errors import LocaleUnsupported
from shared.domain.recording import Samples, Utterance
from shared.inference.digit_sounds import DigitSounds, WordFrames, without_silence
from shared.inference.digits import SphinxDigitRecogniser
from shared.inference.model_card import CATALOGUE_FILE, DigitCard, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.sphinx import around_speech, model
from tests.integration.inference.test_passphrase import TONE, utterance_of
from tests.voices import PASSPORT, flite, joined, lower

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DRAWN = ("618240", "972305")
NETWORK = OnnxNetwork(read_catalogue().phrases)


@pytest.fixture(scope="module")
def recogniser() -> SphinxDigitRecogniser:
    return SphinxDigitRecogniser(read_catalogue().digits, NETWORK)


def spoken(digits: str, zero: str = "zero") -> Samples:
    return joined(" ".join((zero, *WORDS[1:])[int(digit)] for digit in digits))


@pytest.mark.parametrize("digits", [*DRAWN, "2938475610"])
@pytest.mark.parametrize("pace", [1.0, 0.8])
def test_the_drawn_digits_are_heard_and_one_wrong_one_is_told(
    recogniser: SphinxDigitRecogniser, digits: str, pace: float
) -> None:
    utterance = utterance_of(lower(spoken(digits), pace))
    assert recogniser.says(utterance, digits, "en-US")
    for place in (0, len(digits) // 2, len(digits) - 1):
        other = str((int(digits[place]) + 4) % 10)
        assert not recogniser.says(utterance, digits[:place] + other + digits[place + 1 :], "en-US")


def by_telephone(samples: Samples) -> Utterance:
    """From 300 to 3,400 Hz, with noise at -70 dB of full scale."""
    hertz = np.maximum(np.fft.rfftfreq(len(samples), 1.0 / 16_000), 1.0)
    gain = 1.0 / np.sqrt((1.0 + (300.0 / hertz) ** 16) * (1.0 + (hertz / 3_400.0) ** 16))
    noise = np.random.default_rng(1).normal(0.0, 3e-4, len(samples))
    narrow = np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)) + noise
    return utterance_of(narrow.astype(np.float32), 3_900.0)


LONG = pytest.mark.long_form("a refusal of eight seconds of speech takes three quarters of a second")


@pytest.mark.parametrize(("digits", "pace"), [("618240", 1.0), pytest.param("2938475610", 0.8, marks=LONG)])
def test_by_telephone_a_digit_that_the_decoder_mishears_is_heard_by_its_sound(
    recogniser: SphinxDigitRecogniser, digits: str, pace: float
) -> None:
    utterance = by_telephone(lower(spoken(digits), pace))
    (card,) = read_catalogue().digits
    assert not SphinxDigitRecogniser([replace(card, sounds=None)], NETWORK).says(utterance, digits, "en-US")
    assert recogniser.says(utterance, digits, "en-US")
    for place in range(0, len(digits), 2):
        for other in {"2", "5", "7", "9"} - {digits[place]}:
            assert not recogniser.says(utterance, digits[:place] + other + digits[place + 1 :], "en-US")


def test_each_word_sounds_more_like_its_own_digit_than_like_the_next() -> None:
    sounds = DigitSounds(NETWORK, CATALOGUE_FILE.parent / "digit-sounds-en-us.npz")
    parts = [np.concatenate((flite(word), np.zeros(3_200, np.float32))) for word in WORDS]
    utterance = utterance_of(np.concatenate(parts))
    ends = np.cumsum([0, *map(len, parts)]) - around_speech(utterance).start
    places = [WordFrames(max(0, int(a)) // 160, int(b) // 160 - 1) for a, b in pairwise(ends)]
    right = sounds.margins(utterance, [places], "0123456789")
    wrong = sounds.margins(utterance, [places], "1234567890")
    assert (right > wrong).all()
    assert np.array_equal(sounds.margins(utterance, [places, places], "1234567890"), wrong)


def test_a_word_is_without_the_silence_around_it() -> None:
    spoken = np.repeat([False, True, False], [10, 20, 30])
    assert without_silence(WordFrames(5, 59), spoken) == WordFrames(10, 29)
    assert without_silence(WordFrames(40, 59), spoken) == WordFrames(40, 59)


@pytest.mark.parametrize("said", ["72305", "97235", "97230", "9723051", "5972305"])
def test_a_digit_too_few_or_too_many_is_told(recogniser: SphinxDigitRecogniser, said: str) -> None:
    assert not recogniser.says(utterance_of(spoken(said)), "972305", "en-US")


def test_oh_is_zero(recogniser: SphinxDigitRecogniser) -> None:
    assert recogniser.says(utterance_of(spoken("618240", zero="oh")), "618240", "en-US")


@pytest.mark.parametrize("other", [flite(PASSPORT), TONE, np.zeros(16_000, np.float32)])
def test_nothing_else_is_taken_for_digits(recogniser: SphinxDigitRecogniser, other: Samples) -> None:
    for digits in DRAWN:
        assert not recogniser.says(utterance_of(other), digits, "en-US")


def test_the_text_is_in_words(recogniser: SphinxDigitRecogniser) -> None:
    assert recogniser.text("0987654321", "en-US") == "zero nine eight seven six five four three two one"


def test_another_language_is_refused_by_name(recogniser: SphinxDigitRecogniser) -> None:
    with pytest.raises(LocaleUnsupported, match="en-US"):
        recogniser.text("012345", "de-DE")
    with pytest.raises(LocaleUnsupported, match="en-US"):
        recogniser.says(utterance_of(TONE), "012345", "de-DE")


def test_a_card_opens_another_language_where_its_acoustic_model_is_installed(tmp_path: Path) -> None:
    """English words in English phones stand in for one."""
    (english,) = read_catalogue().digits
    card = DigitCard("xx-XX", "own", (("oh",), *english.said[1:]), english.pronunciations)
    assert SphinxDigitRecogniser([english, card], NETWORK, tmp_path).locales == ("en-US",)
    (tmp_path / "own").symlink_to(model() / "en-us", target_is_directory=True)
    recogniser = SphinxDigitRecogniser([english, card], NETWORK, tmp_path)
    assert (recogniser.locales, recogniser.text("10", "xx-XX")) == (("en-US", "xx-XX"), "one oh")
    assert recogniser.says(utterance_of(spoken("618240", zero="oh")), "618240", "xx-XX")
    assert not recogniser.says(utterance_of(spoken("618240")), "618240", "xx-XX"), "zero is no word of it"
