"""Operations as rows, each with the row that lets the timer expire it."""

from __future__ import annotations

from datetime import datetime

from shared.domain.errors import OperationNotFound
from shared.domain.operation import Operation
from shared.storage.due import operation_due
from shared.storage.layout import operation_row
from shared.storage.ports import Insert, RowExists, Rows
from shared.storage.records import operation_of, operation_values


class RowOperationStore:
    """``voices`` is the table of voice data."""

    def __init__(self, voices: Rows) -> None:
        self._voices = voices

    def put(self, operation: Operation) -> None:
        """Write a result once. Its id is new, so a row that is there already is this very write, come twice."""
        insert = Insert(operation_row(operation.operation_id), operation_values(operation))
        try:
            self._voices.apply(operation.subscription_id, [insert, operation_due(operation)])
        except RowExists:
            return

    def get(self, subscription_id: str, operation_id: str, at: datetime) -> Operation:
        """``OperationNotFound`` when absent, another subscription's, or expired at that moment."""
        row = self._voices.get(subscription_id, operation_row(operation_id))
        if row is None:
            raise OperationNotFound(operation_id)
        operation = operation_of(row)
        if operation.expires_at <= at:
            raise OperationNotFound(operation_id)
        return operation
