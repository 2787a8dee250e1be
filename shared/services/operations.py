"""v1.0 answers identification requests with an operation to ask for later.

The work is done inside the request; only its result is stored. So an operation is never pending, and no recording ever
waits in storage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.operation import EnrollmentResult, IdentificationResult, Operation, OperationFailed, operation_id
from shared.services.ports.clock_and_ids import Clock, Ids
from shared.services.ports.keeping import OperationStore


@dataclass(frozen=True)
class Operations:
    store: OperationStore
    clock: Clock
    new_id: Ids

    def record(
        self,
        subscription_id: str,
        created_at: datetime,
        outcome: EnrollmentResult | IdentificationResult | OperationFailed,
    ) -> Operation:
        """Store what became of the work that began at ``created_at``."""
        new_id = operation_id(created_at, self.new_id())
        operation = Operation(subscription_id, new_id, created_at, self.clock(), outcome)
        self.store.put(operation)
        return operation

    def get(self, subscription_id: str, operation_id: str) -> Operation:
        """Raises ``OperationNotFound``."""
        return self.store.get(subscription_id, operation_id, self.clock())
