"""v1.0 answers identification requests with an operation to ask for later.

The work is done inside the request; only its result is stored. So an operation is never pending for long, and no
recording ever waits in storage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.errors import ModelDiffers, NobodyEnrolled, ProfileNotEnrolled
from shared.domain.measurement import note
from shared.domain.operation import EnrollmentResult, IdentificationResult, Operation, OperationFailed, operation_id
from shared.services.ports import Clock, Ids, OperationStore

Outcome = EnrollmentResult | IdentificationResult | OperationFailed


@dataclass(frozen=True)
class Operations:
    operations: OperationStore
    clock: Clock
    new_id: Ids

    def run(self, subscription_id: str, work: Callable[[], Outcome]) -> Operation:
        """Do the work and store its outcome.

        A candidate that is not (or no longer) usable fails the operation, as it did in Azure; every other refusal is
        raised to the caller at once and nothing is stored.
        """
        created_at = self.clock()
        try:
            outcome = work()
        except (ProfileNotEnrolled, NobodyEnrolled, ModelDiffers) as refusal:
            note(outcome="refused", reason=type(refusal).__name__)
            outcome = OperationFailed(f"IncompleteEnrollment: {refusal}")
        operation = Operation(
            subscription_id, operation_id(created_at, self.new_id()), created_at, self.clock(), outcome
        )
        self.operations.put(operation)
        return operation

    def get(self, subscription_id: str, operation_id: str) -> Operation:
        """Raises ``OperationNotFound``."""
        return self.operations.get(subscription_id, operation_id, self.clock())
