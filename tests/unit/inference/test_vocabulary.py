from __future__ import annotations

import pytest

from shared.inference.model_card import CATALOGUE_FILE
from shared.inference.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary((CATALOGUE_FILE.parent / "moonshine-tiny-en-tokens.bin").read_bytes())


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (
            "My voice is my passport. Verify me.",
            ["My", "voice", "is", "my", "pass", "port", ".", "Ver", "ify", "me", "."],
        ),
        ("4, 7", ["", "4", ",", "", "7"]),
        ("cannot", ["cannot"]),
    ],
)
def test_text_becomes_the_longest_pieces_that_were_joined_first(
    vocabulary: Vocabulary, text: str, pieces: list[str]
) -> None:
    tokens = vocabulary.tokens(text)
    assert [vocabulary.text([token]) for token in tokens] == pieces
    assert vocabulary.text(tokens) == text


def test_what_no_piece_spells_is_spelt_in_bytes(vocabulary: Vocabulary) -> None:
    assert vocabulary.text(vocabulary.tokens("\U0001f3a4 é")) == "\U0001f3a4 é"
    assert vocabulary.text([3 + 0xFF]) == "�", "half a letter is no error"


@pytest.mark.parametrize("content", [b"\x02a", b"\x01a\x80", b"\x81\x01a"])
def test_a_cut_file_is_none(content: bytes) -> None:
    with pytest.raises(ValueError, match="cut"):
        Vocabulary(content)


def test_of_long_pieces_two_bytes_say_the_length() -> None:
    pieces = [b"a" * 127, b"b" * 128, b"c" * 300]
    content = b"\x7f" + pieces[0] + b"\x80\x01" + pieces[1] + bytes([0x80 + 300 % 128, 300 // 128]) + pieces[2]
    assert [Vocabulary(content).text([token]) for token in range(3)] == [piece.decode() for piece in pieces]
