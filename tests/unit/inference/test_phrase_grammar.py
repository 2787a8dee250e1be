from __future__ import annotations

from pathlib import Path

import pocketsphinx
import pytest

from shared.domain.passphrase import normalise_phrase
from shared.inference.phrase_grammar import PhraseGrammar, PronouncingDictionary, competitors

LINES = """a AH
a(2) EY
known N OW N
passport P AE S P AO R T
password P AE S W ER D
passwords P AE S W ER D Z
un AH N
unknown AH N N OW N
with W IH DH
without W IH TH AW T
without(2) W IH DH AW T
"""


@pytest.fixture
def dictionary(tmp_path: Path) -> PronouncingDictionary:
    path = tmp_path / "words.dict"
    path.write_text(LINES, encoding="ascii")
    return PronouncingDictionary(path)


def test_every_variant_of_the_first_and_of_the_last_word_is_found(dictionary: PronouncingDictionary) -> None:
    assert dictionary.pronunciations("a") == ["AH", "EY"]
    assert dictionary.pronunciations("without") == ["W IH TH AW T", "W IH DH AW T"]


def test_the_bundled_dictionary_is_in_the_order_that_the_search_relies_on() -> None:
    lines = (Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict").read_bytes().splitlines()
    words = [line.split(b" ", 1)[0].split(b"(", 1)[0] for line in lines]
    assert words == sorted(words)


@pytest.mark.parametrize("word", ["", "wit", "without(2)(2)", "known N", "\n", "größe", "(2)"])
def test_what_is_no_word_of_the_dictionary_is_unknown(dictionary: PronouncingDictionary, word: str) -> None:
    assert word not in dictionary


def test_an_excerpt_has_the_format_of_the_dictionary(dictionary: PronouncingDictionary) -> None:
    excerpt = dictionary.excerpt(["without", "a", "a"])
    assert excerpt == "a AH\na(2) EY\nwithout W IH TH AW T\nwithout(2) W IH DH AW T\n"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("unknown", ["known"]),
        ("known", ["unknown"]),
        ("without", ["with"]),
        ("passport", ["password", "passwords"]),
        ("password", ["passport"]),  # its inflection is none
        ("a", []),
    ],
)
def test_competitors_turn_the_sense_round_or_begin_alike(
    dictionary: PronouncingDictionary, word: str, expected: list[str]
) -> None:
    vocabulary = ("passport", "password", "passwords", "unknown", "known", "without", "a")
    phones = {other: dictionary.pronunciations(other)[0].split() for other in vocabulary}

    assert competitors(word, phones, dictionary) == expected


def test_the_grammar_offers_competitors_at_a_small_weight_and_does_not_show_its_phrases(
    dictionary: PronouncingDictionary,
) -> None:
    grammar = PhraseGrammar.of(["without a passport", "known"], dictionary)

    assert "( /1.0/ without | /0.0001/ with ) a passport | ( /1.0/ known | /0.0001/ unknown );" in grammar.jsgf
    assert "with W IH DH\n" in grammar.pronunciations
    assert "passport" not in repr(grammar)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("My voice is my passport, verify me!", "my voice is my passport verify me"),
        ("  two\tspaces \n", "two spaces"),
        ("Don\u2019t stop", "don't stop"),
        ("'quoted'", "quoted"),
        ("well-known", "well known"),
        ("...", ""),
    ],
)
def test_phrases_are_normalised(written: str, normal: str) -> None:
    assert normalise_phrase(written) == normal
