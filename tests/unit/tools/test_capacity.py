"""Size and cost follow from their inputs, and docs/cost.md shows what the formulae give."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tools.capacity import ALERT_RULES, SIZES, Measures, Prices, Size, main, month, production, production_table, table
from tools.package import REPOSITORY

FREE = Prices(**dict.fromkeys(Prices.__dataclass_fields__, 0.0))


def test_the_table_of_the_page_is_what_the_formulae_give() -> None:
    page = (REPOSITORY / "docs" / "cost.md").read_text(encoding="utf-8")
    assert f"<!-- capacity -->\n{table(Prices(), Measures())}\n<!-- /capacity -->" in page
    assert f"<!-- production -->\n{production_table(Prices(), Measures())}\n<!-- /production -->" in page


def test_the_readme_has_what_a_thousand_verifications_a_day_cost() -> None:
    cost = month(Size("x", 30 * 1_000, 1_000), Prices(), Measures())
    added = sum(count * price for _, count, price in production(Prices(), Measures()))
    text = " ".join((REPOSITORY / "README.md").read_text(encoding="utf-8").split())
    assert f"about {cost.total:.0f} US dollars a month, {cost.fixed:.0f} of them for alerts" in text
    assert f"adds about {added:.0f}." in text


@pytest.mark.parametrize(
    ("price", "part", "expected"),
    [
        ("gb_second", "compute", 2_000_000 + 2 * 2 * 25_920),
        ("million_executions", "compute", 1.02592),
        ("million_storage_calls", "storage", 4.0),
        ("stored_gb", "storage", 2.0),
        ("log_gb", "logs", 6.0),
        ("alert_rule", "fixed", ALERT_RULES),
    ],
)
def test_each_price_counts_what_it_is_for(price: str, part: str, expected: float) -> None:
    one = month(Size("x", 1_000_000, 2_000), replace(FREE, **{price: 1.0}), Measures())
    assert getattr(one, part) == pytest.approx(expected)
    assert one.total == pytest.approx(expected)


def test_what_is_free_is_not_paid() -> None:
    prices = replace(FREE, gb_second=1.0, free_gb_seconds=1e9, log_gb=1.0, free_log_gb=1e9)
    assert month(SIZES[2], prices, Measures()).total == 0.0


def test_instances_follow_the_busiest_minute() -> None:
    size = Size("x", 8 * 30 * 24 * 3600.0, 0, peak=3.0)
    assert month(size, FREE, Measures()).instances_at_peak == 3
    assert month(replace(size, always_ready=5), FREE, Measures()).instances_at_peak == 5
    assert month(Size("x", 0, 0), FREE, Measures()).instances_at_peak == 1


def test_the_command_takes_sizes_and_prices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recognitions", "1000", "--price", "alert_rule=100"]) == 0
    rows = dict(re.findall(r"\| ([\w ]+) \| ([\d,]+) \|", capsys.readouterr().out))
    assert rows["recognitions"] == rows["profiles"] == "1,000"
    assert (rows["instances at peak"], rows["alerts"]) == ("1", f"{100 * ALERT_RULES}")
    with pytest.raises(SystemExit):
        main(["--price", "moon=1"])
