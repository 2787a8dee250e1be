"""The catalogue as values, and what is said when it is not in order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.inference.model_card import (
    CATALOGUE_FILE,
    ArraysSource,
    CatalogueInvalid,
    DownloadSource,
    FbankRules,
    ModelUnknown,
    WheelSource,
    WheelTarget,
    read_catalogue,
)


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The real catalogue with a change to the entry of the published CAM++."""
    content = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    change(next(one for one in content["speaker_models"] if one["model_id"] == "campplus-zh-en-1"))
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_default_model_is_built_from_a_pinned_wheel_and_calibrated() -> None:
    card = read_catalogue().speaker("ge2e-1")
    assert isinstance(card.source, WheelSource)
    assert card.calibration is not None
    assert card.fbank is None


def test_the_taught_network_is_made_of_arrays_in_this_repository() -> None:
    card = read_catalogue().speaker("campplus-channels-1")
    assert isinstance(card.source, ArraysSource)
    assert card.set_up
    assert card.calibration is not None
    assert card.fbank == FbankRules("povey", 1.0, -20.0)


def test_the_published_network_comes_from_one_wheel_whatever_python_asks() -> None:
    card = read_catalogue().speaker("campplus-zh-en-1")
    assert isinstance(card.source, WheelSource)
    assert card.source.target == WheelTarget("3.11", "manylinux_2_28_x86_64")
    assert not card.set_up
    assert card.calibration is None


def test_an_entry_of_a_deployments_own_says_where_its_file_is_from(tmp_path: Path) -> None:
    own = {"url": "https://models.example/x.onnx", "page": "https://models.example", "sha256_origin": "our own"}
    card = read_catalogue(changed(tmp_path, lambda entry: entry.update(source=own))).speaker("campplus-zh-en-1")
    assert card.source == DownloadSource(**own)


def test_speech_may_be_left_at_its_own_level(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda entry: entry["fbank"].pop("level_dbfs"))
    assert read_catalogue(path).speaker("campplus-zh-en-1").fbank == FbankRules("povey", 1.0, None)


def test_every_entry_has_a_file_of_its_own_and_a_well_formed_sha256() -> None:
    cards = read_catalogue().cards
    assert len({card.file.name for card in cards}) == len({card.model_id for card in cards}) == len(cards)
    for card in cards:
        assert re.fullmatch(r"[0-9a-f]{64}", card.file.sha256 or "")


def test_an_unknown_model_names_the_known_ones_and_the_command() -> None:
    with pytest.raises(ModelUnknown, match=r'no model "ge3e".* ge2e-1, .*python dev\.py model NAME'):
        read_catalogue().speaker("ge3e")


def test_a_sha256_may_be_left_to_the_operator(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda entry: entry["file"].pop("sha256"))
    assert read_catalogue(path).speaker("campplus-zh-en-1").file.sha256 is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entry: entry.update(front_end="mfcc13"), "front_end: expected one of ge2e-mel40, kaldi-fbank80."),
        (lambda entry: entry["fbank"].update(window="blackman"), "fbank: window: expected one of povey, hamming."),
        (lambda entry: entry.pop("fbank"), "fbank: expected an object."),
        (lambda entry: entry.update(dimension="256"), "dimension: expected a whole number."),
        (lambda entry: entry.update(dimension=True), "dimension: expected a whole number."),
        (lambda entry: entry.update(version="May 2024"), "version: expected a date, yyyy-mm-dd."),
        (lambda entry: entry["source"].pop("member"), "source: member: expected a text."),
        (lambda entry: entry["source"].pop("package"), "source: package: expected a text."),
        (lambda entry: entry["source"]["target"].pop("python"), "source: target: python: expected a text."),
        (lambda entry: entry["fbank"].update(level_dbfs="loud"), "fbank: level_dbfs: expected a number."),
        (lambda entry: entry["file"].pop("size_bytes"), "file: size_bytes: expected a whole number."),
        (
            lambda entry: entry.update(calibration={"bias": 1}),
            "calibration: Invalid calibration.cosine parameter",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(CatalogueInvalid, match=re.escape(f"catalogue.json: speaker_models[2]: {message}")):
        read_catalogue(changed(tmp_path, change))


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CatalogueInvalid, match=r"catalogue\.json"):
        read_catalogue(path)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueInvalid, match="FileNotFoundError"):
        read_catalogue(tmp_path / "catalogue.json")
