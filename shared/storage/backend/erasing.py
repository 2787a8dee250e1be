"""Takes rows away, while other instances may be taking away the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.storage.backend.ports import MAX_CHANGES, Remove, Row, RowMissing, Rows


def remove_silently(rows: Rows, partition: str, *keys: str) -> None:
    """These, at most ``MAX_CHANGES``, as far as they are there: at once, or one by one where some are gone already."""
    try:
        rows.apply(partition, [Remove(key) for key in keys])
    except RowMissing:
        if len(keys) > 1:
            for key in keys:
                remove_silently(rows, partition, key)


def remove_range(
    rows: Rows,
    partition: str,
    start: str,
    end: str,
    limit: int | None = None,
    also: Callable[[Row], Sequence[str]] | None = None,
    select: Sequence[str] = (),
) -> int:
    """The first ``limit`` rows of the range, or all of them; returns how many.

    Each goes in one transaction with the row that ``also`` names, if any, which gets the ``select`` ed values.
    """
    removed, batch = 0, MAX_CHANGES // 2 if also else MAX_CHANGES
    while limit is None or removed < limit:
        size = batch if limit is None else min(batch, limit - removed)
        found = list(rows.query(partition, start, end, limit=size, select=select))
        others = [key for row in found for key in also(row)] if also else []
        remove_silently(rows, partition, *(row.key for row in found), *others)
        removed += len(found)
        if len(found) < size:
            break
    return removed
