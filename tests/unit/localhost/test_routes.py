"""Route templates and their precedence, as ASP.NET Core documents them."""

from __future__ import annotations

import pytest

from localhost.failure import CannotStart
from localhost.routes import Entry, Found, Route, RouteTable, WrongMethod

GUID = "0b5c9ba5-6c29-4cd3-8a0a-9dbf6e2a3c11"


def values(template: str, path: str) -> dict[str, str] | None:
    found = RouteTable([Entry(Route.parse(template), frozenset({"GET"}), template)]).find("GET", path)
    return found.values if isinstance(found, Found) else None


def target(templates: list[str], path: str) -> str | None:
    found = RouteTable([Entry(Route.parse(template), frozenset(), template) for template in templates]).find(
        "GET", path
    )
    return found.target if isinstance(found, Found) else None


@pytest.mark.parametrize("path", ["/spid/v1.0/verify", "/SPID/V1.0/Verify", "/spid/v1.0/verify/"])
def test_a_literal_matches_without_regard_to_case_or_one_trailing_slash(path: str) -> None:
    assert values("spid/v1.0/verify", path) == {}


@pytest.mark.parametrize(
    "path", ["//spid/v1.0/verify", "/spid//v1.0/verify", "/spid/v1.0/verify//", "/spid/v1x0/verify", "/"]
)
def test_a_slash_is_never_folded_and_a_dot_is_a_dot(path: str) -> None:
    assert values("spid/v1.0/verify", path) is None


def test_the_empty_route_is_the_root() -> None:
    assert values("", "/") == {}
    assert values("", "/x") is None


def test_a_parameter_keeps_its_case_and_is_decoded() -> None:
    assert values("profiles/{profileId}", "/profiles/A%20b") == {"profileId": "A b"}


def test_an_encoded_slash_is_data() -> None:
    assert values("profiles/{profileId}", "/profiles/a%2Fb") == {"profileId": "a%2Fb"}


def test_a_parameter_does_not_match_nothing() -> None:
    assert values("profiles/{profileId}", "/profiles/") is None


@pytest.mark.parametrize(
    ("constraint", "accepted", "refused"),
    [
        ("guid", GUID, GUID[:-1]),
        ("guid", GUID.replace("-", ""), "not-a-guid"),
        ("guid", "{" + GUID.upper() + "}", "{" + GUID),
        ("int", "-12", "1.5"),
        ("int", "2147483647", "2147483648"),
        ("long", "2147483648", "9223372036854775808"),
        ("bool", "TRUE", "yes"),
        ("alpha", "abcXYZ", "abc1"),
        ("length(2)", "ab", "abc"),
        ("length(1,3)", "abc", "abcd"),
        ("minlength(2)", "ab", "a"),
        ("maxlength(2)", "ab", "abc"),
        ("range(1,3)", "3", "4"),
        ("min(2)", "2", "1"),
        ("max(2)", "2", "3"),
        ("int:min(2)", "2", "x"),
        (r"regex(^\d{{3}}-(a|b)$)", "123-B", "1234-b"),
        ("regex(^(verification|identification)Profiles$)", "VerificationProfiles", "profiles"),
        ("regex(^(a)?$)", "a", "b"),
    ],
)
def test_a_constraint_decides_whether_the_route_matches(constraint: str, accepted: str, refused: str) -> None:
    assert values(f"x/{{value:{constraint}}}/end", f"/x/{accepted}/end") == {"value": accepted}
    assert values(f"x/{{value:{constraint}}}/end", f"/x/{refused}/end") is None


def test_an_optional_parameter_may_be_absent_and_is_then_not_named() -> None:
    assert values("products/{id:int?}", "/products") == {}
    assert values("products/{id:int?}", "/products/4") == {"id": "4"}
    assert values("products/{id:int?}", "/products/four") is None


def test_a_default_stands_in_for_an_absent_parameter() -> None:
    assert values("products/{page=1}", "/products") == {"page": "1"}


def test_a_catch_all_takes_the_rest_even_if_that_is_nothing() -> None:
    assert values("files/{*rest}", "/files/a/b") == {"rest": "a/b"}
    assert values("files/{*rest}", "/files") == {"rest": ""}


def test_a_segment_may_mix_parameters_and_literals() -> None:
    assert values("profiles/{profileId}:verify", f"/profiles/{GUID}:Verify") == {"profileId": GUID}
    assert values("files/{name}.{extension}", "/files/a.b.wav") == {"name": "a.b", "extension": "wav"}
    assert values("profiles/{profileId}:verify", "/profiles/:verify") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/p/all", "p/all"),
        (f"/p/{GUID}", "p/{id:guid}"),
        ("/p/x:verify", "p/{id}:verify"),
        ("/p/x", "p/{id}"),
        ("/p/x/y", "p/{*rest}"),
        ("/p", "p/{*rest}"),
    ],
)
def test_the_more_specific_template_wins_whatever_the_order(path: str, expected: str) -> None:
    templates = ["p/{*rest}", "p/{id}", "p/{id}:verify", "p/{id:guid}", "p/all"]
    assert target(templates, path) == expected
    assert target(templates[::-1], path) == expected


def test_two_functions_share_a_template_with_different_methods() -> None:
    route = Route.parse("profiles/{id}")
    table = RouteTable(
        [Entry(route, frozenset({"GET"}), "read"), Entry(route, frozenset({"DELETE", "PATCH"}), "change")]
    )
    assert table.find("PATCH", "/profiles/1") == Found("change", {"id": "1"})
    assert table.find("PUT", "/profiles/1") == WrongMethod(("DELETE", "GET", "PATCH"))
    assert table.find("GET", "/elsewhere") is None


@pytest.mark.parametrize("template", ["a/{b", "a//b", "a/{b:nonsense}", "a/{}", "a/{b c}"])
def test_a_template_that_cannot_be_read_stops_the_start(template: str) -> None:
    with pytest.raises(CannotStart, match="route"):
        Route.parse(template)
