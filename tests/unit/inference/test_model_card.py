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
    CatalogueInvalid,
    FbankRules,
    ModelUnknown,
    read_catalogue,
)
from tools.models.sources import ArraysSource, DownloadSource, WheelSource, WheelTarget, source_of


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The real catalogue with a change to the entry of the published CAM++."""
    content = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    change(next(entry for entry in content["speaker_models"] if entry["model_id"] == "campplus-zh-en-1"))
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_models_that_are_shipped() -> None:
    earlier, default, published = read_catalogue().speaker_models
    assert isinstance(source_of(earlier), WheelSource)
    assert (earlier.fbank, earlier.calibration is None) == (None, False)
    assert isinstance(source_of(default), ArraysSource)
    assert (default.set_up, default.calibration is None) == (True, False)
    assert default.fbank == FbankRules("povey", 1.0, -20.0)
    source = source_of(published)
    assert isinstance(source, WheelSource)
    assert source.target == WheelTarget("3.11", "manylinux_2_28_x86_64")
    assert (published.set_up, published.calibration) == (False, None)


def test_an_entry_of_a_deployments_own_says_where_its_file_is_from_and_may_leave_out_level_and_sha256(
    tmp_path: Path,
) -> None:
    own = {"url": "https://models.example/x.onnx", "page": "https://models.example", "sha256_origin": "our own"}

    def change(entry: dict[str, Any]) -> None:
        entry.update(source=own)
        del entry["fbank"]["level_dbfs"], entry["file"]["sha256"]

    card = read_catalogue(changed(tmp_path, change)).speaker("campplus-zh-en-1")
    assert source_of(card) == DownloadSource(**own)
    assert (card.fbank, card.file.sha256) == (FbankRules("povey", 1.0, None), None)


def test_a_sites_own_calibration_goes_before_the_cards(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda entry: None)
    own = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))["speaker_models"][0]["calibration"] | {"bias": -12}
    (tmp_path / "ge2e-1.calibration.json").write_text(json.dumps(own), encoding="utf-8")
    calibrations = [card.calibration and card.calibration.bias for card in read_catalogue(path).speaker_models]
    assert calibrations[0] == -12.0
    assert calibrations[1:] == [
        card.calibration and card.calibration.bias for card in read_catalogue().speaker_models[1:]
    ]


def test_every_entry_has_a_file_of_its_own_and_a_well_formed_sha256() -> None:
    cards = read_catalogue().cards
    assert len({card.file.name for card in cards}) == len({card.model_id for card in cards}) == len(cards)
    assert all(re.fullmatch(r"[0-9a-f]{64}", card.file.sha256 or "") for card in cards)


def test_an_unknown_model_names_the_known_ones_and_the_command() -> None:
    with pytest.raises(ModelUnknown, match=r'no model "ge3e".* ge2e-1, .*python dev\.py model NAME'):
        read_catalogue().speaker("ge3e")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entry: entry.update(front_end="mfcc13"), "front_end: expected one of ge2e-mel40, kaldi-fbank80."),
        (lambda entry: entry["fbank"].update(window="blackman"), "fbank: window: expected one of povey, hamming."),
        (lambda entry: entry.pop("fbank"), "fbank: expected an object."),
        (lambda entry: entry.update(dimension="256"), "dimension: expected a whole number."),
        (lambda entry: entry.update(dimension=True), "dimension: expected a whole number."),
        (lambda entry: entry.update(set_up="yes"), "set_up: expected true or false."),
        (lambda entry: entry.update(source="PyPI"), "source: expected an object."),
        (lambda entry: entry.update(version="May 2024"), "version: expected a date, yyyy-mm-dd."),
        (lambda entry: entry["fbank"].update(level_dbfs="loud"), "fbank: level_dbfs: expected a number."),
        (lambda entry: entry["file"].pop("size_bytes"), "file: size_bytes: expected a whole number."),
        (lambda entry: entry.update(calibration={"bias": 1}), "calibration: Invalid calibration.cosine parameter"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(CatalogueInvalid, match=re.escape(f"catalogue.json: speaker_models[2]: {message}")):
        read_catalogue(changed(tmp_path, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda source: source.pop("member"), "member: expected a text."),
        (lambda source: source.pop("package"), "package: expected a text."),
        (lambda source: source["target"].pop("python"), "target: python: expected a text."),
    ],
)
def test_a_source_without_sense_is_refused_by_what_builds(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    path = changed(tmp_path, lambda entry: change(entry["source"]))
    with pytest.raises(CatalogueInvalid, match=re.escape(f"campplus-zh-en-1: source: {message}")):
        source_of(read_catalogue(path).speaker("campplus-zh-en-1"))


@pytest.mark.parametrize("content", ["{", "[]", "{}", None])
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "catalogue.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CatalogueInvalid, match=r"catalogue\.json" if content else "FileNotFoundError"):
        read_catalogue(path)
