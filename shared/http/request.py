"""Reading requests: every value is parsed here, once, or refused with what was received.

The rules are those that real clients of the retired service need (``docs/contract.md``): booleans in any case,
lists with trailing commas, ids with or without dashes, bodies whose Content-Type lies.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

import azure.functions as func

from shared.bootstrap import Services
from shared.domain.errors import (
    BodyMissing,
    BodyNotUnderstood,
    BodyTooLarge,
    IdMalformed,
    LocaleMissing,
    ParameterInvalid,
    ParameterMissing,
)
from shared.domain.group import EVERYONE, GROUP_PREFIX, Candidates, Everyone, InGroup
from shared.domain.json_values import field_of
from shared.domain.limits import MAX_BODY_BYTES
from shared.domain.setting_types import SHARE_RULE
from shared.http.reply import base_url
from shared.services.thresholds import RequestedThreshold

GROUP_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
PROFILE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GROUP_NAME_RULE = "A group's name has 1 to 64 letters, digits and dashes."

_GUID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"0{0,9}[1-9][0-9]{0,8}")
_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"})
_TRAILING_COMMA = re.compile(r",\s*([}\]])")
_MAX_JSON_BYTES = 64 * 1024


@dataclass(frozen=True)
class Received:
    """A request that was let in, and what serves it."""

    request: func.HttpRequest
    services: Services

    @property
    def base_url(self) -> str:
        """For links in the answer. Raises ``HostNotAllowed``."""
        return base_url(self.request.url, self.services.config)

    def path(self, name: str) -> str:
        return str(self.request.route_params[name])

    def parameter(self, name: str) -> str | None:
        return parameter(self.request, name)


def guid(received: str) -> str:
    """Lower case with dashes; each dash may be missing. Raises ``IdMalformed``."""
    match = _GUID.fullmatch(received.strip())
    if not match:
        raise IdMalformed(received)
    return "-".join(match.groups()).lower()


def guid_list(name: str, received: str | None) -> list[str]:
    """At least one id; empty items are ignored, as native clients end their lists with a comma."""
    items = [item for item in (received or "").split(",") if item.strip()]
    if not items:
        raise ParameterMissing(name)
    return [guid(item) for item in items]


def candidates(name: str, received: str | None) -> Candidates:
    """``*`` is everyone, ``group:<name>`` a group, anything else a list of ids; the first two are not Azure's.

    Raises ``ParameterInvalid`` (the group's name), ``ParameterMissing``, ``IdMalformed``.
    """
    text = (received or "").strip()
    if text == EVERYONE:
        return Everyone()
    if not text.lower().startswith(GROUP_PREFIX):
        return guid_list(name, received)
    group = text[len(GROUP_PREFIX) :]
    if not GROUP_NAME.fullmatch(group):
        raise ParameterInvalid(name, text, GROUP_NAME_RULE)
    return InGroup(group)


def threshold(request: func.HttpRequest) -> RequestedThreshold | None:
    """The request's own threshold: ``threshold`` is a score, ``falseMatchRate`` what the score is to stand for."""
    score, rate = parameter(request, "threshold"), parameter(request, "falseMatchRate")
    if score is not None and rate is not None:
        raise ParameterInvalid("falseMatchRate", rate, "Give either threshold or falseMatchRate.")
    if rate is not None:
        return RequestedThreshold("falseMatchRate", rate, false_match_rate=_share("falseMatchRate", rate))
    return None if score is None else RequestedThreshold("threshold", score, score=_share("threshold", score))


def _share(name: str, received: str) -> float:
    try:
        share = float(received)
    except ValueError:
        share = 0.0
    if not 0.0 < share < 1.0:
        raise ParameterInvalid(name, received, SHARE_RULE)
    return share


def boolean(name: str, received: str | None) -> bool:
    """``true`` or ``false`` in any case; absent is false. Raises ``ParameterInvalid``."""
    text = (received or "false").strip().lower()
    if text not in ("true", "false"):
        raise ParameterInvalid(name, received or "", 'Valid values are "true" and "false".')
    return text == "true"


def whole_number(name: str, received: str | None, rule: str, most: int = 999_999_999) -> int | None:
    """A number from 1 to ``most``, which has nine digits at most; ``None`` when absent. Raises ``ParameterInvalid``."""
    if received is None:
        return None
    if not _WHOLE_NUMBER.fullmatch(received.strip()) or int(received) > most:
        raise ParameterInvalid(name, received, rule)
    return int(received)


def parameter(request: func.HttpRequest, name: str) -> str | None:
    """A query parameter, its name in any case: clients of three generations disagree about it."""
    return next((value for key, value in request.params.items() if key.lower() == name.lower()), None)


def media_type(request: func.HttpRequest) -> str | None:
    received: str | None = request.headers.get("Content-Type")
    return received


def content_coding(request: func.HttpRequest) -> str | None:
    """How the body is compressed, if it is; other things that clients write into Content-Encoding say nothing."""
    received = (request.headers.get("Content-Encoding") or "").lower()
    return next((coding for coding in re.split(r"[,\s]+", received) if coding in _CODINGS), None)


def body(request: func.HttpRequest, maximum: int = MAX_BODY_BYTES) -> bytes:
    """The whole body. Raises ``BodyMissing``, ``BodyTooLarge``."""
    content = request.get_body() or b""
    if not content:
        raise BodyMissing
    if len(content) > maximum:
        raise BodyTooLarge(len(content), maximum)
    return content


def locale(request: func.HttpRequest) -> str:
    """The locale of a create-profile body, as the caller wrote it.

    JSON, JSON with a trailing comma (the portal's own sample), or a form. The body decides, not the Content-Type.

    Raises
    ------
    BodyMissing, BodyNotUnderstood, LocaleMissing
    """
    text = _text(request)
    if text.startswith(("{", "[")):
        value = field_of(_json_object(text), "locale")
    else:
        value = field_of({name: values[0] for name, values in parse_qs(text).items()}, "locale")
        if value is None and "=" not in text:
            raise BodyNotUnderstood("Invalid JSON format.")
    if value is None or value == "":
        raise LocaleMissing
    return str(value)


def json_object(request: func.HttpRequest) -> dict[str, object]:
    """The body as a JSON object, whatever its Content-Type says. Raises ``BodyMissing``, ``BodyNotUnderstood``."""
    return _json_object(_text(request))


def _text(request: func.HttpRequest) -> str:
    try:
        return body(request, _MAX_JSON_BYTES).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise BodyNotUnderstood("Invalid JSON format. The body is not UTF-8 text.") from error


def _json_object(text: str) -> dict[str, object]:
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text)):
        try:
            value = json.loads(attempt)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
        break
    raise BodyNotUnderstood("Invalid JSON format.")
