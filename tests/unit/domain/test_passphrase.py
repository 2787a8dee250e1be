"""The ten phrases, in the order in which the retired service listed them."""

from __future__ import annotations

from shared.domain.passphrase import EN_US_PASSPHRASES


def test_the_ten_phrases_are_distinct_lower_case_and_unpunctuated() -> None:
    assert len(set(EN_US_PASSPHRASES)) == 10
    assert all(phrase.replace(" ", "").isalpha() and phrase == phrase.lower() for phrase in EN_US_PASSPHRASES)


def test_the_order_is_the_contracts() -> None:
    assert [phrase.split()[0] for phrase in EN_US_PASSPHRASES] == [
        "i", "houston", "my", "apple", "you", "you", "my", "my", "my", "be",
    ]  # fmt: skip
    assert EN_US_PASSPHRASES[2] == "my voice is my passport verify me"
