"""Operations are kept for a day; their ids say until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from shared.domain.operation import Operation, OperationFailed, expiry, operation_id

MADE = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)


def test_an_operation_expires_a_day_after_it_was_made_to_the_millisecond() -> None:
    made = operation_id(MADE, str(uuid4()))
    operation = Operation("subscription", made, MADE, MADE + timedelta(seconds=3), OperationFailed("SpeakerInvalid"))
    assert operation.expires_at == datetime(2026, 1, 3, 3, 4, 5, 678_000, tzinfo=UTC)


def test_an_id_is_a_uuid_of_version_7_and_as_random_as_it_was() -> None:
    random = uuid4()
    made = UUID(operation_id(MADE, str(random)))
    assert (made.version, made.variant) == (7, random.variant)
    assert made.int & (1 << 76) - 1 == random.int & (1 << 76) - 1
    assert made.int >> 80 == 1_767_323_045_678


@pytest.mark.parametrize(
    "other", ["", "nothing", "e4802a0d-64b7-4495-8c13-07c000b373f0", "ffffffff-ffff-7fff-bfff-ffffffffffff"]
)
def test_what_is_no_id_of_an_operation_has_no_end(other: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        expiry(other)
