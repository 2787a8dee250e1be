"""Prints what CHANGELOG.md says about a version.

    python -m tools.release_notes v0.1.0

The version must be the one in pyproject.toml, which is the only place that says it. Exit code 2 when it is not, or when
the changelog has nothing about it. Standard library only.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


class NoNotes(Exception):
    """One sentence: why there are none."""


def notes(tag: str, version: str, changelog: str) -> str:
    """The section of that version, without its heading. Raises ``NoNotes``."""
    if tag != f"v{version}":
        raise NoNotes(f"The tag {tag} is not v{version}, the version in pyproject.toml: change one of them.")
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        heading, _, body = section.partition("\n")
        if re.match(rf"\[?{re.escape(version)}\]?(\s|$)", heading) and body.strip():
            return body.strip()
    raise NoNotes(f"CHANGELOG.md has no section {version}: turn Unreleased into it.")


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m tools.release_notes TAG", file=sys.stderr)
        return 2
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    try:
        print(notes(arguments[0], str(project["version"]), changelog))
    except NoNotes as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
