"""What is kept in memory, for how long, and what a change takes out of it."""

from __future__ import annotations

from collections.abc import Callable

from shared.storage.backend.cache import TimedCache


class Source:
    """Gives a new value at each read; something may happen meanwhile."""

    def __init__(self, most: int = 10) -> None:
        self.now, self.reads = 0.0, 0
        self.cache = TimedCache[str, str](30.0, most, lambda: self.now)
        self.meanwhile: Callable[[], None] = lambda: None

    def load(self, key: str) -> str:
        def read() -> str:
            self.reads += 1
            value = f"{key} {self.reads}"
            self.meanwhile()
            return value

        return self.cache.load(key, read, lambda value: value.upper())


def test_a_value_is_read_again_after_its_time() -> None:
    source = Source()
    assert source.load("a") == source.load("a") == source.cache.get("A 1") == "a 1"
    source.now = 29.99
    assert source.load("a") == "a 1"
    source.now = 30.0
    assert source.cache.get("a") is None
    assert source.load("a") == "a 2"


def test_the_value_unused_for_longest_goes_first() -> None:
    source = Source(most=4)
    for key in ("a", "b", "a", "c"):
        source.load(key)
    assert [source.cache.get(key) for key in ("a", "b", "c", "C 3")] == ["a 1", None, "c 3", "c 3"]


def test_what_was_read_before_a_forget_does_not_outlive_it() -> None:
    source = Source()
    source.load("b")
    source.meanwhile = lambda: source.cache.forget("a")
    assert source.load("a") == "a 2", "whoever asked before is answered"
    assert (source.cache.get("a"), source.cache.get("b")) == (None, "b 1")
    source.cache.forget()
    assert source.cache.get("b") is None
