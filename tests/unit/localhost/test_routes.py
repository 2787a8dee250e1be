"""Route templates as Timbre writes them, tried in the order in which Azure's host tries them."""

from __future__ import annotations

import pytest

from localhost.failure import CannotStart
from localhost.routes import ROOT, RouteTable
from localhost.worker import Function
from tests.api.every_route import functions, http_trigger

FAMILY = "{family:regex(^(verification|identification)$)}"
ELSEWHERE = "{*path:regex(^(?!(admin|runtime)(/|$)))}"


def table(*templates: str, methods: tuple[str, ...] = ("GET",)) -> RouteTable:
    """Functions whose names are in the order of their templates."""
    return RouteTable(
        Function(f"{number} {template}", "", {"type": "httpTrigger", "route": template, "methods": methods})
        for number, template in enumerate(templates)
    )


def values(template: str, path: str) -> dict[str, str] | None:
    found = table(template).find("GET", path)
    return found[1] if found else None


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("spid/v1.0/verify", "/spid/v1.0/verify", {}),
        ("spid/v1.0/verify", "/SPID/V1.0/Verify/", {}),
        ("spid/v1.0/verify", "//spid/v1.0/verify", None),
        ("spid/v1.0/verify", "/spid//v1.0/verify", None),
        ("spid/v1.0/verify", "/spid/v1.0/verify//", None),
        ("spid/v1.0/verify", "/spid/v1x0/verify", None),
        ("profiles/{id}", "/profiles/A%20b", {"id": "A b"}),
        ("profiles/{id}", "/profiles/a%2Fb", {"id": "a%2Fb"}),
        ("profiles/{id}", "/profiles/a%2fb", {"id": "a%2Fb"}),
        ("profiles/{id}", "/profiles/a%0Ab", {"id": "a\nb"}),
        ("profiles/{id}", "/profiles/", None),
        ("profiles/{id}", "/profiles/a/b", None),
        ("profiles/{id}:verify", "/profiles/7:Verify", {"id": "7"}),
        ("profiles/{id}:verify", "/profiles/7%3Averify", {"id": "7"}),
        ("profiles/{id}:verify", "/profiles/:verify", None),
        (f"{FAMILY}/profiles", "/Verification/profiles", {"family": "Verification"}),
        (f"{FAMILY}/profiles", "/verifications/profiles", None),
        (f"{FAMILY}/{{id}}", "/verification/1", {"family": "verification", "id": "1"}),
        (ROOT, "/", {}),
        (ROOT, "/x", None),
        (ELSEWHERE, "/a//b/c", {"path": "a//b/c"}),
        (ELSEWHERE, "/administrators", {"path": "administrators"}),
        (ELSEWHERE, "/admin/x", None),
        (ELSEWHERE, "/Runtime", None),
        (ELSEWHERE, "/", None),
    ],
)
def test_what_a_template_takes(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert values(template, path) == expected


def test_the_first_function_by_name_that_takes_path_and_method_gets_the_request() -> None:
    found = table("p/{id}", "p/all", ELSEWHERE).find("GET", "/p/all")
    assert found is not None
    assert (found[0].name, found[1]) == ("0 p/{id}", {"id": "all"})


def test_a_function_without_the_method_is_passed_over() -> None:
    assert table("p/{id}", methods=("GET", "DELETE")).find("PATCH", "/p/1") is None


@pytest.mark.parametrize(
    "template", ["a/{b", "a/b}", "a/{b:guid}", "a/{b?}", "a/{b=1}", "a/{}", "a/{b c}", "{*rest}/a", "a/{b:regex({2})}"]
)
def test_a_template_that_it_cannot_read_stops_the_start(template: str) -> None:
    with pytest.raises(CannotStart, match="cannot read the route"):
        table(template)


def test_it_reads_every_template_of_the_app() -> None:
    triggers = [trigger for function in functions() if (trigger := http_trigger(function))]
    assert triggers
    table(*(str(trigger["route"]) for trigger in triggers))
