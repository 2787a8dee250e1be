"""The wire of how long one profile is kept: ``.../{profileId}/retention``."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.errors import BodyMissing
from shared.domain.profile import Profile, RetentionOverride
from shared.domain.retention import effective
from shared.domain.subscription import RetentionPolicy, Unset
from shared.http.api import Call
from shared.http.reply import Reply, expires
from shared.http.request import json_object
from shared.http.settings import retention_change, retention_shown


def retention_override(call: Call) -> RetentionOverride:
    """A clock that is not named is the subscription's.

    Raises ``BodyMissing``, ``BodyNotUnderstood``, ``FieldUnknown``, ``ParameterInvalid``.
    """
    if not call.request.get_body():
        raise BodyMissing
    change = retention_change(json_object(call.request))
    return RetentionOverride(change.max_age_days, change.max_idle_days)


def retention_answer(profile: Profile, policy: RetentionPolicy) -> Reply:
    """The two clocks as they count for this profile, and which of them are its own."""
    own: Mapping[str, object] = {
        "maxAgeDays": profile.retention.max_age_days,
        "maxIdleDays": profile.retention.max_idle_days,
    }
    return Reply(
        200,
        {
            "profileId": profile.key.profile_id,
            **retention_shown(effective(policy, profile.retention)),
            "override": {name: days for name, days in own.items() if not isinstance(days, Unset)},
            **expires(profile),
        },
    )
