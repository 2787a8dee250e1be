"""Everything that the service keeps, read behind its back through Azure's own SDK."""

from __future__ import annotations

from contextlib import suppress

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.storage import layout

TABLES = (layout.VOICES, layout.SUBSCRIPTIONS, layout.KEYS)


def everything(connection_string: str) -> dict[str, str]:
    """Each row and blob by name with its ETag: equal at two moments only if nothing was written in between.

    But for how far migration has come: its timer may fire in between, and notes that it has been by.
    """
    found: dict[str, str] = {}
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for name in TABLES:
            with suppress(ResourceNotFoundError):  # made by the first write
                for row in tables.get_table_client(name).list_entities():
                    if row["RowKey"] == layout.MIGRATION:
                        continue
                    found[f"{name}/{row['PartitionKey']}/{row['RowKey']}"] = str(row.metadata["etag"])
    with BlobServiceClient.from_connection_string(connection_string) as blobs, suppress(ResourceNotFoundError):
        for blob in blobs.get_container_client(layout.ENROLLMENT_AUDIO).list_blobs():
            found[f"{layout.ENROLLMENT_AUDIO}/{blob.name}"] = str(blob.etag)
    return found
