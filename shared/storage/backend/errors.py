"""The one place where errors of the Azure SDK become ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError
from azure.data.tables import TableTransactionError

from shared.domain.errors import StorageUnavailable
from shared.domain.measurement import stage
from shared.storage.backend.ports import Change, Insert, RowChanged, RowConflict, RowExists, RowMissing

logger: Final = logging.getLogger(__name__)

_CONFLICTS: Final[dict[str, type[RowConflict]]] = {
    "EntityAlreadyExists": RowExists,
    "UpdateConditionNotSatisfied": RowChanged,
    "ConditionNotMet": RowChanged,
    "ResourceNotFound": RowMissing,
    "EntityNotFound": RowMissing,
}


@contextmanager
def azure_errors() -> Iterator[None]:
    """Whatever the SDK raises leaves as ``StorageUnavailable``; the log keeps the code, never the text.

    The SDK's messages repeat URLs and, for tables, values; so they are neither logged nor chained where a
    handler could print them.
    """
    try:
        with stage("store"):
            yield
    except AzureError as error:
        raise _unavailable(error) from None
    except AttributeError as error:
        # create_entity of azure-data-tables 12.7 looks into the answer behind every error; no token has none.
        if not isinstance(error.__context__, AzureError):
            raise
        raise _unavailable(error.__context__) from None


@contextmanager
def transaction_errors(changes: Sequence[Change]) -> Iterator[None]:
    """As ``azure_errors``, and a failed condition becomes the ``RowConflict`` of the change at fault."""
    try:
        with stage("store"):
            yield
    except TableTransactionError as error:
        conflict = _CONFLICTS.get(_code(error))
        if conflict is None:
            raise _unavailable(error) from None
        raise conflict(changes[_position(error, changes)].key) from None
    except AzureError as error:
        raise _unavailable(error) from None


def is_container_missing(error: AzureError) -> bool:
    """Whether a 404 is about the whole table or container: somebody dropped it, and nothing in it is merely absent."""
    return _code(error) in ("TableNotFound", "ContainerNotFound", "ContainerBeingDeleted", "TableBeingDeleted")


def _position(error: TableTransactionError, changes: Sequence[Change]) -> int:
    """Which change failed. A lone duplicate insert is reported without an index, as is any lone change."""
    index = int(error.index)
    if 0 < index < len(changes):
        return index
    if _CONFLICTS[_code(error)] is RowExists and not isinstance(changes[0], Insert):
        return next((at for at, change in enumerate(changes) if isinstance(change, Insert)), 0)
    return 0


def _unavailable(error: AzureError) -> StorageUnavailable:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    logger.warning("storage_failed error=%s status=%s code=%s", type(error).__name__, status, _code(error))
    return StorageUnavailable()


def _code(error: AzureError) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")
