"""A change that lost a race is made again, after a rest, and not for ever."""

from __future__ import annotations

import pytest

from shared.domain.errors import SubscriptionBusy
from shared.storage.backend.compare_and_swap import MAX_ATTEMPTS, compare_and_swap
from shared.storage.backend.ports import RowChanged, RowConflict


@pytest.mark.parametrize("lost", [0, 1, MAX_ATTEMPTS - 1, MAX_ATTEMPTS])
@pytest.mark.parametrize("busy", [None, SubscriptionBusy("mine")])
def test_each_lost_race_is_a_rest_and_the_last_attempts_error_counts(
    lost: int, busy: SubscriptionBusy | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests, attempts = list[int](), list[int]()
    monkeypatch.setattr("shared.storage.backend.compare_and_swap.rest", rests.append)

    def attempt() -> str:
        attempts.append(1)
        if len(attempts) <= lost:
            raise RowChanged("a row")
        return "made"

    if lost < MAX_ATTEMPTS:
        assert compare_and_swap(attempt, busy) == "made"
    else:
        with pytest.raises(SubscriptionBusy if busy else RowConflict):
            compare_and_swap(attempt, busy)
    assert len(attempts) == min(lost + 1, MAX_ATTEMPTS)
    assert rests == list(range(1, len(attempts)))
