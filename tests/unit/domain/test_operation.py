"""Operations are kept for a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.operation import Operation, OperationFailed


def test_an_operation_expires_a_day_after_it_was_made() -> None:
    made = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    operation = Operation("subscription", "id", made, made + timedelta(seconds=3), OperationFailed("SpeakerInvalid"))
    assert operation.expires_at == datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC)
