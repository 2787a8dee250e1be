"""Release notes are the changelog's own words about the version that is released."""

from __future__ import annotations

import pytest

from tools.release_notes import NoNotes, main, notes

CHANGELOG = "# Changes\n\n## Unreleased\n\n## [1.2.0] - 2026-12-01\n\n### Added\n- This.\n\n## 1.1.0\n- That.\n"


def test_the_section_of_the_version_and_nothing_of_its_neighbours() -> None:
    assert notes("v1.2.0", "1.2.0", CHANGELOG) == "### Added\n- This."
    assert notes("v1.1.0", "1.1.0", CHANGELOG) == "- That."


def test_a_tag_that_is_not_the_projects_version_is_refused() -> None:
    with pytest.raises(NoNotes, match=r"The tag v1\.2\.0 is not v1\.1\.0"):
        notes("v1.2.0", "1.1.0", CHANGELOG)


@pytest.mark.parametrize("version", ["1.2", "1.3.0", "1x2.0"])
def test_a_version_without_a_section_is_refused(version: str) -> None:
    with pytest.raises(NoNotes, match="has no section"):
        notes(f"v{version}", version, CHANGELOG)


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["v99.0.0"]) == 2
    assert "pyproject.toml" in capsys.readouterr().err
    assert main([]) == 2
