"""A subscription's settings in JSON. What is absent stays as it is; ``null`` is a value where the setting says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, TypeAlias

from shared.domain.errors import FieldReserved
from shared.domain.floors import require_floor
from shared.domain.json_values import Json, json_object, known_fields
from shared.domain.profile import RetentionOverride
from shared.domain.subscription import SETTINGS, Owner, RetentionPolicy, SettingsChange, SubscriptionSettings

Members: TypeAlias = Mapping[str, str]
"""Name inside an object of the wire to the field of ``SubscriptionSettings``; the name is empty where the setting
stands at the top itself."""


def _places(*owners: Owner) -> dict[str, dict[str, str]]:
    """Names at the top with what is inside them, the customer's first."""
    places: dict[str, dict[str, str]] = {}
    for owner in owners:
        for field, setting in SETTINGS.items():
            top, _, inside = setting.wire.partition(".")
            if setting.owner is owner:
                places.setdefault(top, {})[inside] = field
    return places


FIELDS: Final = {Owner.CUSTOMER: _places(Owner.CUSTOMER), Owner.OPERATOR: _places(Owner.CUSTOMER, Owner.OPERATOR)}
"""What each sees and may set."""


def settings_change(received: Json, owner: Owner, reserved: Collection[str] = ()) -> SettingsChange:
    """``reserved`` are names that are the operator's in this subscription.

    Raises ``FieldReserved``, ``FieldUnknown``, ``ParameterInvalid``.
    """
    places = {name: members for name, members in FIELDS[owner].items() if name not in reserved}
    names = {name.lower() for name in received}
    for name in FIELDS[Owner.OPERATOR]:
        if name not in places and name.lower() in names:
            raise FieldReserved(name, list(places))
    values: dict[str, object] = {}
    for name, value in known_fields(received, places).items():
        values |= _read(name, value, places[name])
    return SettingsChange(**values)


def retention_override(received: Json, min_days: float) -> RetentionOverride:
    """The two clocks of one profile, of at least ``min_days``. Raises ``FieldUnknown``, ``ParameterInvalid``."""
    members = FIELDS[Owner.CUSTOMER]["retention"]
    read: dict[str, Any] = _read_members(received, members, "")
    for wire, field in members.items():
        require_floor(wire, read.get(field), min_days)
    return RetentionOverride(**read)


def settings_shown(settings: SubscriptionSettings, owner: Owner) -> dict[str, object]:
    """``passphrases`` and ``quality`` show what is the subscription's own."""
    body: dict[str, object] = {}
    for name, members in FIELDS[owner].items():
        values = {inside: SETTINGS[field].type.shown(getattr(settings, field)) for inside, field in members.items()}
        body[name] = values.get("", values)
    return body


def retention_shown(policy: RetentionPolicy | RetentionOverride) -> dict[str, object]:
    members = FIELDS[Owner.CUSTOMER]["retention"]
    return {inside: getattr(policy, field) for inside, field in members.items()}


def _read(name: str, value: object, members: Members) -> dict[str, object]:
    if "" in members:
        return {members[""]: SETTINGS[members[""]].type.read(name, value)}
    if value is None and all(SETTINGS[field].type.optional for field in members.values()):
        return dict.fromkeys(members.values())
    return _read_members(json_object(name, value), members, f"{name}.")


def _read_members(received: Json, members: Members, prefix: str) -> dict[str, object]:
    return {
        members[name]: SETTINGS[members[name]].type.read(f"{prefix}{name}", value)
        for name, value in known_fields(received, members, prefix).items()
    }
