"""The recogniser of drawn digits: real decoder, synthesised words (flite) joined with pauses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.domain.errors import LocaleUnsupported
from shared.domain.recording import Samples
from shared.inference.digits import SphinxDigitRecogniser
from shared.inference.model_card import DigitCard, read_catalogue
from shared.inference.sphinx import model
from tests.integration.inference.test_passphrase import TONE, utterance_of
from tests.voices import PASSPORT, flite, joined, lower

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DRAWN = ("618240", "972305")


@pytest.fixture(scope="module")
def recogniser() -> SphinxDigitRecogniser:
    return SphinxDigitRecogniser(read_catalogue().digits)


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
    assert SphinxDigitRecogniser([english, card], tmp_path).locales == ("en-US",)
    (tmp_path / "own").symlink_to(model() / "en-us", target_is_directory=True)
    recogniser = SphinxDigitRecogniser([english, card], tmp_path)
    assert (recogniser.locales, recogniser.text("10", "xx-XX")) == (("en-US", "xx-XX"), "one oh")
    assert recogniser.says(utterance_of(spoken("618240", zero="oh")), "618240", "xx-XX")
    assert not recogniser.says(utterance_of(spoken("618240")), "618240", "xx-XX"), "zero is no word of it"
