"""A subscription and its keys as the values of one row.

``<slot>_sha256`` and, in the JSON of ``named_keys``, those with a name of their own are the keys that open it: names of
cells admit no dash. ``stray_sha256`` are others under which the table ``keys`` may still point
here, 32 bytes each: they open nothing, and are listed so that none is left behind when the subscription is erased.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from shared.domain.access import AccessKey, Role
from shared.domain.counts import Counts
from shared.domain.erasure import ErasedCounts, Erasure
from shared.domain.floors import with_floors
from shared.domain.subscription import SETTINGS, KeySlot, Subscription, SubscriptionSettings, SubscriptionState
from shared.storage.backend.ports import Row, Value
from shared.storage.backend.row_values import read, written
from shared.storage.layout import SUBSCRIPTION_PREFIX

COUNTS: Final = "counts_"
COUNTING: Final = "counting_"
"""What the names of a walk's counts begin with: of the last, and of the one that is under way."""

STRAY: Final = "stray_sha256"
NAMED: Final = "named_keys"
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True)
class StoredKey:
    """``digest`` is all that is kept of the secret."""

    access: AccessKey
    digest: bytes


def keys_of(row: Row) -> dict[str, StoredKey]:
    """The keys that open the subscription, by their names: the classic ones first."""
    role = _settings(row).classic_role
    classic = {slot.value: row.maybe(_column(slot), bytes) for slot in KeySlot}
    keys = {name: StoredKey(AccessKey(name, role), stored) for name, stored in classic.items() if stored is not None}
    return keys | {name: _named(name, stored) for name, stored in json.loads(row.maybe(NAMED, str) or "{}").items()}


def key_values(keys: Mapping[str, StoredKey]) -> dict[str, Value]:
    """The cells of the keys. There is none for a classic key that is absent: it cannot be taken away."""
    named = {
        name: {
            "sha256": key.digest.hex(),
            "role": key.access.role.value,
            "created": _text(key.access.created_at),
            "expires": _text(key.access.expires_at),
        }
        for name, key in sorted(keys.items())
        if name not in list(KeySlot)
    }
    classic: dict[str, Value] = {_column(slot): keys[slot].digest for slot in KeySlot if slot in keys}
    return classic | {NAMED: json.dumps(named)}


def digests_of(row: Row) -> dict[str, bytes]:
    """The keys that open the subscription."""
    return {name: key.digest for name, key in keys_of(row).items()}


def strays_of(row: Row) -> list[bytes]:
    joined = row.maybe(STRAY, bytes) or b""
    return [joined[start : start + _DIGEST_BYTES] for start in range(0, len(joined), _DIGEST_BYTES)]


def creation_values(subscription: Subscription, digests: Mapping[KeySlot, bytes]) -> dict[str, Value]:
    values: dict[str, Value] = {"state": subscription.state.value, **_settings_values(subscription.settings)}
    if subscription.created_at is not None:
        values["created_at"] = subscription.created_at
    return values | {_column(slot): stored for slot, stored in digests.items()}


def changed_values(row: Row, settings: SubscriptionSettings) -> dict[str, Value]:
    """The row's values with other settings; a setting that is None has no value, so nothing may be merged."""
    kept = {name: value for name, value in row.values.items() if name not in SETTINGS}
    return kept | _settings_values(settings)


def subscription_of(row: Row) -> Subscription:
    return Subscription(
        subscription_id=row.key.removeprefix(SUBSCRIPTION_PREFIX),
        state=SubscriptionState(row.get("state", str)),
        settings=_settings(row),
        created_at=row.maybe("created_at", datetime),
        deleted_at=row.maybe("deleted_at", datetime),
        erasure=_erasure(row),
        counts=_counts(row, COUNTS),
        counting=_counts(row, COUNTING) or Counts(),
    )


def counted_values(row: Row, counts: Counts) -> dict[str, Value]:
    """The row's values with the counts of a walk that is under way, or at its end and in the place of the last."""
    prefix, old = (COUNTING, COUNTING) if counts.counted_at is None else (COUNTS, (COUNTING, COUNTS))
    kept = {name: value for name, value in row.values.items() if not name.startswith(old)}
    return kept | {f"{prefix}{name}": value for name, value in written(counts).items()}


def deleted_values(row: Row, erasure: Erasure) -> dict[str, Value]:
    """What is left of a subscription's row: ids, times and counts, and default settings.

    Until the erasure is verified, the keys are listed too, so that a key's index that arrived late can be found.
    """
    subscription = subscription_of(row)
    left = replace(subscription, state=SubscriptionState.DELETED, settings=SubscriptionSettings())
    values: dict[str, Value] = creation_values(left, {})
    keys = (*map(_column, KeySlot), NAMED, STRAY)
    names = ("deleted_at", "deleted_by_request", *(() if erasure.verified_at else keys))
    values |= {name: row.values[name] for name in names if name in row.values}
    values |= {f"erased_{name}": number for name, number in asdict(erasure.counts).items()}
    values["erased_at"] = erasure.completed_at
    return values | ({"verified_at": erasure.verified_at} if erasure.verified_at else {})


def _column(slot: KeySlot) -> str:
    return f"{slot.value}_sha256"


def _named(name: str, stored: Mapping[str, Any]) -> StoredKey:
    created, expires = (_moment(stored[field]) for field in ("created", "expires"))
    return StoredKey(AccessKey(name, Role(stored["role"]), created, expires), bytes.fromhex(stored["sha256"]))


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None


def _counts(row: Row, prefix: str) -> Counts | None:
    values = {name.removeprefix(prefix): value for name, value in row.values.items() if name.startswith(prefix)}
    return read(replace(row, values=values), Counts) if values else None


def _erasure(row: Row) -> Erasure | None:
    completed_at = row.maybe("erased_at", datetime)
    if completed_at is None:
        return None
    counts = ErasedCounts(**{count.name: row.get(f"erased_{count.name}", int) for count in fields(ErasedCounts)})
    return Erasure(counts, completed_at, row.maybe("verified_at", datetime))


def _settings_values(settings: SubscriptionSettings) -> dict[str, Value]:
    cells = {name: setting.type.stored(getattr(settings, name)) for name, setting in SETTINGS.items()}
    return {name: cell for name, cell in cells.items() if cell is not None}


def _settings(row: Row) -> SubscriptionSettings:
    """A setting that the row does not have is at its default, and none is below its floor."""
    cells = {name: row.maybe(name, setting.type.cell) for name, setting in SETTINGS.items()}
    values = {name: SETTINGS[name].type.restored(cell) for name, cell in cells.items() if cell is not None}
    return with_floors(SubscriptionSettings(**values))
