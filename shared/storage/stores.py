"""The one place that wires storage: tables and containers by name, and every store over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TypeAlias

from shared.domain.subscription import RetentionPolicy
from shared.services.ports.clock_and_ids import Clock, Ids, ServiceClock
from shared.storage.audit import RowAuditTrail
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.blobs import AzureBlobs
from shared.storage.backend.memory import MemoryBlobs, MemoryClock, MemoryRows
from shared.storage.backend.ports import Blobs, Rows
from shared.storage.backend.tables import TableRows
from shared.storage.gallery.compaction import FEWEST, RowCompaction
from shared.storage.gallery.galleries import RowGalleries
from shared.storage.gallery.loading import GalleryLoader
from shared.storage.gallery.packs import Packs
from shared.storage.gallery.speakers import SpeakerReader
from shared.storage.layout import (
    AUDIT,
    ENROLLMENT_AUDIO,
    GALLERIES,
    KEYS,
    LONG_RECORDINGS,
    SUBSCRIPTIONS,
    VOICES,
)
from shared.storage.leftovers import INSTANCES, Leftovers
from shared.storage.profiles.challenges import RowChallenges
from shared.storage.profiles.groups import RowGroups
from shared.storage.profiles.long_operations import RowLongOperations
from shared.storage.profiles.migration import RowMigrationStore
from shared.storage.profiles.operations import RowOperationStore
from shared.storage.profiles.prints import RowPrints
from shared.storage.profiles.store import RowProfileStore
from shared.storage.profiles.sweep import RowUpkeep
from shared.storage.profiles.tokens import RowSpentTokens
from shared.storage.purge import SubscriptionPurge
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.envelope import Envelope
from shared.storage.sealing.key_encryption import KeyEncryption
from shared.storage.subscriptions import RowSubscriptionStore

OpenRows: TypeAlias = Callable[[str], Rows]
"""Opens the table of that name."""

OpenBlobs: TypeAlias = Callable[[str], Blobs]
"""Opens the container of that name."""

GALLERY_BYTES = 512_000_000


class Storage:
    """The tables and containers of one storage account, each opened once."""

    def __init__(self, rows: OpenRows, blobs: OpenBlobs, clock: ServiceClock | None = None) -> None:
        self.rows, self.blobs = cache(rows), cache(blobs)
        self.clock = clock or MemoryClock()
        self.voices, self.audit = self.rows(VOICES), self.rows(AUDIT)
        self.subscriptions, self.keys = self.rows(SUBSCRIPTIONS), self.rows(KEYS)
        self.audio, self.packs = self.blobs(ENROLLMENT_AUDIO), self.blobs(GALLERIES)
        self.turns = self.blobs(LONG_RECORDINGS)
        self.instances = self.rows(INSTANCES)
        """Of earlier versions: see ``leftovers.py``."""

    @classmethod
    def in_azure(cls, account: StorageAccount, prefix: str = "") -> Storage:
        """``prefix`` stands before the name of each table and container."""

        def rows(name: str) -> Rows:
            return TableRows(account, prefix + name, created=name != INSTANCES)

        return cls(rows, lambda name: AzureBlobs(account, prefix + name), account.clock)

    @classmethod
    def in_memory(cls) -> Storage:
        return cls(lambda _: MemoryRows(), lambda _: MemoryBlobs())


@dataclass(frozen=True)
class Stores:
    """What one instance of the service keeps, and what the tools read and write."""

    storage: Storage
    data_keys: DataKeys
    envelope: Envelope
    subscriptions: RowSubscriptionStore
    profiles: RowProfileStore
    operations: RowOperationStore
    long_operations: RowLongOperations
    challenges: RowChallenges
    prints: RowPrints
    spent_tokens: RowSpentTokens
    groups: RowGroups
    galleries: RowGalleries
    compaction: RowCompaction
    migrations: RowMigrationStore
    upkeep: RowUpkeep
    eraser: SubscriptionPurge
    trail: RowAuditTrail
    leftovers: Leftovers

    @classmethod
    def over(
        cls,
        rows: OpenRows,
        blobs: OpenBlobs,
        key_encryption: KeyEncryption,
        clock: Clock,
        ids: Ids,
        *,
        gallery_bytes: int = GALLERY_BYTES,
        pack_from: int = FEWEST,
    ) -> Stores:
        """``gallery_bytes`` bounds the galleries in memory. Opens nothing but the names: adapters are lazy."""
        storage = Storage(rows, blobs)
        voices, audio = storage.voices, storage.audio
        data_keys = DataKeys(storage.subscriptions, key_encryption)
        envelope = Envelope(data_keys)
        subscriptions = RowSubscriptionStore(storage.subscriptions, storage.keys, data_keys, clock)
        trail = RowAuditTrail(storage.audit, voices, storage.subscriptions)
        policies = subscriptions.retention
        profiles = RowProfileStore(voices, audio, envelope, ids, policies, clock)

        def current_policy(subscription_id: str) -> RetentionPolicy:
            """As stored now: the timer erases by it."""
            return subscriptions.get(subscription_id).settings.retention

        def prints_kept(subscription_id: str) -> timedelta | None:
            """Likewise."""
            return subscriptions.get(subscription_id).settings.prints_kept

        packs = Packs(voices, storage.packs, envelope, ids)
        loader = GalleryLoader(voices, packs, SpeakerReader(voices, envelope))
        long_operations = RowLongOperations(voices, storage.turns, envelope, ids)
        leftovers = Leftovers(storage.instances, voices, storage.packs)
        return cls(
            storage=storage,
            data_keys=data_keys,
            envelope=envelope,
            subscriptions=subscriptions,
            profiles=profiles,
            operations=RowOperationStore(voices),
            long_operations=long_operations,
            challenges=RowChallenges(voices, envelope),
            prints=RowPrints(voices, envelope, ids),
            spent_tokens=RowSpentTokens(voices),
            groups=RowGroups(voices, profiles),
            galleries=RowGalleries(voices, loader, policies, clock, gallery_bytes),
            compaction=RowCompaction(voices, packs, loader, leftovers, pack_from),
            migrations=RowMigrationStore(voices, audio, envelope, policies, clock),
            upkeep=RowUpkeep(voices, audio, current_policy, ids, prints_kept, long_operations),
            eraser=SubscriptionPurge(voices, [audio, storage.packs, storage.turns], trail, subscriptions),
            trail=trail,
            leftovers=leftovers,
        )
