from __future__ import annotations

from datetime import UTC, datetime

import pytest

from localhost.timers import next_run

SUNDAY_NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * * *", datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC)),
        ("0 */15 * * * *", datetime(2026, 11, 22, 12, 15, 0, tzinfo=UTC)),
        ("0 0 3 * * *", datetime(2026, 11, 23, 3, 0, 0, tzinfo=UTC)),
        ("30 0 3 * * 1-5", datetime(2026, 11, 23, 3, 0, 30, tzinfo=UTC)),
        ("0 0 0 13 * 5", datetime(2027, 8, 13, 0, 0, 0, tzinfo=UTC)),  # a Friday AND the 13th, not either
    ],
)
def test_the_next_run_has_seconds_first_and_needs_every_field(schedule: str, expected: datetime) -> None:
    assert next_run(schedule, SUNDAY_NOON) == expected


@pytest.mark.parametrize("schedule", ["0 3 * * *", "", "0 0 25 * * *", "a b c d e f"])
def test_anything_but_six_good_fields_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        next_run(schedule, SUNDAY_NOON)
