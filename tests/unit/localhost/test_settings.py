from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest

from localhost import settings
from localhost.failure import CannotStart

SAMPLE = json.dumps({"IsEncrypted": False, "Values": {"A": "1", "KEY": "local:generated-at-first-start"}})


@pytest.mark.parametrize("name", ["local.settings.sample.json", "local.settings.json"])
def test_the_sample_or_its_copy_gets_a_key_once_and_is_its_owners_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(SAMPLE)
    values = settings.load(tmp_path)
    assert values["A"] == "1"
    assert len(base64.b64decode(values["KEY"].removeprefix("local:"))) == 32
    file = tmp_path / "local.settings.json"
    assert json.loads(file.read_text())["Values"] == values == settings.load(tmp_path)
    assert sys.platform == "win32" or file.stat().st_mode & 0o077 == 0


def test_two_checkouts_have_different_keys(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "local.settings.sample.json").write_text(SAMPLE)
    assert settings.load(tmp_path / "one")["KEY"] != settings.load(tmp_path / "two")["KEY"]


def test_no_sample_and_no_file_are_no_settings(tmp_path: Path) -> None:
    assert settings.load(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "not valid JSON"),
        ('{"Values": {"A": 1}}', "strings only"),
        ('{"Values": []}', "strings only"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "local.settings.json").write_text(text)
    with pytest.raises(CannotStart, match=said):
        settings.load(tmp_path)


def test_the_environment_wins_over_the_file() -> None:
    environment = {"A": "from the environment"}
    settings.apply({"A": "from the file", "B": "from the file"}, environment)
    assert environment == {"A": "from the environment", "B": "from the file"}


@pytest.mark.parametrize(
    ("file", "environment", "expected"),
    [
        ({}, {}, True),
        ({"VOICE_STORAGE": "UseDevelopmentStorage=true"}, {}, True),
        ({"VOICE_STORAGE": "AccountName=mine"}, {}, False),
        ({}, {"VOICE_STORAGE": "UseDevelopmentStorage=true"}, False),
    ],
)
def test_azurite_is_brought_only_when_nobody_named_a_storage(
    file: dict[str, str], environment: dict[str, str], expected: bool
) -> None:
    assert settings.wants_own_storage(file, environment) is expected
