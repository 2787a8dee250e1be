"""Long recordings on the wire: a URL in the place of a recording, and the operation to ask for later."""

from __future__ import annotations

import os
from typing import Final

from shared import config
from shared.domain.errors import ParameterInvalid, ParameterMissing
from shared.domain.json_values import kind_of, known_fields
from shared.domain.long_operation import LongOperation
from shared.domain.times import date
from shared.domain.turns import NamedTurns
from shared.http import request
from shared.http.api import CHANNEL_RULE, Call
from shared.http.reply import Reply
from shared.http.turns import turns_body

RETRY_AFTER_SECONDS: Final = 60
"""The timer's own."""

_URL: Final = "recordingUrl"


def is_on() -> bool:
    """Whether there are hosts to read from. What is open when they are taken off the list waits for its end."""
    return config.recordings(os.environ)


def names_recording(call: Call) -> bool:
    """Whether the body is JSON, by its type and its first letter: clients label recordings with all kinds of types."""
    media_type = (request.media_type(call.request) or "").partition(";")[0].strip().lower()
    return media_type == "application/json" and (call.request.get_body() or b"").lstrip()[:1] == b"{"


def read_recording_url(call: Call) -> tuple[str, int | None]:
    """And the channel that is chosen of it. Raises ``BodyMissing``, ``BodyNotUnderstood``, ``FieldUnknown``,
    ``ParameterMissing``, ``ParameterInvalid``."""
    url = known_fields(request.json_object(call.request), (_URL,)).get(_URL)
    if url is None:
        raise ParameterMissing(_URL, "It is the https URL of the recording.")
    if not isinstance(url, str):
        raise ParameterInvalid(_URL, kind_of(url), "It must be a text.")
    return url, request.whole_number("channel", call.parameter("channel"), CHANNEL_RULE)


def write_begun(call: Call, operation: LongOperation) -> Reply:
    location = f"{call.base_url}/operations/{operation.operation_id}"
    return Reply(202, headers={"Operation-Location": location, "Retry-After": str(RETRY_AFTER_SECONDS)})


def write_operation(call: Call, operation: LongOperation, result: NamedTurns | None) -> Reply:
    failure = operation.failure
    return Reply(
        200,
        {
            "operationId": operation.operation_id,
            "status": operation.status.value,
            "createdDateTime": date(operation.created_at),
            "lastActionDateTime": date(operation.last_action_at),
            "expiresDateTime": date(operation.expires_at),
            "percentComplete": operation.percent,
            "result": None if result is None else turns_body(call, result),
            "error": None if failure is None else {"code": failure.name, "message": failure.message},
        },
    )
