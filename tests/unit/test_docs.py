"""What the documentation says in tables is what the code does."""

import re
from pathlib import Path

import pytest

from tools import doc_tables
from tools.evaluation.page import NETWORKS_TEMPLATE, TEMPLATE

README = Path(__file__).resolve().parents[2] / "README.md"


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


def test_the_readme_links_to_files_that_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
