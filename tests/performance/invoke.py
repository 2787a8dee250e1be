"""The app's functions called in this process: all of a request but the host."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from urllib.parse import urlencode

from tests.in_process import Answer, Function, call


def invoke(name: str, key: str, parameters: Mapping[str, str], wav: bytes) -> Answer:
    """A v1.0 function by its name. Raises ``AssertionError`` when it refuses."""
    headers = {"Ocp-Apim-Subscription-Key": key, "Content-Type": "audio/wav"}
    answer = call(_functions()[name], "POST", f"/spid/v1.0/{name}?{urlencode(parameters)}", headers, wav)
    assert answer.status < 300, f"{name} answered {answer.status}: {answer.body!r}"
    return answer


def invoke_verify(key: str, profile_id: str, wav: bytes) -> None:
    invoke("verify", key, {"verificationProfileId": profile_id}, wav)


def invoke_identify(key: str, profile_ids: list[str], wav: bytes) -> None:
    invoke("identify", key, {"identificationProfileIds": ",".join(profile_ids), "shortAudio": "true"}, wav)


@cache
def _functions() -> dict[str, Function]:
    from function_app import app  # here, so that a cold start is timed where it happens

    return {str(one.get_function_name()): one.get_user_function() for one in app.get_functions()}
