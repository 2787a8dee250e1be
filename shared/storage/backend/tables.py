"""Rows in Azure Tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, Final, TypeAlias

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import EdmType, EntityProperty, TableClient, TableEntity, TableServiceClient, UpdateMode

from shared.storage.backend.account import StorageAccount
from shared.storage.backend.errors import azure_errors, is_container_missing
from shared.storage.backend.ports import Change, Insert, Merge, Remove, Replace, Row, Value
from shared.storage.backend.rules import check_changes, check_key

PAGE_ROWS: Final = 1000
"""Azure's own largest page."""

_Operation: TypeAlias = tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], dict[str, Any]]


class TableRows:
    """One table of a storage account. Created at the first use in this process if absent, and never dropped:
    Azure refuses a dropped table's name for about 40 seconds. One that is not ``created`` is read as empty where it
    is absent.
    """

    def __init__(self, account: StorageAccount, table: str, *, created: bool = True) -> None:
        self._account, self._name, self._created = account, table, created

    def get(self, partition: str, key: str) -> Row | None:
        check_key(partition)
        check_key(key)
        with azure_errors():
            try:
                return _row(self._table.get_entity(partition, key))
            except ResourceNotFoundError as error:
                if is_container_missing(error):
                    raise
                return None

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        for key in (partition, start, end):
            check_key(key)
        if limit is not None and limit <= 0:
            return iter(())
        return self._rows(partition, start, end, limit, select)

    def apply(self, partition: str, changes: Sequence[Change]) -> None:
        check_changes(partition, changes)
        if not changes:
            return
        operations = [_operation(partition, change) for change in changes]
        with azure_errors():
            table = self._table
        with azure_errors(changes):
            # Neither a lone insert (audit records, results of v1.0) nor a lone unconditional merge (the use of a
            # profile, at every verify and identify) needs a transaction, whose multipart body costs the SDK three times
            # the work: 7 ms of processor time against 2.5. The SDK may send them again: the insert is then
            # ``RowExists``, as a transaction would be; a merge does the same twice.
            match changes:
                case [Merge(etag=None)]:
                    table.update_entity(operations[0][1], mode=UpdateMode.MERGE)
                case [Insert()]:
                    table.create_entity(operations[0][1])
                case _:
                    table.submit_transaction(operations)

    def _rows(
        self, partition: str, start: str, end: str, limit: int | None, select: Sequence[str] | None
    ) -> Iterator[Row]:
        with azure_errors():
            entities = self._table.query_entities(
                "PartitionKey eq @partition and RowKey ge @start and RowKey lt @end",
                parameters={"partition": partition, "start": start, "end": end},
                select=None if select is None else ["PartitionKey", "RowKey", *select],
                results_per_page=min(limit or PAGE_ROWS, PAGE_ROWS),
            )
            following = partial(next, iter(entities), None)
        returned = 0
        while limit is None or returned < limit:
            # Only the SDK's part stands inside: an error of whoever consumes the rows is not storage's.
            with azure_errors():
                entity = self._next(following)
            if entity is None:
                return
            returned += 1
            yield _row(entity)

    def _next(self, following: Callable[[], TableEntity | None]) -> TableEntity | None:
        try:
            return following()
        except ResourceNotFoundError as error:
            if self._created or not is_container_missing(error):
                raise
            return None

    @cached_property
    def _table(self) -> TableClient:
        service = _service(self._account)
        table = service.create_table_if_not_exists if self._created else service.get_table_client
        return table(self._name)


def _service(account: StorageAccount) -> TableServiceClient:
    options = account.client_options | {"transport": account.transport}
    if account.connection_string:
        return TableServiceClient.from_connection_string(account.connection_string, **options)
    return TableServiceClient(account.table_uri, credential=account.credential, **options)


def _operation(partition: str, change: Change) -> _Operation:
    keys = {"PartitionKey": partition, "RowKey": change.key}
    match change:
        case Insert():
            return "create", keys | _properties(change.values)
        case Replace():
            return "update", keys | _properties(change.values), {"mode": UpdateMode.REPLACE} | _condition(change.etag)
        case Merge():
            return "update", keys | _properties(change.values), {"mode": UpdateMode.MERGE} | _condition(change.etag)
        case Remove():
            return "delete", keys, _condition(change.etag)


def _condition(etag: str | None) -> dict[str, Any]:
    return {} if etag is None else {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _properties(values: Mapping[str, Value]) -> dict[str, Any]:
    """Every int travels as Int64, so that an untyped JSON number can only be a double that lost its point."""
    return {
        name: EntityProperty(value, EdmType.INT64)
        if isinstance(value, int) and not isinstance(value, bool)
        else value.astimezone(UTC)
        if isinstance(value, datetime)
        else value
        for name, value in values.items()
    }


def _row(entity: TableEntity) -> Row:
    values = {name: _value(value) for name, value in entity.items() if name not in ("PartitionKey", "RowKey")}
    return Row(entity["PartitionKey"], entity["RowKey"], values, entity.metadata["etag"] or "")


def _value(stored: Any) -> Value:
    """The SDK's value as the plain type that was put in."""
    if isinstance(stored, EntityProperty):
        return int(stored.value)
    if isinstance(stored, datetime):
        return datetime.fromtimestamp(0, UTC) + (stored - datetime.fromtimestamp(0, UTC))
    if isinstance(stored, int) and not isinstance(stored, bool):
        return float(stored)
    return stored  # type: ignore[no-any-return]
