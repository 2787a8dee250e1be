"""Pronunciations of English words, from the dictionary that the pocketsphinx wheel carries."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Lock


class PronouncingDictionary:
    """Looks words up in a file of lines ``word PH ON ES``. Safe to share between threads.

    The bundled file (CMU pronouncing dictionary, ARPAbet phones) has 134,860 lines: as Python strings they would take
    tens of megabytes, so its 3 MB stay as they are, are read at the first lookup, and are searched by halving: their
    words stand in the order of their bytes. (A search from the front takes 2 ms a word, 0.4 s of the first
    recognition.) Variants follow their word directly, as ``word(2)``, ``word(3)``.
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
                self._text = self._path.read_bytes().rstrip(b"\n") + b"\n"
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
    name = word.encode()
    found: list[str] = []
    at = _first_line(name, text)
    while at < len(text):
        end = text.index(b"\n", at)
        entry, phones = text[at:end].split(b" ", 1)
        if _word(entry) != name:
            break
        found.append(phones.strip().decode("ascii"))
        at = end + 1
    return tuple(found)


def _first_line(name: bytes, text: bytes) -> int:
    """Where the first line begins whose word is not before ``name``: by halving, both ends on the start of a line."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        start = max(low, text.rfind(b"\n", low, middle) + 1)
        end = text.index(b"\n", start) + 1
        if _word(text[start:end].split(b" ", 1)[0]) < name:
            low = end
        else:
            high = start
    return low


def _word(entry: bytes) -> bytes:
    """``word`` of ``word(2)``."""
    return entry.split(b"(", 1)[0]
