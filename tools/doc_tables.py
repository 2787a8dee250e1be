"""Writes what the documentation takes from the code: tables of ``docs/``, and the settings in openapi.json.

    python -m tools.doc_tables           rewrites the tables between their markers
    python -m tools.doc_tables --check   exit 1 when one is out of date

A test runs the check, so the tables cannot go stale.
"""

from __future__ import annotations

import ast
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from shared import config
from shared.domain import errors, limits
from shared.domain.limits import AudioRules
from shared.domain.subscription import SETTINGS, Owner
from shared.http.errors import V1, V2, Catalogue
from shared.http.settings import FIELDS
from tools import openapi

DOCS = Path(__file__).resolve().parents[1] / "docs"


def limits_table() -> str:
    """The single numbers of ``shared/domain/limits.py`` with the text that stands under each."""
    source = ast.parse(Path(limits.__file__).read_text(encoding="utf-8")).body
    rows = []
    for statement, following in pairwise(source):
        name = _assigned(statement)
        value = getattr(limits, name, None) if name else None
        if name and isinstance(value, int | float) and isinstance(following, ast.Expr):
            rows.append((_words(name), f"{value:,}", " ".join(ast.literal_eval(following.value).split())))
    return _table(("limit", "value", "why"), rows)


def audio_rules_table() -> str:
    """What a recording must be, per use."""
    rows = [
        (
            _words(name),
            f"{rules.min_seconds:g} to {rules.max_seconds:g} s",
            f"{rules.min_speech_seconds:g} s",
            f"{rules.min_snr_db:g} dB" if math.isfinite(rules.min_snr_db) else "",
            f"{rules.max_clipped_percent:g} %",
        )
        for name, rules in vars(limits).items()
        if isinstance(rules, AudioRules)
    ]
    return _table(("use", "audio", "speech, at least", "SNR, at least", "clipped, at most"), rows)


def settings_table() -> str:
    rows = [
        (f"`{one.name}`", f"`{one.default}`" if one.default else "", one.meaning + (" Secret." if one.secret else ""))
        for one in config.SETTINGS
    ]
    return _table(("setting", "default", "meaning"), rows)


def subscription_settings_table() -> str:
    owners = {Owner.CUSTOMER: "both", Owner.OPERATOR: "operator"}
    settings = [SETTINGS[field] for members in FIELDS[Owner.OPERATOR].values() for field in members.values()]
    rows = [
        (
            f"`{setting.wire}`",
            setting.type.rule.removeprefix("It must be ").removesuffix("."),
            f"`{json.dumps(setting.type.shown(setting.default))}`",
            owners[setting.owner],
            setting.meaning,
        )
        for setting in settings
    ]
    return _table(("setting", "value", "default", "who", "meaning"), rows)


def errors_table() -> str:
    """Every fact that has no more special one below it, and how each generation says it."""
    rows = []
    for fact in _facts(errors.TimbreError):
        if not any(below.__module__.startswith(errors.__name__) for below in fact.__subclasses__()):
            rows.append((f"`{fact.__name__}`", _on_the_wire(fact, V1), _on_the_wire(fact, V2)))
    return _table(("fact", "v1.0", "v2.0, 2021-09-05"), rows)


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "limits": ("limits.md", limits_table),
    "audio-rules": ("limits.md", audio_rules_table),
    "settings": ("settings.md", settings_table),
    "subscription-settings": ("management.md", subscription_settings_table),
    "errors": ("errors.md", errors_table),
}


def main(arguments: Sequence[str]) -> int:
    stale = [name for name, (file, render) in TABLES.items() if not _up_to_date(DOCS / file, name, render)]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/{TABLES[name][0]}: the table {name} is out of date: run python -m tools.doc_tables")
        if not openapi.up_to_date():
            print("openapi.json: settings are out of date: run python -m tools.doc_tables")
        return 1 if stale or not openapi.up_to_date() else 0
    openapi.write()
    for name in stale:
        file, render = TABLES[name]
        _write(DOCS / file, name, render())
    return 0


def _up_to_date(page: Path, name: str, render: Callable[[], str]) -> bool:
    return _block(name, render()) in page.read_text(encoding="utf-8")


def _write(page: Path, name: str, table: str) -> None:
    pattern = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->", re.DOTALL)
    text = page.read_text(encoding="utf-8")
    if not pattern.search(text):
        raise SystemExit(f"{page.name} has no markers <!-- {name} --> and <!-- /{name} -->.")
    page.write_text(pattern.sub(lambda _: _block(name, table), text), encoding="utf-8")


def _block(name: str, table: str) -> str:
    return f"<!-- {name} -->\n{table}\n<!-- /{name} -->"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Docstrings mark code with two backticks, Markdown with one."""
    return text.replace("|", "\\|").replace("``", "`")


def _assigned(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return None


def _words(name: str) -> str:
    """A constant's name as a reader's words: ``MAX_BODY_BYTES`` is "max body bytes"."""
    return name.replace("_", " ").lower()


def _facts(root: type[errors.TimbreError]) -> Iterable[type[errors.TimbreError]]:
    for fact in root.__subclasses__():
        if fact.__module__.startswith(errors.__name__):
            yield fact
            yield from _facts(fact)


def _on_the_wire(fact: type[errors.TimbreError], catalogue: Catalogue) -> str:
    answer = catalogue.answer(fact)
    if answer is None:
        return "does not occur"
    opening = f" {answer.opening}" if answer.opening else ""
    return f"{answer.status} `{answer.code}`{opening}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
