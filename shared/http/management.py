"""The wire of the operator's side, ``/manage/...``, and of who calls."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from shared.bootstrap import Services
from shared.domain.access import AccessKey, Role
from shared.domain.audit import MANAGEMENT, TIMER, Actor, Caller
from shared.domain.counts import Counts
from shared.domain.errors import ParameterInvalid, ParameterMissing
from shared.domain.json_values import field_of, kind_of, known_fields, moment
from shared.domain.migration import MigrationProgress
from shared.domain.subscription import KeySlot, Owner, SettingsChange, Subscription
from shared.domain.times import date
from shared.http.reply import Reply
from shared.http.request import Received, json_object
from shared.http.settings import settings_change, settings_shown
from shared.services.manage import PutResult

KEY_NAME: Final = re.compile(r"[a-z0-9-]{1,32}")
RESERVED: Final = (*KeySlot, MANAGEMENT, TIMER)
"""What a key cannot be called."""

ROLES: Final = f"Valid values are {', '.join(Role)}."
SUBSCRIPTION_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")

_END_RULE: Final = "It must be null or a time in ISO 8601, in the future, such as 2027-01-01T00:00:00Z."

_NOT_STORED: Final = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class ManagementCall(Received):
    """A request that the functions host let through with the function key."""

    actor: Actor

    @property
    def subscription_id(self) -> str:
        """The one that the path names. Raises ``ParameterInvalid``."""
        received = self.path("subscriptionId")
        if not SUBSCRIPTION_ID.fullmatch(received):
            rule = "It has 1 to 63 letters, digits and dashes and starts with a letter or digit."
            raise ParameterInvalid("subscriptionId", received, rule)
        return received

    @property
    def key_name(self) -> str:
        """Of a key with a name of its own. Raises ``ParameterInvalid``."""
        received = self.path("name")
        if not KEY_NAME.fullmatch(received) or received in RESERVED:
            rule = f"It has 1 to 32 lower-case letters, digits and dashes, and is not {', '.join(RESERVED)}."
            raise ParameterInvalid("name", received, rule)
        return received

    @property
    def any_key_name(self) -> str:
        """``key_name``, or a classic key, in any case of letters. Raises ``ParameterInvalid``."""
        received = self.path("name").lower()
        return received if received in list(KeySlot) else self.key_name

    def key_change(self) -> tuple[Role, datetime | None]:
        """The role, and when the key expires.

        Raises ``BodyMissing``, ``BodyNotUnderstood``, ``FieldUnknown``, ``ParameterMissing``, ``ParameterInvalid``.
        """
        received = known_fields(json_object(self.request), ("role", "expiresDateTime"))
        role, expires = received.get("role"), received.get("expiresDateTime")
        if role is None:
            raise ParameterMissing("role", ROLES)
        if role not in list(Role):
            raise ParameterInvalid("role", kind_of(role), ROLES)
        now = self.services.clock()
        ends = None if expires is None else moment("expiresDateTime", expires, _END_RULE, lambda end: end > now)
        return Role(str(role)), ends

    def settings_change(self) -> SettingsChange:
        """The fields of the body, at its top or under ``settings``; no body names none.

        Raises ``BodyNotUnderstood``, ``FieldUnknown``, ``ParameterInvalid``.
        """
        received = json_object(self.request) if self.request.get_body() else {}
        nested = field_of(received, "settings")
        return settings_change(nested if len(received) == 1 and isinstance(nested, dict) else received, Owner.OPERATOR)


def write_subscription(subscription: Subscription) -> dict[str, object]:
    """Of a deleted one also when that was asked for, and what is left of it all: how much was erased, when nothing was
    found any more, and when nothing was found again after every request from before was over."""
    body: dict[str, object] = {
        "subscriptionId": subscription.subscription_id,
        "state": subscription.state.value,
        "createdDateTime": date(subscription.created_at),
        "settings": settings_shown(subscription.settings, Owner.OPERATOR),
        "counts": _counts_shown(subscription.counts),
    }
    if subscription.deleted_at is not None:
        body["deletedDateTime"] = date(subscription.deleted_at)
        if subscription.erasure is not None:
            body["erasure"] = {
                "startedDateTime": date(subscription.deleted_at),
                "completedDateTime": date(subscription.erasure.completed_at),
                "verifiedDateTime": date(subscription.erasure.verified_at),
                "erased": asdict(subscription.erasure.counts),
            }
    return body


def _counts_shown(counts: Counts | None) -> dict[str, object] | None:
    """Null before the timer has counted."""
    if counts is None:
        return None
    return {
        "profiles": counts.profiles,
        "enrolled": counts.enrolled,
        "lastUsedDateTime": date(counts.last_used_at),
        "countedDateTime": date(counts.counted_at),
    }


def write_put(result: PutResult) -> Reply:
    """The keys are in the answer to the creation, and nowhere else ever again."""
    if not result.keys:
        return Reply(200, write_subscription(result.subscription))
    keys = {slot.value: key for slot, key in result.keys.items()}
    return Reply(201, {**write_subscription(result.subscription), "keys": keys}, _NOT_STORED)


def write_caller(caller: Caller) -> dict[str, object]:
    """Of a key ``operations`` and ``profileId`` are null: its role alone says what it may. A token has the name of the
    key that issued it, and the least role that may do what it is for."""
    key, token = caller.key, caller.token
    return {
        "name": key.name,
        "role": token.scope.role if token else key.role,
        "operations": list(token.scope.operations) if token else None,
        "profileId": token.scope.profile_id if token else None,
        "expiresDateTime": date(token.expires_at if token else key.expires_at),
    }


def write_key(key: AccessKey) -> dict[str, object]:
    return {
        "name": key.name,
        "role": key.role.value,
        "createdDateTime": date(key.created_at),
        "expiresDateTime": date(key.expires_at),
    }


def write_put_key(key: AccessKey, secret: str | None) -> Reply:
    """The secret of a new key is in this answer, and nowhere else ever again."""
    if secret is None:
        return Reply(200, write_key(key))
    return Reply(201, {**write_key(key), "key": secret}, _NOT_STORED)


def write_new_key(name: str, key: str) -> Reply:
    return Reply(200, {"slot": name, "key": key}, _NOT_STORED)


def write_migration(services: Services, progress: MigrationProgress | None) -> Reply:
    """Counts of the walk towards the model that the service runs now; zeros before it has begun."""
    model, previous = services.models.current, services.models.previous
    begun = progress is not None and progress.model_id == model.model_id
    if progress is None or not begun:
        progress = MigrationProgress(model.model_id, services.clock())
    finished_at = progress.finished_at
    return Reply(
        200,
        {
            "model": {"id": model.model_id, "version": model.version, "calibrated": model.calibration is not None},
            "previousModel": previous.model_id if previous else None,
            "state": "finished" if finished_at else "running" if begun else "notStarted",
            "startedDateTime": date(progress.started_at) if begun else None,
            "finishedDateTime": date(finished_at),
            "profilesChecked": progress.checked,
            "profilesMigrated": progress.migrated,
            "profilesToEnrollAgain": progress.flagged,
            "profilesPostponed": progress.postponed,
        },
    )
