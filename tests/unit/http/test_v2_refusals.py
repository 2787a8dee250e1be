"""What v2.0 and 2021-09-05 say in words of their own, and how their errors look."""

from __future__ import annotations

import pytest

from shared.domain.errors import (
    AudioTooLong,
    AudioTooShort,
    ContinuationInvalid,
    PassphraseDiffers,
    ProfileNotFound,
    SubscriptionUnknown,
    TimbreError,
)
from shared.http import errors
from shared.http.reply import Reply
from shared.http.v2 import V2
from shared.http.v2_refusals import AudioLengthRefused, ProfileIdsMissing, lengths_per
from shared.http.v2021 import V2021

ID = "d7c62d70-632d-4e3d-af8b-8e5485f56dad"


def test_a_length_is_per_kind_of_request() -> None:
    with pytest.raises(AudioLengthRefused) as refused, lengths_per("enrollment"):
        raise AudioTooLong(130.0, 120.0)
    assert str(refused.value) == (
        "Invalid audio length. Maximum allowed length per enrollment request is 120 seconds. "
        "The recording has 130.00 seconds."
    )
    with pytest.raises(AudioLengthRefused) as refused, lengths_per("recognition"):
        raise AudioTooShort(0.25, 1.0)
    assert str(refused.value) == (
        "Invalid audio length. Minimum allowed length per recognition request is 1 second. "
        "The recording has 0.25 seconds."
    )


def test_what_was_read_of_an_endless_recording_is_said_as_such() -> None:
    with pytest.raises(AudioLengthRefused, match=r"has more than 120\.00 seconds\.$"), lengths_per("enrollment"):
        raise AudioTooLong(120.0, 120.0, at_least=True)


def test_other_refusals_pass() -> None:
    with pytest.raises(ProfileNotFound), lengths_per("enrollment"):
        raise ProfileNotFound(ID)


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (
            PassphraseDiffers("a", "b"),
            400,
            "InvalidRequest",
            'Invalid passphrase. The profile is bound to the phrase "b". Heard "a".',
        ),
        (ProfileNotFound(ID), 404, "Not Found", f"Requested profile doesn't exist: {ID}."),
        (
            SubscriptionUnknown(),
            401,
            "Unauthorized",
            "Request is not authorized. Make sure subscription key is included and valid.",
        ),
        (
            ProfileIdsMissing(),
            400,
            "InvalidRequest",
            "profileIds parameter is missing. It should be comma-delimited list of IDs containing at least one ID.",
        ),
        (
            ContinuationInvalid("$continuationToken"),
            400,
            "InvalidArgument",
            "Invalid $continuationToken value. $continuationToken must be generated form a prior API call.",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_the_catalogue(error: TimbreError, status: int, code: str, message: str) -> None:
    assert errors.reply(error, errors.V2) == Reply(status, {"error": {"code": code, "message": message}})


def test_the_message_stands_where_javascript_looks_for_it() -> None:
    refused = V2().refused(errors.reply(ProfileNotFound(ID), errors.V2))
    message = f"Requested profile doesn't exist: {ID}."
    assert refused == Reply(404, {"error": {"code": "Not Found", "message": message}, "statusText": message})


def test_2021_repeats_the_code_in_a_header() -> None:
    refused = V2021().refused(errors.reply(ProfileNotFound(ID), errors.V2))
    assert refused.headers == {"x-ms-error-code": "Not Found"}
    assert refused.body == V2().refused(errors.reply(ProfileNotFound(ID), errors.V2)).body
