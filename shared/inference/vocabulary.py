"""Text to the tokens of a transcriber and back: byte-pair encoding as SentencePiece does it.

Kudo and Richardson (2018), doi:10.18653/v1/D18-2012: of all neighbouring pieces those two are joined first whose joint
piece has the best score, and in a vocabulary that was trained by joining, that is the one that comes first in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final

_SPACE: Final = "▁"
_SINGLE_BYTES: Final = 3
"""Where the 256 single bytes begin, which spell what no piece does: behind unknown, start and end."""
_PIECES: Final = _SINGLE_BYTES + 256
_LONG: Final = 0x80
"""A first byte from here on says with the second how long a piece is: the low seven bits, and 128 times the second."""


class Vocabulary:
    """Of a file of Moonshine's: length and bytes of one piece after the other. Raises ``ValueError`` when it is cut."""

    def __init__(self, content: bytes) -> None:
        self._pieces = list(_pieces(content))
        self._number = {piece: number for number, piece in enumerate(self._pieces) if number >= _PIECES}

    def __len__(self) -> int:
        return len(self._pieces)

    @cached_property
    def pieces(self) -> Sequence[str]:
        """What each token writes; unknown, start, end and the single bytes write nothing."""
        written = [piece.decode(errors="replace").replace(_SPACE, " ") for piece in self._pieces[_PIECES:]]
        return [*[""] * _PIECES, *written]

    def tokens(self, text: str) -> list[int]:
        """As the transcriber would write the text at the start of its transcript."""
        return [token for word in text.split(" ") for piece in self._joined(word) for token in self._spelt(piece)]

    def text(self, tokens: Sequence[int]) -> str:
        """Without the space in front."""
        joined = b"".join(self._pieces[token] for token in tokens)
        return joined.decode(errors="replace").replace(_SPACE, " ").removeprefix(" ")

    def _joined(self, word: str) -> list[bytes]:
        """The pieces of a word with its space in front; none goes on into the next word."""
        pieces = [letter.encode() for letter in _SPACE + word]
        while True:
            joint = [self._number.get(left + right, len(self)) for left, right in pairwise(pieces)]
            if not joint or min(joint) == len(self):
                return pieces
            at = joint.index(min(joint))
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]

    def _spelt(self, piece: bytes) -> list[int]:
        return [self._number[piece]] if piece in self._number else [_SINGLE_BYTES + byte for byte in piece]


def _pieces(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        length, at = content[at], at + 1
        if length >= _LONG:
            length, at = length - _LONG + _LONG * content[at] if at < len(content) else len(content), at + 1
        if at + length > len(content):
            raise ValueError("The last piece is cut.")
        yield content[at : at + length]
        at += length
