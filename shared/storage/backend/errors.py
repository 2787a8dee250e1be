"""The one place where errors of the Azure SDK become ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from requests import RequestException

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
def azure_errors(changes: Sequence[Change] = ()) -> Iterator[None]:
    """A failed condition leaves as the ``RowConflict`` of the change at fault, whatever else the SDK raises as
    ``StorageUnavailable``; the log keeps the code, never the text.

    The SDK's messages repeat URLs and, for tables, values; so they are neither logged nor chained where a
    handler could print them.
    """
    try:
        with stage("store"):
            yield
    except AzureError as error:
        raise (_conflict(error, changes) if changes else None) or _unavailable(error) from None
    except (RequestException, ValueError) as error:
        # An answer that was cut: the SDK reads the body of a transaction late, and values of headers without a check.
        raise _unavailable(error) from None
    except AttributeError as error:
        # create_entity of azure-data-tables 12.7 looks into the answer behind every error; no token has none.
        if not isinstance(error.__context__, AzureError):
            raise
        raise _unavailable(error.__context__) from None


def is_container_missing(error: AzureError) -> bool:
    """Whether a 404 is about the whole table or container: somebody dropped it, and nothing in it is merely absent."""
    return _code(error) in ("TableNotFound", "ContainerNotFound", "ContainerBeingDeleted", "TableBeingDeleted")


def _conflict(error: AzureError, changes: Sequence[Change]) -> RowConflict | None:
    """Which change failed and why. A lone duplicate insert is reported without an index, as is any lone change, and
    create_entity of azure-data-tables 12.7 reports it without a code."""
    conflict = RowExists if isinstance(error, ResourceExistsError) else _CONFLICTS.get(_code(error))
    index = int(getattr(error, "index", 0))
    if conflict is None:
        return None
    if not 0 < index < len(changes):
        inserts = (at for at, change in enumerate(changes) if isinstance(change, Insert))
        index = next(inserts, 0) if conflict is RowExists else 0
    return conflict(changes[index].key)


def _unavailable(error: Exception) -> StorageUnavailable:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    logger.warning("storage_failed error=%s status=%s code=%s", type(error).__name__, status, _code(error))
    return StorageUnavailable()


def _code(error: Exception) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")
