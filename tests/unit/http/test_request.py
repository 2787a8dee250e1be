"""Every value of a request is parsed once, as the clients of ten years send it, or refused with what was received."""

from __future__ import annotations

from uuid import UUID

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import (
    BodyMissing,
    BodyNotUnderstood,
    BodyTooLarge,
    IdMalformed,
    LocaleMissing,
    ParameterInvalid,
    ParameterMissing,
    TimbreError,
)
from shared.domain.group import Candidates, Everyone, InGroup
from shared.http import request
from shared.services.thresholds import RequestedThreshold

ID = "d7c62d70-632d-4e3d-af8b-8e5485f56dad"


def post(body: bytes, content_type: str | None = None, **params: str) -> func.HttpRequest:
    headers = {"Content-Type": content_type} if content_type else {}
    return func.HttpRequest("POST", "http://127.0.0.1/", headers=headers, params=params, body=body)


@pytest.mark.parametrize(
    "received", [ID, ID.upper(), ID.replace("-", ""), "d7c62d70632d-4e3d-af8b8e5485f56dad", f" {ID}\n"]
)
def test_a_guid_comes_out_in_lower_case_with_dashes(received: str) -> None:
    assert request.guid(received) == ID


@pytest.mark.parametrize(
    "received",
    [
        "", "42", ID[:-1], ID + "0", "g" + ID[1:], "{" + ID + "}", ID.replace("-", "_"), ID.replace("-", "--"),
        "../" + ID, ID + "\x00", "\u06677c62d70-632d-4e3d-af8b-8e5485f56dad",
    ],
)  # fmt: skip
def test_anything_else_is_no_guid(received: str) -> None:
    with pytest.raises(IdMalformed, match="32 digits with 4 dashes"):
        request.guid(received)


@given(st.uuids())
def test_every_guid_survives_the_loss_of_dashes_and_case(one: UUID) -> None:
    assert request.guid(one.hex.upper()) == str(one)


@pytest.mark.parametrize(
    ("received", "candidates"),
    [
        (f"{ID}, ,{ID.upper()},", [ID, ID]),
        (" * ", Everyone()),
        ("group:Team-1", InGroup("Team-1")),
        ("GROUP:Team-1", InGroup("Team-1")),
    ],
)
def test_candidates_are_a_list_with_holes_everyone_or_a_group(received: str, candidates: Candidates) -> None:
    assert request.candidates("ids", received) == candidates


@pytest.mark.parametrize(
    ("received", "error", "message"),
    [
        (None, ParameterMissing, r"^profileIds parameter is missing"),
        ("", ParameterMissing, r"^profileIds parameter is missing"),
        (" , ", ParameterMissing, r"^profileIds parameter is missing"),
        (f"{ID},nobody", IdMalformed, '"nobody"'),
        ("group:", ParameterInvalid, "1 to 64 letters, digits and dashes"),
        ("group:a b", ParameterInvalid, "1 to 64 letters, digits and dashes"),
        ("**", IdMalformed, "32 digits"),
    ],
)
def test_other_candidates_are_refused(received: str | None, error: type[TimbreError], message: str) -> None:
    with pytest.raises(error, match=message):
        request.candidates("profileIds", received)


@pytest.mark.parametrize(
    ("received", "value"),
    [*((text, True) for text in ("true", "True", "TRUE", " true ")), ("False", False), ("", False), (None, False)],
)
def test_a_boolean_is_read_in_any_case_and_false_when_absent(received: str | None, value: bool) -> None:
    assert request.boolean("shortAudio", received) is value


@pytest.mark.parametrize("received", ["1", "yes", "tru", "true,true"])
def test_anything_else_is_no_boolean(received: str) -> None:
    rule = 'Valid values are "true" and "false"'
    with pytest.raises(ParameterInvalid, match=f'shortAudio.*{rule}.*Received "{received}"'):
        request.boolean("shortAudio", received)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, None),
        ({"threshold": "0.75"}, RequestedThreshold("threshold", "0.75", score=0.75)),
        ({"FalseMatchRate": "1e-2"}, RequestedThreshold("falseMatchRate", "1e-2", false_match_rate=0.01)),
    ],
)
def test_a_threshold_is_a_score_or_a_rate(parameters: dict[str, str], expected: RequestedThreshold | None) -> None:
    assert request.threshold(post(b"", **parameters)) == expected


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        *(({"threshold": text}, "threshold") for text in ("", "0", "1", "nan", "inf", "a", "-0.5")),
        ({"falseMatchRate": "1.0"}, "falseMatchRate"),
        ({"threshold": "0.5", "falseMatchRate": "0.01"}, "falseMatchRate"),
    ],
)
def test_any_other_threshold_is_refused(parameters: dict[str, str], name: str) -> None:
    with pytest.raises(ParameterInvalid, match=f"Invalid {name} parameter value"):
        request.threshold(post(b"", **parameters))


@given(st.integers(1, 999_999_999), st.text("0", max_size=5))
def test_a_whole_number_may_begin_with_zeros(number: int, zeros: str) -> None:
    assert request.whole_number("channel", f"{zeros}{number}", "") == number
    assert request.whole_number("channel", None, "") is None


@given(
    st.from_regex(r"[-+.,xe ]?[0-9]{0,4000}[-+.,xe ]?", fullmatch=True).filter(
        lambda text: not text.strip().lstrip("0").isdigit() or len(text.strip().lstrip("0")) > 9
    )
    | st.sampled_from(["", "0", "\u0661", "\u00b2", "1" * 5_000, "0" * 5_000 + "1", "00000001" + "0" * 5_000, "NaN"])
)
def test_anything_else_is_no_whole_number(received: str) -> None:
    with pytest.raises(ParameterInvalid, match="Invalid channel parameter value"):
        request.whole_number("channel", received, "")


def test_a_whole_number_has_a_bound() -> None:
    assert request.whole_number("$top", "500", "", 500) == 500
    with pytest.raises(ParameterInvalid):
        request.whole_number("$top", "501", "", 500)


def test_a_parameters_name_is_found_in_any_case() -> None:
    assert request.parameter(post(b"", SHORTAUDIO="true"), "shortAudio") == "true"
    assert request.parameter(post(b""), "shortAudio") is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"locale":"en-us"}', "application/json"),
        (b'{"locale":"en-us",}', "application/json"),
        (b'{\n  "locale": "en-us",\n}\n', "application/json"),
        (b'\xef\xbb\xbf{"locale":"en-us"}', "application/json; charset=utf-8"),
        (b'{"locale":"en-us","extra":[1,{"a":null}]}', "application/json"),
        (b'{"Locale":"en-us"}', "application/json"),
        (b'{"LOCALE":"en-us"}', "application/json"),
        (b"Locale=en-us", "application/x-www-form-urlencoded"),
        (b"locale=en-us", "application/x-www-form-urlencoded"),
        (b"a=b&locale=en%2Dus", "application/x-www-form-urlencoded"),
        (b'{"locale":"en-us"}', "application/x-www-form-urlencoded"),
        (b"locale=en-us", "application/json"),
        (b'{"locale":"en-us"}', None),
    ],
)
def test_a_locale_is_read_from_json_or_a_form_whatever_the_header_says(body: bytes, content_type: str | None) -> None:
    assert request.locale(post(body, content_type)) == "en-us"


@pytest.mark.parametrize(
    "body", [b"{}", b'{"locale":null}', b'{"locale":""}', b"locale=", b"language=en-us", b'{"language":"en-us"}']
)
def test_a_body_without_a_locale_says_so(body: bytes) -> None:
    with pytest.raises(LocaleMissing, match="Locale parameter is missing"):
        request.locale(post(body))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        *((body, "Invalid JSON format") for body in (b"{", b'{"locale":"en-us",,}', b'["locale"]', b"{'locale':'a'}")),
        *((body, "Invalid JSON format") for body in (b"en-us", b'"en-us"', b"   ", b"[" * 30_000)),
        (b"RIFF\xff\xfe\x00\x00", "not UTF-8"),
    ],
)
def test_a_body_that_is_neither_says_so(body: bytes, reason: str) -> None:
    with pytest.raises(BodyNotUnderstood, match=reason):
        request.locale(post(body))


def test_a_create_body_is_small() -> None:
    with pytest.raises(BodyTooLarge, match=r"65,536 bytes\. Received 65,537"):
        request.locale(post(b" " * 65_537))


@given(st.binary(max_size=200))
def test_no_create_body_causes_anything_but_a_refusal(body: bytes) -> None:
    try:
        assert request.locale(post(body))
    except (BodyMissing, BodyNotUnderstood, LocaleMissing):
        return


def test_a_body_has_at_least_a_byte_and_at_most_the_largest_size() -> None:
    with pytest.raises(BodyMissing, match="Request body is missing"):
        request.body(post(b""))
    assert len(request.body(post(b"x" * 10), maximum=10)) == 10
    with pytest.raises(BodyTooLarge) as raised:
        request.body(post(b"x" * 11), maximum=10)
    assert (raised.value.received_bytes, raised.value.maximum_bytes) == (11, 10)


@pytest.mark.parametrize(
    ("received", "coding"),
    [
        ("br", "br"), ("Deflate", "deflate"), ("identity, gzip", "gzip"), ("x-gzip", "x-gzip"), ("identity", None),
        ("UTF-8", None), ("", None),
    ],
)  # fmt: skip
def test_what_a_body_is_compressed_with(received: str, coding: str | None) -> None:
    headers = {"Content-Encoding": received}
    assert request.content_coding(func.HttpRequest("POST", "http://127.0.0.1/", headers=headers, body=b"x")) == coding
