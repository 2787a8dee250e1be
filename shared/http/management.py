"""The wire of the operator's side: ``/manage/...``, and of the audit trail that the customer reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

import azure.functions as func

from shared.bootstrap import Services
from shared.domain.audit import Actor, AuditEntry, AuditPage
from shared.domain.errors import ParameterInvalid
from shared.domain.profile import ProfileKind
from shared.domain.subscription import KeySlot, SettingsChange, Subscription
from shared.http import paging, settings, thresholds
from shared.http.fields import field_of
from shared.http.reply import Reply, base_url, date
from shared.http.request import json_object, parameter
from shared.services.manage import PutResult, SubscriptionPage

ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
ENTRY: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z:[a-z0-9-]{1,64}")
"""Where a page of the audit trail starts: the time and id of the entry before it."""

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""No record is older; a time before it means from the beginning."""

_KINDS: Final = {
    ProfileKind.TEXT_DEPENDENT_VERIFICATION: "verification/text-dependent",
    ProfileKind.TEXT_INDEPENDENT_VERIFICATION: "verification/text-independent",
    ProfileKind.IDENTIFICATION: "identification/text-independent",
}


@dataclass(frozen=True)
class ManagementCall:
    """A request that the functions host let through with the function key."""

    request: func.HttpRequest
    services: Services
    actor: Actor

    @property
    def base_url(self) -> str:
        return base_url(self.request.url, self.services.config)

    @property
    def subscription_id(self) -> str:
        """The one that the path names. Raises ``ParameterInvalid``."""
        received = str(self.request.route_params["subscriptionId"])
        if not ID.fullmatch(received):
            rule = "It has 1 to 63 letters, digits and dashes and starts with a letter or digit."
            raise ParameterInvalid("subscriptionId", received, rule)
        return received

    @property
    def slot(self) -> KeySlot:
        """Raises ``ParameterInvalid``."""
        received = str(self.request.route_params["slot"])
        if received.lower() not in list(KeySlot):
            raise ParameterInvalid("slot", received, "Valid values are primary and secondary.")
        return KeySlot(received.lower())

    def settings_change(self) -> SettingsChange:
        """The fields of the body, at its top or under ``settings``; no body names none.

        Raises ``BodyNotUnderstood``, ``FieldUnknown``, ``ParameterInvalid``.
        """
        received = json_object(self.request) if self.request.get_body() else {}
        nested = field_of(received, "settings")
        change = nested if len(received) == 1 and isinstance(nested, dict) else received
        return settings.operator_change(thresholds.as_scores(change, self.services.models.current.calibration))


def put(result: PutResult) -> Reply:
    """The keys are in the answer to the creation, and nowhere else ever again."""
    if not result.keys:
        return Reply(200, _subscription(result.subscription))
    keys = {slot.value: key for slot, key in result.keys.items()}
    return Reply(201, {**_subscription(result.subscription), "keys": keys}, _NOT_STORED)


def shown(subscription: Subscription) -> Reply:
    return Reply(200, _subscription(subscription))


def deleting(subscription: Subscription) -> Reply:
    return Reply(202, _subscription(subscription))


def listed(call: ManagementCall, page: SubscriptionPage) -> Reply:
    body: dict[str, object] = {"value": [_subscription(one) for one in page.subscriptions]}
    if page.more:
        body["nextLink"] = paging.next_link(call.base_url, call.request, page.subscriptions[-1].subscription_id)
    return Reply(200, body)


def regenerated(slot: KeySlot, key: str) -> Reply:
    return Reply(200, {"slot": slot.value, "key": key}, _NOT_STORED)


def moment(request: func.HttpRequest, name: str) -> datetime | None:
    """A query parameter in ISO 8601, UTC unless it says otherwise. Raises ``ParameterInvalid``."""
    received = parameter(request, name)
    if not received:
        return None
    rule = "It must be a date or a time in ISO 8601, such as 2026-11-22T12:00:00Z."
    try:
        read = datetime.fromisoformat(received)
        return max(EARLIEST, (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise ParameterInvalid(name, received, rule) from error


def audited(base: str, request: func.HttpRequest, page: AuditPage) -> Reply:
    body: dict[str, object] = {"value": [_entry(one) for one in page.entries]}
    if page.after is not None:
        body["nextLink"] = paging.next_link(base, request, page.after)
    return Reply(200, body)


def _subscription(one: Subscription) -> Mapping[str, object]:
    body: dict[str, object] = {
        "subscriptionId": one.subscription_id,
        "state": one.state.value,
        "createdDateTime": date(one.created_at) if one.created_at else None,
        "settings": settings.shown(one.settings),
    }
    return body | _deletion(one)


def _deletion(one: Subscription) -> dict[str, object]:
    """When it was asked for; then what is left of it all: how much was erased, when nothing was found any more, and
    when nothing was found again after every request from before was over."""
    if one.deleted_at is None:
        return {}
    body: dict[str, object] = {"deletedDateTime": date(one.deleted_at)}
    if one.erasure is None:
        return body
    verified_at = one.erasure.verified_at
    body["erasure"] = {
        "startedDateTime": date(one.deleted_at),
        "completedDateTime": date(one.erasure.completed_at),
        "verifiedDateTime": date(verified_at) if verified_at else None,
        "erased": asdict(one.erasure.counts),
    }
    return body


def _entry(one: AuditEntry) -> Mapping[str, object]:
    """Every record has every field; what does not apply is null."""
    return {
        "id": one.entry_id,
        "dateTime": date(one.at),
        "action": one.action.value,
        "outcome": one.outcome.value,
        "reason": one.reason or None,
        "caller": one.actor.via.value,
        "requestId": one.actor.request_id,
        "profileKind": _KINDS[one.profile.kind] if one.profile else None,
        "profileId": one.profile.profile_id if one.profile else None,
        "model": one.model_id,
        "names": list(one.names),
    }


_NOT_STORED: Final = {"Cache-Control": "no-store"}
