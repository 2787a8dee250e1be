"""What the service keeps, read behind its back through Azure's own SDK."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableEntity, TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.storage import layout
from shared.storage.subscription_records import COUNTING, COUNTS


@dataclass(frozen=True)
class Stored:
    connection_string: str = field(repr=False)

    def everything(self) -> dict[str, str]:
        """Each row and blob by name with its ETag: equal at two moments only if nothing was written in between.

        Left out is what timers may write at any time: how far migration has come, the trail, also on its way there,
        what is looked for once more, and a subscription's counts.
        """
        return self._rows(dict.fromkeys((layout.VOICES, layout.SUBSCRIPTIONS, layout.KEYS), "")) | self._blobs("")

    def of_subscription(self, subscription_id: str) -> dict[str, str]:
        """The same for one subscription, without its keys, whose rows have no name of it."""
        own = " or ".join(f"RowKey eq '{kind}:{subscription_id}'" for kind in ("subscription", "datakey"))
        tables = {layout.VOICES: f"PartitionKey eq '{subscription_id}'", layout.SUBSCRIPTIONS: own}
        return self._rows(tables) | self._blobs(f"{subscription_id}/")

    def _rows(self, queries: dict[str, str]) -> dict[str, str]:
        rows: dict[str, str] = {}
        with TableServiceClient.from_connection_string(self.connection_string) as tables:
            for table, query in queries.items():
                with suppress(ResourceNotFoundError):  # made by the first write
                    for row in tables.get_table_client(table).query_entities(query):
                        if not _is_timers(row["RowKey"]):
                            rows[f"{table}/{row['PartitionKey']}/{row['RowKey']}"] = _mark(row)
        return rows

    def _blobs(self, prefix: str) -> dict[str, str]:
        container = layout.ENROLLMENT_AUDIO
        with suppress(ResourceNotFoundError), BlobServiceClient.from_connection_string(self.connection_string) as blobs:
            listed = blobs.get_container_client(container).list_blobs(prefix)
            return {f"{container}/{blob.name}": str(blob.etag) for blob in listed}
        return {}


def _is_timers(key: str) -> bool:
    return key.startswith((layout.MIGRATION, layout.RECORD_PREFIX)) or f":{layout.TURNS_TIDY}:" in key


def _mark(row: TableEntity) -> str:
    """Its ETag, or of a subscription the cells that no timer writes."""
    if not row["RowKey"].startswith(layout.SUBSCRIPTION_PREFIX):
        return str(row.metadata["etag"])
    return repr(sorted((name, cell) for name, cell in row.items() if not name.startswith((COUNTS, COUNTING))))
