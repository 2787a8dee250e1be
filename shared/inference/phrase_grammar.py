"""The grammar of allowed phrases, with the words that would turn a phrase round when mistaken for its own.

What it buys: of 140 phrases with one or two words changed, 11 are accepted instead of 42. What it costs: 95 lines.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_OPPOSITES = (
    ("with", "without"), ("can", "cannot"), ("not", "now"), ("a", "no"), ("him", "her"), ("me", "him"), ("my", "your"),
)  # fmt: skip
"""Pairs that the acoustic check alone does not tell apart and that turn the sense round; each works both ways."""
_NEGATIONS = ("un", "de", "dis")
_SHORTEST_NEGATED = 4
_ALIKE_START, _ALIKE_LENGTH = 2, 5

_COMPETITOR_WEIGHT = "0.0001"
"""Prior of a competing word against 1 for the phrase's own. Measured: with 1, one true "unknown" in four was lost."""


class PronouncingDictionary:
    """Looks words up in a file of lines ``word PH ON ES``, in the order of their bytes. Safe to share between threads.

    The bundled file (CMU pronouncing dictionary, ARPAbet phones) has 134,860 lines: as Python strings they would take
    tens of megabytes, so its 3 MB stay as they are and are searched by halving. (A search from the front takes 2 ms a
    word, 0.4 s of the first recognition.) Variants follow their word directly, as ``word(2)``, ``word(3)``.
    """

    def __init__(self, path: Path) -> None:
        self._text = path.read_bytes().rstrip(b"\n") + b"\n"

    def __contains__(self, word: str) -> bool:
        return bool(self.pronunciations(word))

    def pronunciations(self, word: str) -> list[str]:
        """Every pronunciation of a lower-case word as phones parted by spaces; empty when the word is unknown."""
        name, pronunciations = word.encode(), []
        at = bisect_left(range(len(self._text)), name, key=self._word)
        while at < len(self._text) and self._word(at) == name:
            end = self._text.index(b"\n", at)
            pronunciations.append(self._text[at:end].partition(b" ")[2].strip().decode("ascii"))
            at = end + 1
        return pronunciations

    def excerpt(self, words: Iterable[str]) -> str:
        """The lines of these words with all their variants, in the dictionary's own format."""
        return "".join(
            f"{word if number == 1 else f'{word}({number})'} {phones}\n"
            for word in sorted(set(words))
            for number, phones in enumerate(self.pronunciations(word), start=1)
        )

    def _word(self, at: int) -> bytes:
        """Of the line in which this byte is; ``word`` of ``word(2)``."""
        start = self._text.rfind(b"\n", 0, at) + 1
        return self._text[start : self._text.index(b" ", start)].partition(b"(")[0]


@dataclass(frozen=True)
class PhraseGrammar:
    """A JSGF grammar in which every path is a phrase with any of its words replaced by a competitor, and the
    pronunciations of all its words in the dictionary's format."""

    jsgf: str = field(repr=False)
    pronunciations: str = field(repr=False)

    @classmethod
    def of(cls, phrases: Sequence[str], dictionary: PronouncingDictionary) -> PhraseGrammar:
        """Phrases are normalised and every word of theirs is in the dictionary."""
        vocabulary = sorted({word for phrase in phrases for word in phrase.split()})
        phones = {word: dictionary.pronunciations(word)[0].split() for word in vocabulary}
        rivals = {word: competitors(word, phones, dictionary) for word in vocabulary}
        alternatives = [" ".join(_slot(word, rivals[word]) for word in phrase.split()) for phrase in phrases]
        return cls(
            jsgf=f"#JSGF V1.0;\ngrammar passphrases;\npublic <passphrase> = {' | '.join(alternatives)};\n",
            pronunciations=dictionary.excerpt(set(vocabulary).union(*rivals.values())),
        )


def competitors(word: str, phones: Mapping[str, Sequence[str]], dictionary: PronouncingDictionary) -> list[str]:
    """Words to offer beside ``word``: its opposites, its negation or root, words of the phrases that begin alike;
    ``phones`` has all words of the phrases."""
    rivals = {b if a == word else a for a, b in _OPPOSITES if word in (a, b)}
    rivals |= {word.removeprefix(prefix) for prefix in _NEGATIONS if len(word) >= len(prefix) + _SHORTEST_NEGATED}
    if len(word) >= _SHORTEST_NEGATED:
        rivals |= {prefix + word for prefix in _NEGATIONS}
    rivals |= {other for other in phones if _alike(word, other, phones)}
    return sorted(rival for rival in rivals if rival != word and rival in dictionary)


def _alike(word: str, other: str, phones: Mapping[str, Sequence[str]]) -> bool:
    """Long words with the same first phones, such as "passport" and "password", but no inflections of each other."""
    if word.startswith(other) or other.startswith(word):
        return False
    a, b = phones[word], phones[other]
    return min(len(a), len(b)) >= _ALIKE_LENGTH and a[:_ALIKE_START] == b[:_ALIKE_START]


def _slot(word: str, rivals: Sequence[str]) -> str:
    if not rivals:
        return word
    return f"( /1.0/ {word} | {' | '.join(f'/{_COMPETITOR_WEIGHT}/ {rival}' for rival in rivals)} )"
