"""Alerts and workbook ask for log lines that the code writes, and for the fields that those lines have."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from functools import cache
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import Final

import pytest

from shared.domain.errors import SubscriptionUnknown
from shared.domain.limits import WRONG_KEYS_PER_MINUTE
from shared.http.errors import V1, V2
from shared.services import measure
from tests.infra.template import INFRA, Infra
from tests.service import REPOSITORY

TIMERS: Final = ("retention", "compaction", "migration", "turns")
"""Their shared lines begin with ``%s_``, for the timer's name (``shared/services/sweep.py``)."""
CALL: Final = re.compile(r"\b(?:log|logger)\.(\w+)\(\s*((?:\"[^\"]*\"\s*)+)")
ASKED: Final = re.compile(r'Message startswith "(\w+)"')
FIELD: Final = re.compile(r'extract\("(\w+)=')
PARSED: Final = re.compile(r"parse-kv Message as \(([^)]*)\)")


def log_calls() -> Iterator[tuple[str, str]]:
    """Level and format of every log call in the app."""
    for folder in ("functions", "shared"):
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            for level, strings in CALL.findall(file.read_text(encoding="utf-8")):
                text = "".join(re.findall(r'"([^"]*)"', strings))
                for timer in TIMERS if text.startswith("%s_") else ("",):
                    yield level, text.replace("%s", timer, 1) if timer else text


@cache
def emitted() -> dict[str, str]:
    """Event -> its format; of a recognition the line itself, whose fields are named where they are gathered."""
    lines = SimpleQueue[logging.LogRecord]()
    recorder, level = QueueHandler(lines), measure.log.level
    measure.log.addHandler(recorder)
    measure.log.setLevel(logging.INFO)
    with measure.measured("verify", "subscription", "request"):
        pass
    measure.log.removeHandler(recorder)
    measure.log.setLevel(level)
    return {text.split()[0]: text for text in (*(text for _, text in log_calls()), lines.get().getMessage())}


def queries() -> Iterator[tuple[str, str]]:
    for file in sorted((INFRA / "queries").glob("*.kql")):
        yield file.stem, file.read_text(encoding="utf-8")
    for item in json.loads((INFRA / "workbook.json").read_text(encoding="utf-8"))["items"]:
        if item["type"] == 3:
            yield item["name"], item["content"]["query"]


QUERIES: Final = dict(queries())


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_lines_and_fields_that_are_written(name: str) -> None:
    query, written = QUERIES[name], emitted()
    columns = [column.split(":")[0].strip() for group in PARSED.findall(query) for column in group.split(",")]
    for event in set(ASKED.findall(query)):
        for field in [*FIELD.findall(query), *columns]:
            assert f" {field}=" in written[event], f"{event}: {field}"
        assert event in written
    text = re.sub(r'"[^"]*"', "", query)
    assert all(text.count(opening) == text.count(closing) for opening, closing in ("()", "[]"))
    assert re.search(r"\b(AppTraces|AppRequests|AppExceptions)\b", text)


def test_the_alert_of_wrong_keys_counts_the_answer_that_they_get() -> None:
    (status,) = re.findall(r"toint\(ResultCode\) == (\d+)", QUERIES["wrong-keys"])
    for catalogue in (V1, V2):
        answer = catalogue.answer(SubscriptionUnknown)
        assert answer is not None
        assert answer.status == int(status)


def test_the_alert_of_wrong_keys_notices_a_single_address(infra: Infra) -> None:
    """To which a process answers 401 so many times a minute and then 429."""
    assert infra.template["parameters"]["wrongKeysAlert"]["defaultValue"] < 15 * WRONG_KEYS_PER_MINUTE


def test_the_error_alert_knows_every_refusal_that_is_answered_with_5xx() -> None:
    bases = {error for error, answer in {**V1.answers, **V2.answers}.items() if answer.status >= 500}
    named = re.findall(r'"(\w+)"', QUERIES["error-percent"].split("Reason in (")[1].split(")")[0])
    assert set(named) == {error.__name__ for base in bases for error in (base, *base.__subclasses__())}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_functions_by_their_whole_names(name: str) -> None:
    """`has` would take `profile_retention`, which callers call, for the timer `retention`."""
    code = "".join(file.read_text(encoding="utf-8") for file in sorted((REPOSITORY / "functions").glob("*.py")))
    timers = set(re.findall(r'function_name\("(\w+)"\)\n@\w+\.timer_trigger', code))
    assert timers >= {"retention", "compaction", "migration"}
    for condition in re.findall(r"OperationName ([^|\n]*)", QUERIES[name]):
        if condition.startswith(("==", "in ", "has", "contains", "startswith")):
            assert condition.startswith(("==", "in (")), condition
            assert set(re.findall(r'"(\w+)"', condition)) <= timers


def test_the_workbook_shows_every_error_that_the_app_logs() -> None:
    errors = {text.split()[0] for level, text in log_calls() if level in ("error", "critical", "exception")}
    assert errors >= {"seal_broken", "retention_failed", "audit_unwritten"}
    assert errors <= set(ASKED.findall(QUERIES["alarms"]))


def test_log_lines_that_alerts_count_are_not_sampled() -> None:
    host = json.loads((REPOSITORY / "host.json").read_text(encoding="utf-8"))
    excluded = host["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"].split(";")
    assert {"Request", "Trace"} <= set(excluded)
    assert host["logging"]["logLevel"]["default"] == "Information"


def test_the_workbook_is_about_one_workspace() -> None:
    workbook = json.loads((INFRA / "workbook.json").read_text(encoding="utf-8"))
    assert workbook["version"] == "Notebook/1.0"
    assert workbook["fallbackResourceIds"] == ["<workspace id>"]
    assert "'<workspace id>'" in (INFRA / "modules/workbook.bicep").read_text(encoding="utf-8")
