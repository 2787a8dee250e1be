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
)
from shared.http import request

ID = "d7c62d70-632d-4e3d-af8b-8e5485f56dad"


def post(body: bytes, content_type: str | None = None, **params: str) -> func.HttpRequest:
    headers = {"Content-Type": content_type} if content_type else {}
    return func.HttpRequest("POST", "http://127.0.0.1/", headers=headers, params=params, body=body)


@pytest.mark.parametrize(
    "received",
    [
        ID,
        ID.upper(),
        ID.replace("-", ""),
        "d7c62d70632d-4e3d-af8b8e5485f56dad",
        f" {ID}\n",
    ],
)
def test_a_guid_comes_out_in_lower_case_with_dashes(received: str) -> None:
    assert request.guid(received) == ID


@pytest.mark.parametrize(
    "received",
    [
        "",
        "42",
        ID[:-1],
        ID + "0",
        "g" + ID[1:],
        "{" + ID + "}",
        ID.replace("-", "_"),
        ID.replace("-", "--"),
        "../" + ID,
        ID + "\x00",
        "٧7c62d70-632d-4e3d-af8b-8e5485f56dad",
    ],
)
def test_anything_else_is_no_guid(received: str) -> None:
    with pytest.raises(IdMalformed, match="32 digits with 4 dashes"):
        request.guid(received)


@given(st.uuids())
def test_every_guid_survives_the_loss_of_dashes_and_case(one: UUID) -> None:
    assert request.guid(one.hex.upper()) == str(one)


def test_a_list_may_end_with_a_comma_and_have_holes() -> None:
    assert request.guid_list("ids", f"{ID}, ,{ID.upper()},") == [ID, ID]


@pytest.mark.parametrize("received", [None, "", ",", " , "])
def test_a_list_needs_one_id(received: str | None) -> None:
    with pytest.raises(ParameterMissing, match=r"^profileIds parameter is missing"):
        request.guid_list("profileIds", received)


def test_one_bad_id_spoils_the_list() -> None:
    with pytest.raises(IdMalformed, match='"nobody"'):
        request.guid_list("ids", f"{ID},nobody")


@pytest.mark.parametrize("received", ["true", "True", "TRUE", " true "])
def test_true_in_any_case(received: str) -> None:
    assert request.boolean("shortAudio", received) is True


@pytest.mark.parametrize("received", ["false", "False", "FALSE", "", None])
def test_false_in_any_case_or_absent(received: str | None) -> None:
    assert request.boolean("shortAudio", received) is False


@pytest.mark.parametrize("received", ["1", "yes", "tru", "true,true"])
def test_anything_else_is_no_boolean(received: str) -> None:
    rule = 'Valid values are "true" and "false"'
    with pytest.raises(ParameterInvalid, match=f'shortAudio.*{rule}.*Received "{received}"'):
        request.boolean("shortAudio", received)


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


def test_a_locale_comes_as_it_was_written() -> None:
    assert request.locale(post(b'{"locale":"EN-us"}')) == "EN-us"


@pytest.mark.parametrize(
    "body", [b"{}", b'{"locale":null}', b'{"locale":""}', b"locale=", b"language=en-us", b'{"language":"en-us"}']
)
def test_a_body_without_a_locale_says_so(body: bytes) -> None:
    with pytest.raises(LocaleMissing, match="Locale parameter is missing"):
        request.locale(post(body))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"locale":"en-us",,}',
        b'["locale"]',
        b"{'locale':'en-us'}",
        b"en-us",
        b'"en-us"',
        b"   ",
        b"[" * 30_000,
    ],
)
def test_a_body_that_is_neither_says_so(body: bytes) -> None:
    with pytest.raises(BodyNotUnderstood, match="Invalid JSON format"):
        request.locale(post(body))


def test_a_binary_create_body_is_refused() -> None:
    with pytest.raises(BodyNotUnderstood, match="not UTF-8"):
        request.locale(post(b"RIFF\xff\xfe\x00\x00"))


def test_a_create_body_is_small() -> None:
    with pytest.raises(BodyTooLarge, match=r"65,536 bytes\. Received 65,537"):
        request.locale(post(b" " * 65_537))


@given(st.binary(max_size=200))
def test_no_create_body_causes_anything_but_a_refusal(body: bytes) -> None:
    try:
        assert request.locale(post(body))
    except (BodyMissing, BodyNotUnderstood, LocaleMissing):
        return


def test_an_empty_body_is_missing() -> None:
    with pytest.raises(BodyMissing, match="Request body is missing"):
        request.body(post(b""))


def test_a_body_of_the_largest_size_passes_and_one_more_byte_does_not() -> None:
    assert len(request.body(post(b"x" * 10), maximum=10)) == 10
    with pytest.raises(BodyTooLarge) as raised:
        request.body(post(b"x" * 11), maximum=10)
    assert (raised.value.received_bytes, raised.value.maximum_bytes) == (11, 10)


def test_a_media_type_comes_as_it_was_sent_or_not_at_all() -> None:
    doubled = "multipart/form-data, multipart/form-data"
    assert request.media_type(post(b"x", doubled)) == doubled
    assert request.media_type(post(b"x")) is None


@pytest.mark.parametrize(
    ("received", "coding"),
    [
        ("br", "br"),
        ("Deflate", "deflate"),
        ("identity, gzip", "gzip"),
        ("x-gzip", "x-gzip"),
        ("identity", None),
        ("UTF-8", None),
        ("", None),
    ],
)
def test_what_a_body_is_compressed_with(received: str, coding: str | None) -> None:
    headers = {"Content-Encoding": received}

    assert request.content_coding(func.HttpRequest("POST", "http://127.0.0.1/", headers=headers, body=b"x")) == coding
