"""Whether an expected text was said: how the decoder's odds for it stand, word by word.

The text is laid along what was heard, which is one pass of the decoder. A decoder also chooses how to write: capitals,
commas, the tokens that a word falls into. So texts are compared by their letters, marks never count against a word, and
where the decoder would rather write the same letters otherwise, the text is laid along once more as it would.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.passphrase import normalise_phrase
from shared.inference.transcriber import END, Array, Heard, Laid, Transcriber
from shared.inference.vocabulary import Vocabulary

Tokens = npt.NDArray[np.intp]

_PASSES: Final = 3
"""Of 350 phrases, cut, noisy and among words, 322 are accepted by the first and 18 more by the third."""
_AS_WRITTEN: Final = {
    normalise_phrase(written): written
    for written in (
        "Houston, we have had a problem",
        "My voice is my passport. Verify me",
        "Be yourself, everyone else is already taken",
    )
}
"""Published phrases of two clauses, which take a pass less with the mark between: of 70 recordings of the passport's 62
are accepted by the first pass and not 39."""
_HOPELESS: Final = -15.0
"""A worst word below this after the first pass was never mended by another: the least that was had -13.6."""
_PIECE: Final = re.compile(r"[ A-Za-z0-9'-]+")
_MARK: Final = re.compile(r"[ .,!?;:\"'()\-\u2013\u2014\u2019\u2026]+")


def score_of(odds: Sequence[float]) -> float:
    """The worst word's odds, or half of what all below zero sum up to where that is less: behind the words of a known
    sentence a decoder expects the next, so that where next to nothing was said each word alone may look well enough."""
    return min(*odds, sum(min(one, 0.0) for one in odds) / 2.0) if odds else -math.inf


def letters(text: str) -> str:
    """What texts are compared by: lower case, no spaces, no marks. ``Can not`` and ``cannot`` are the same."""
    return re.sub("[^a-z0-9]", "", text.casefold())


class Spelling:
    """What the tokens of a vocabulary write."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        pieces = vocabulary.pieces
        self.letters: Final = [letters(piece) for piece in pieces]
        self._by_letters: dict[str, list[int]] = {}
        for token, (piece, written) in enumerate(zip(pieces, self.letters, strict=True)):
            if written and _PIECE.fullmatch(piece):
                self._by_letters.setdefault(written, []).append(token)
        self._longest = max(map(len, self._by_letters))
        self.marks: Final[Tokens] = _those(token for token, piece in enumerate(pieces) if _MARK.fullmatch(piece))
        self.is_mark: Final = frozenset(self.marks.tolist())
        self.starts: Final = frozenset(token for token, piece in enumerate(pieces) if piece.startswith(" "))
        self.ends: Final[Tokens] = _those({END, *self.is_mark, *self.starts})

    def alike(self, token: int) -> list[int]:
        """All that write the same letters."""
        return self._by_letters.get(self.letters[token], [token])

    def likeliest(self, row: Array, text: str, at: int) -> int:
        """Of all that would write on at this letter of the text."""
        lengths = range(1, min(self._longest, len(text) - at) + 1)
        return max((one for size in lengths for one in self._by_letters.get(text[at : at + size], ())), key=row.item)

    def likeliest_mark(self, row: Array) -> int:
        return int(self.marks[row[self.marks].argmax()])

    def inside(self, text: str) -> list[int]:
        """Tokens for letters inside a word, the longest first."""
        tokens = list[int]()
        while text:
            sizes = range(min(self._longest, len(text)), 0, -1)
            fitting = (one for size in sizes for one in self._by_letters.get(text[:size], ()) if one not in self.starts)
            tokens.append(next(fitting))
            text = text[len(self.letters[tokens[-1]]) :]
        return tokens


class ExpectedText:
    """Of one transcriber. Safe to share between threads. Errors are the transcriber's."""

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber

    @cached_property
    def spelling(self) -> Spelling:
        return Spelling(self._transcriber.vocabulary)

    def draft(self, text: str) -> list[int]:
        """As a sentence begins."""
        written = _AS_WRITTEN.get(text, text)
        return self._transcriber.vocabulary.tokens(re.sub(r"\bi\b", "I", written[:1].upper() + written[1:]))

    def log_odds(self, heard: Heard, text: str, enough: float, before: Sequence[int] = ()) -> tuple[float, ...]:
        """Natural logarithms of the odds of each word against the likeliest other token, at its worst token.

        ``text`` is normalised words in the letters a to z. ``before`` are the tokens that were said before it. What
        comes behind it only has to begin a word of its own. It is written anew until ``score_of`` is above ``enough``
        or nothing would be written otherwise, at most ``_PASSES`` times; the best counts.
        """
        written = letters(text)
        tokens = self.draft(text)
        best: tuple[float, ...] = ()
        laid: Laid | None = None
        for _ in range(_PASSES):
            laid = self._transcriber.lay(heard, [*before, *tokens], laid)
            rows = laid.logits[len(before) :]
            best = max(best, self._by_word(rows, tokens, text), key=score_of)
            if min(best) <= _HOPELESS or score_of(best) > enough:
                break
            rather = self._rather(rows, tokens, written)
            if rather == tokens:
                break
            tokens = rather
        return best

    def _by_word(self, rows: Array, tokens: Sequence[int], text: str) -> tuple[float, ...]:
        spelling = self.spelling
        ends = list(accumulate(len(letters(word)) for word in text.split()))
        odds = [np.inf] * len(ends)
        at = word = 0
        for row, token in zip(rows, tokens, strict=False):
            if token not in spelling.is_mark:
                while ends[word] <= at:
                    word += 1
                odds[word] = min(odds[word], _odds(row, spelling.alike(token), spelling.marks))
                at += len(spelling.letters[token])
        odds[-1] = min(odds[-1], _odds(rows[len(tokens)], spelling.ends, spelling.marks))
        return tuple(map(float, odds))

    def _rather(self, rows: Array, tokens: Sequence[int], text: str) -> list[int]:
        """The same letters as the decoder would write them, as far as these rows tell: they know the old writing."""
        spelling, rather = self.spelling, list[int]()
        ends = list(accumulate(len(spelling.letters[token]) for token in tokens))
        at = 0  # letters of the text that are written
        for number, (row, token) in enumerate(zip(rows, tokens, strict=False)):
            if ends[number] - len(spelling.letters[token]) < at:
                continue
            best, mark = spelling.likeliest(row, text, at) if at < len(text) else END, spelling.likeliest_mark(row)
            if token in spelling.is_mark:
                rather += [mark] if row[mark] > row[best] else []
                continue
            follows_mark = number > 0 and tokens[number - 1] in spelling.is_mark
            if at and not follows_mark and row[mark] > row[best]:
                rather.append(mark)
            if row[best] <= row[token] or len(spelling.letters[best]) == 1 != len(spelling.letters[token]):
                best = token
            reached = at + len(spelling.letters[best])
            at = next(end for end in ends if end >= reached)
            rather += [best, *spelling.inside(text[reached:at])]
        return rather


def _odds(row: Array, wanted: Sequence[int] | Tokens, aside: Tokens) -> float:
    """The wanted together against the likeliest other one; ``aside`` are neither."""
    together = np.logaddexp.reduce(row[wanted])
    others = row.copy()
    others[wanted] = others[aside] = -np.inf
    return float(together - others.max())


def _those(tokens: Iterable[int]) -> Tokens:
    return np.array(sorted(tokens), np.intp)
