"""Pronunciations of English words, from the dictionary that the pocketsphinx wheel carries."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Lock


class PronouncingDictionary:
    """Looks words up in a file of lines ``word PH ON ES``. Safe to share between threads.

    The bundled file (CMU pronouncing dictionary, ARPAbet phones) has 134,860 lines: as Python strings they would take
    tens of megabytes, so its 3 MB stay as they are, are read at the first lookup, and are searched for each new word
    (under a millisecond or two). Variants follow their word directly, as ``word(2)``, ``word(3)``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = b""
        self._found: dict[str, tuple[str, ...]] = {}
        self._lock = Lock()

    def __contains__(self, word: str) -> bool:
        return bool(self.pronunciations(word))

    def pronunciations(self, word: str) -> tuple[str, ...]:
        """Every pronunciation of a lower-case word as phones parted by spaces; empty when the word is unknown."""
        with self._lock:
            if not self._text:
                self._text = b"\n" + self._path.read_bytes() + b"\n"
            if word in self._found:
                return self._found[word]
            found = _lines_of(word, self._text)
            if found:  # unknown words are not remembered: they come from outside and have no bound
                self._found[word] = found
            return found

    def excerpt(self, words: Iterable[str]) -> str:
        """The lines of these words with all their variants, in the dictionary's own format."""
        return "".join(
            f"{word if number == 1 else f'{word}({number})'} {phones}\n"
            for word in sorted(set(words))
            for number, phones in enumerate(self.pronunciations(word), start=1)
        )


def _lines_of(word: str, text: bytes) -> tuple[str, ...]:
    if not word or any(character.isspace() for character in word):
        return ()
    found: list[str] = []
    name = word.encode()
    at = text.find(b"\n" + name + b" ")
    while at >= 0:
        end = text.index(b"\n", at + 1)
        found.append(text[at + 1 : end].split(b" ", 1)[1].strip().decode("ascii"))
        variant = b"\n" + name + b"(%d) " % (len(found) + 1)
        at = end if text.startswith(variant, end) else -1
    return tuple(found)
