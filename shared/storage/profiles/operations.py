"""Operations as rows. A result stands in the very row that lets the timer expire it: the id says when that is."""

from __future__ import annotations

from datetime import datetime

from shared.domain.errors import OperationNotFound
from shared.domain.operation import Operation, expiry
from shared.storage.backend.ports import Insert, RowExists, Rows
from shared.storage.layout import operation_row
from shared.storage.profiles.records import operation_of, operation_values


class RowOperationStore:
    """``voices`` is the table of voice data."""

    def __init__(self, voices: Rows) -> None:
        self._voices = voices

    def put(self, operation: Operation) -> None:
        """Write a result once. Its id is new, so a row that is there already is this very write, come twice."""
        key = operation_row(operation.expires_at, operation.operation_id)
        try:
            self._voices.apply(operation.subscription_id, [Insert(key, operation_values(operation))])
        except RowExists:
            return

    def get(self, subscription_id: str, operation_id: str, at: datetime) -> Operation:
        """``OperationNotFound`` when absent, another subscription's, or expired at that moment."""
        try:
            expires_at = expiry(operation_id)
        except ValueError:
            raise OperationNotFound(operation_id) from None
        row = self._voices.get(subscription_id, operation_row(expires_at, operation_id)) if at < expires_at else None
        if row is None:
            raise OperationNotFound(operation_id)
        return operation_of(row)
