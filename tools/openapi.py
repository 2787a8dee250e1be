"""The parts of openapi.json that the code knows: what subscriptions may set.

The whole file is written in one form, so that a change of a setting changes nothing else in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from shared.domain.setting_types import Schema
from shared.domain.subscription import SETTINGS
from shared.http.settings import FIELDS

DOCUMENT: Final = Path(__file__).resolve().parents[1] / "openapi.json"
WIDTH: Final = 116
"""Characters of a line: what is shorter stands in one."""

_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def document() -> str:
    """openapi.json with the settings of today's code."""
    content = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    content["components"]["schemas"] |= json.loads(json.dumps(settings_schemas()), parse_float=_number)
    return _written(content, 0, 0) + "\n"


def up_to_date() -> bool:
    return DOCUMENT.read_text(encoding="utf-8") == document()


def write() -> None:
    DOCUMENT.write_text(document(), encoding="utf-8")


def settings_schemas() -> dict[str, Schema]:
    """A schema for each object of the wire, and four for all that each owner sees and may change."""
    schemas: dict[str, Schema] = {}
    for owner, places in FIELDS.items():
        shown = {name: _placed(schemas, name, members, "") for name, members in places.items()}
        change = {name: _placed(schemas, name, members, "Change") for name, members in places.items()}
        whole = f"{owner.capitalize()}Settings"
        schemas[whole] = _object(shown) | {"required": list(shown)}
        schemas[f"{whole}Change"] = _object(change) | {"description": "What is absent stays as it is."}
    return schemas


def _placed(schemas: dict[str, Schema], name: str, members: Mapping[str, str], suffix: str) -> Schema:
    """A scalar as it is; an object as a reference to its schema, which is one for both uses where they are alike."""
    schema, title = _schema(members, changed=bool(suffix)), f"{name[0].upper()}{name[1:]}"
    if "properties" not in schema and "additionalProperties" not in schema:
        return schema
    if schema != schemas.setdefault(title, schema):
        title += suffix
        schemas[title] = schema
    return {"$ref": f"#/components/schemas/{title}"}


def _schema(members: Mapping[str, str], *, changed: bool) -> Schema:
    schemas: dict[str, Schema] = {}
    for inside, field in members.items():
        setting = SETTINGS[field]
        schema = (changed and setting.type.schema_of_change) or setting.type.schema
        schemas[inside] = {**schema, "description": _LINK.sub(r"\1", setting.meaning)}
    return schemas.get("") or _object(schemas)


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _written(value: Any, indent: int, before: int) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or indent + before + len(line) <= WIDTH:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, list):
        lines = [f"{inner}{_written(item, indent + 2, 0)}" for item in value]
        return "[\n" + ",\n".join(lines) + f"\n{' ' * indent}]"
    names = {json.dumps(name): item for name, item in value.items()}
    lines = [f"{inner}{name}: {_written(item, indent + 2, len(name) + 2)}" for name, item in names.items()]
    return "{\n" + ",\n".join(lines) + f"\n{' ' * indent}" + "}"
