"""The documents: tables agree with the code, links lead somewhere, and pages are written for their readers."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from shared.domain.setting_types import whole
from shared.domain.subscription import SETTINGS
from tools import doc_tables, openapi
from tools.evaluation.page import NETWORKS_TEMPLATE, TEMPLATE

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("samples/*.md"), ROOT / "infra" / "README.md"])
USER_PAGES = [page for page in PAGES if page.parent == DOCS and page.name not in ("contract.md", "security-model.md")]
PROVEN_PAGES = [DOCS / "security-model.md", *sorted((DOCS / "legal").glob("*.md"))]
"""In their tables whose last or named column is of tests, each claim has the test that keeps it."""
MAX_LINE = 120
MAX_COLUMNS = 5


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("name", doc_tables.TABLES)
def test_a_table_of_the_documentation_is_what_the_code_says(name: str) -> None:
    file, render = doc_tables.TABLES[name]

    assert doc_tables._block(name, render()) in (doc_tables.DOCS / file).read_text(encoding="utf-8")


def test_a_changed_number_makes_its_table_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.domain.limits.MAX_CANDIDATES", 51)

    assert doc_tables.main(["--check"]) == 1


@pytest.mark.parametrize(
    ("template", "page"), [(TEMPLATE, "accuracy.md"), (NETWORKS_TEMPLATE, "internals/networks.md")]
)
def test_a_page_of_figures_is_what_its_template_makes(template: Path, page: str) -> None:
    fixed = re.split(r"\$\w+", template.read_text(encoding="utf-8"))
    pattern = ".+?".join(re.escape(text) for text in fixed)

    assert re.fullmatch(pattern, (doc_tables.DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """File and anchor of each link to a file of this repository."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"""(?:\]\(|<img src=")([^)"\s]+)[)"]""", text):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


@cache
def _anchors(page: Path) -> set[str]:
    """As GitHub makes them: lower case, blanks become dashes, other signs go."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    titles = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE))
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for file, anchor in _links(page):
        assert file.exists(), file
        assert not anchor or anchor in _anchors(file), f"{file.name}#{anchor}"


def test_every_page_can_be_reached_from_the_index() -> None:
    reached, ahead = set[Path](), [DOCS / "index.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        ahead += [file for file, _ in _links(page) if file.suffix == ".md" and file not in reached]

    assert {page for page in PAGES if page.is_relative_to(DOCS)} <= reached


@pytest.mark.parametrize("page", USER_PAGES, ids=_name)
def test_a_page_for_users_names_no_internal_file_and_no_issue(page: Path) -> None:
    assert (
        re.findall(r"\b(?:shared|tests)/|\bissues? \d+|/issues/\d+|(?<![\w&])#\d+", page.read_text(encoding="utf-8"))
        == []
    )


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_lines_and_tables_are_for_a_person(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = text.splitlines()
    wide = [line for line in lines if line.startswith("|") and len(re.findall(r"(?<!\\)\|", line)) > MAX_COLUMNS + 1]
    long = [line for line in lines if len(line) > MAX_LINE and not line.startswith(("|", "    ", "<"))]

    assert (wide, long) == ([], [])


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", page.read_text(encoding="utf-8"))
    missing = [
        (file, name)
        for file, name in named
        if not (ROOT / file).exists() or (name and f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8"))
    ]
    assert missing == []


@pytest.mark.parametrize("page", PROVEN_PAGES, ids=_name)
def test_each_claim_names_the_test_that_keeps_it(page: Path) -> None:
    tables = re.findall(
        r"^(\|.*\| (?:test|kept by) \|.*)\n\|[ |-]+\n((?:\|.*\n)+)", page.read_text(encoding="utf-8"), re.M
    )
    assert tables
    for head, rows in tables:
        column = next(at for at, cell in enumerate(head.split(" | ")) if cell.strip("| ") in ("test", "kept by"))
        for row in rows.splitlines():
            cell = row.split(" | ")[column]
            assert re.search(r"`tests/[\w/]+\.py::test_\w+`|no test: \w", cell), row


def test_every_page_and_fact_that_the_code_cites_is_there() -> None:
    folders = ("functions", "infra", "localhost", "shared", "tests", "tools")
    files = [path for folder in folders for suffix in ("py", "bicep") for path in (ROOT / folder).rglob(f"*.{suffix}")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if "node_modules" not in path.parts)
    pages = set(re.findall(r"\bdocs/[\w/-]+\.md", text))
    cited = {int(number) for run in re.findall(r"\bfacts? ([\d, and]+)", text) for number in re.findall(r"\d+", run)}
    facts = re.findall(r"^(\d+)\. ", (DOCS / "contract.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert {page for page in pages if not (ROOT / page).exists()} == set()
    assert cited <= set(map(int, facts))


def test_openapi_has_the_settings_of_the_code() -> None:
    assert openapi.up_to_date(), "run python -m tools.doc_tables"


def test_a_changed_bound_makes_openapi_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    wider = replace(SETTINGS["max_candidates"], type=whole(201))
    monkeypatch.setattr("tools.openapi.SETTINGS", {**SETTINGS, "max_candidates": wider})
    assert doc_tables.main(["--check"]) == 1
