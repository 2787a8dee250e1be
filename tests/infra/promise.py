"""A promise about the infrastructure: a function over its files that raises ``AssertionError`` when it is not kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.infra.bicep import Infra, Resource

PROMISES: Final[dict[str, Callable[[Infra], None]]] = {}
"""By name. ``test_promises.py`` tries each on the real files, and on copies with the promised property flipped."""


def promise(function: Callable[[Infra], None]) -> Callable[[Infra], None]:
    PROMISES[function.__name__] = function
    return function


def settings_of(infra: Infra) -> dict[str, Any]:
    settings = infra.resource("function-app", "settings")
    assert (settings.at("parent"), settings.at("name")) == ("app", "appsettings")
    properties: dict[str, Any] = settings.at("properties")
    return properties


def logged(one: Resource) -> set[str]:
    assert one.at("properties", "workspaceId") in ("workspaceId", property_of("workspace", "id"))
    return {log["category"] for log in one.at("properties", "logs") if log["enabled"] is True}


def choice(value: Any) -> tuple[Any, Any, Any]:
    """Condition, value if true, value if false of ``a ? b : c``."""
    assert isinstance(value, dict), f"no choice: {value}"
    operands = value["operator"]["operands"]
    return operands["condition"], operands["true_value"], operands["false_value"]


def property_of(owner: str, name: str) -> dict[str, Any]:
    return {"operator": {"type": "property_accessor", "operands": {"operand_1": owner, "operand_2": name}}}


def output_of(value: Any) -> tuple[str, str]:
    """Module and output of ``module.outputs.name``."""
    assert isinstance(value, dict), f"no output: {value}"
    operands = value["operator"]["operands"]
    inner = operands["operand_2"]["operator"]["operands"]
    assert inner["operand_1"] == "outputs"
    return operands["operand_1"], inner["operand_2"]
