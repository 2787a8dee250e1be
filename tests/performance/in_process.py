"""The service's use cases in this process, on real storage whose every call is timed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from shared.bootstrap import LOCAL_SUBSCRIPTION, Services, assemble
from shared.config import Config
from shared.domain.limits import V1_SHORT_AUDIO, V1_VERIFICATION
from shared.domain.operation import IdentificationResult
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.domain.subscription import Subscription, SubscriptionSettings
from shared.services.identify import Identification
from shared.storage.audit import RowAuditTrail
from shared.storage.blobs import AzureBlobs
from shared.storage.data_keys import DataKeys
from shared.storage.envelope import Envelope
from shared.storage.key_encryption import LocalKeyEncryption
from shared.storage.layout import AUDIT, ENROLLMENT_AUDIO, KEYS, SUBSCRIPTIONS, VOICES
from shared.storage.operations import RowOperationStore
from shared.storage.ports import Blobs, Change, Row, Rows
from shared.storage.profiles import RowProfileStore
from shared.storage.subscriptions import RowSubscriptionStore
from shared.storage.tables import TableRows
from shared.storage.upkeep import RowUpkeep


@dataclass(frozen=True)
class StorageCall:
    what: str
    started: float
    ended: float


@dataclass
class Ledger:
    """Storage calls in the order they ended, from any thread."""

    calls: list[StorageCall] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def entry(self, what: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.calls.append(StorageCall(what, started, time.perf_counter()))

    def taken(self) -> list[StorageCall]:
        """The calls since the last time this was asked."""
        with self._lock:
            calls, self.calls = self.calls, []
        return calls


class TimedRows:
    """Implements ``Rows`` over another one."""

    def __init__(self, rows: Rows, ledger: Ledger) -> None:
        self._rows, self._ledger = rows, ledger

    def get(self, partition: str, key: str) -> Row | None:
        with self._ledger.entry(f"read {_kind(key)}"):
            return self._rows.get(partition, key)

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        with self._ledger.entry(f"range of {_kind(start)}"):
            return iter(list(self._rows.query(partition, start, end, limit=limit, select=select)))

    def apply(self, partition: str, changes: Sequence[Change]) -> None:
        with self._ledger.entry(f"write {'+'.join(_kind(change.key) for change in changes)}"):
            self._rows.apply(partition, changes)


class TimedBlobs:
    """Implements ``Blobs`` over another one."""

    def __init__(self, blobs: Blobs, ledger: Ledger) -> None:
        self._blobs, self._ledger = blobs, ledger

    def put(self, name: str, content: bytes) -> None:
        with self._ledger.entry("write blob"):
            self._blobs.put(name, content)

    def get(self, name: str) -> bytes | None:
        with self._ledger.entry("read blob"):
            return self._blobs.get(name)

    def names(self, prefix: str) -> Iterator[str]:
        with self._ledger.entry("list blobs"):
            return iter(list(self._blobs.names(prefix)))

    def delete(self, name: str) -> None:
        with self._ledger.entry("delete blob"):
            self._blobs.delete(name)


@dataclass(frozen=True)
class InProcess:
    """``verify`` and ``identify`` do what the functions do between reading the request and writing the answer."""

    services: Services
    ledger: Ledger
    profiles: RowProfileStore

    def verify(self, profile_id: str, wav: bytes) -> None:
        key = ProfileKey(LOCAL_SUBSCRIPTION, ProfileKind.TEXT_DEPENDENT_VERIFICATION, profile_id)
        self.services.verify_phrase(SubscriptionSettings(), key, Audio(wav, "audio/wav"), V1_VERIFICATION)

    def identify(self, profile_ids: Sequence[str], wav: bytes) -> None:
        def work() -> IdentificationResult:
            audio = Audio(wav, "audio/wav")
            return _result(self.services.identify(Subscription(LOCAL_SUBSCRIPTION), profile_ids, audio, V1_SHORT_AUDIO))

        self.services.operations.run(LOCAL_SUBSCRIPTION, work)


def in_process(config: Config) -> InProcess:
    """As ``shared.bootstrap.build``, with the timed storage in between; the subscription must exist already."""
    ledger = Ledger()
    voices = TimedRows(TableRows(config.storage, VOICES), ledger)
    audio = TimedBlobs(AzureBlobs(config.storage, ENROLLMENT_AUDIO), ledger)
    subscription_rows = TimedRows(TableRows(config.storage, SUBSCRIPTIONS), ledger)
    keys = TimedRows(TableRows(config.storage, KEYS), ledger)
    data_keys = DataKeys(subscription_rows, LocalKeyEncryption.from_setting(config.key_encryption))
    profiles = RowProfileStore(voices, audio, Envelope(data_keys), lambda: str(uuid.uuid4()))
    subscriptions = RowSubscriptionStore(subscription_rows, keys, data_keys)
    trail = RowAuditTrail(TimedRows(TableRows(config.storage, AUDIT), ledger))
    services = assemble(config, subscriptions, profiles, RowOperationStore(voices), RowUpkeep(voices, audio), trail)
    return InProcess(services, ledger, profiles)


def _result(found: Identification) -> IdentificationResult:
    profile_id = found.identified.profile_id if found.identified else None
    return IdentificationResult(profile_id, found.best.decision.confidence)


def _kind(key: str) -> str:
    """``profile`` of ``profile:tii:...``: what a row is, without saying which."""
    return key.split(":", 1)[0]
