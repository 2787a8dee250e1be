"""Release notes are the changelog's own words about the version that is released."""

from __future__ import annotations

import pytest

from tools.release_notes import NoNotes, main, notes

CHANGELOG = "# Changes\n\n## Unreleased\n\n## [1.2.0] - 2026-12-01\n\n### Added\n- This.\n\n## 1.1.0\n- That.\n"


def test_the_section_of_the_version_and_nothing_of_its_neighbours() -> None:
    assert notes("v1.2.0", "1.2.0", CHANGELOG) == "### Added\n- This."
    assert notes("v1.1.0", "1.1.0", CHANGELOG) == "- That."


@pytest.mark.parametrize(
    ("tag", "version", "message"),
    [
        ("v1.2.0", "1.1.0", r"The tag v1\.2\.0 is not v1\.1\.0"),
        *((f"v{version}", version, "has no section") for version in ("1.2", "1.3.0", "1x2.0")),
    ],
)
def test_another_tag_and_a_version_without_a_section_are_refused(tag: str, version: str, message: str) -> None:
    with pytest.raises(NoNotes, match=message):
        notes(tag, version, CHANGELOG)


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["v99.0.0"]) == 2
    assert "pyproject.toml" in capsys.readouterr().err
    assert main([]) == 2
