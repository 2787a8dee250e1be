"""One page of a list that is read in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """``after`` is where the next page starts, behind the last item; ``None`` at the end of the list."""

    items: Sequence[T]
    after: str | None = None

    @classmethod
    def cut(cls, read: Sequence[T], limit: int, place: Callable[[T], str]) -> Page[T]:
        """``read`` holds one more than ``limit`` where the list goes on; ``place`` is an item's own."""
        items = read[:limit]
        return cls(items, place(items[-1]) if len(read) > limit else None)
