"""``models/catalogue.json`` as values: which models exist, what they were made from, and what their scores mean.

Standard library only: the check that the built files are the pinned ones must not wait for numpy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

CATALOGUE_FILE: Final = Path(__file__).resolve().parents[2] / "models" / "catalogue.json"
GE2E_MEL40: Final = "ge2e-mel40"
"""The front end of ``shared/inference/features.py``."""


class CatalogueInvalid(Exception):
    """The catalogue cannot be read; the message says where and what was expected."""


class ModelUnknown(Exception):
    def __init__(self, model_id: str, known: list[str]) -> None:
        self.model_id, self.known = model_id, tuple(known)
        super().__init__(f'There is no model "{model_id}". The catalogue has {", ".join(known)}.')


@dataclass(frozen=True)
class WheelSource:
    """A file inside a pinned wheel."""

    package: str
    version: str
    wheel_sha256: str
    member: str


@dataclass(frozen=True)
class BuiltFile:
    """What lies in ``models/`` after the build."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class MeasuredRates:
    """Error rates at score 0.5 on speakers outside the fit, as shares, with 95 % intervals over speakers.

    ``test`` is the length of the tested speech, ``full`` about 12 s; ``strangers`` and ``same`` count comparisons.
    """

    test: str
    enrolments: int
    speakers: int
    strangers: int
    same: int
    false_match: float
    false_match_low: float
    false_match_high: float
    false_non_match: float
    false_non_match_low: float
    false_non_match_high: float
    equal_error: float


@dataclass(frozen=True)
class Calibration:
    """logit = bias + cosine * c + log_shorter * ln(s) + log_longer * ln(l).

    ``s`` and ``l`` are the shorter and the longer of the two sides' net speech in seconds, held inside the bounds
    that the fit has seen. Score = sigmoid(logit - threshold_logit): 0.5 is where strangers are taken for the speaker
    at ``false_match_rate``.
    """

    bias: float
    cosine: float
    log_shorter: float
    log_longer: float
    threshold_logit: float
    false_match_rate: float
    min_seconds: float
    max_seconds: float
    fitted_on: str
    fitted_speakers: int
    fitted_trials: int
    measured: tuple[MeasuredRates, ...] = ()


@dataclass(frozen=True)
class SpeakerCard:
    """A speaker model. ``model_id`` names weights and front end together: signatures of different ids never meet.

    ``version`` is the date of the weights, ``yyyy-mm-dd``.
    """

    model_id: str
    version: str
    dimension: int
    front_end: str
    licence: str
    source: WheelSource
    file: BuiltFile
    calibration: Calibration


@dataclass(frozen=True)
class VoiceActivityCard:
    """The network that finds speech. ``version`` is its package's."""

    model_id: str
    version: str
    licence: str
    source: WheelSource
    file: BuiltFile


Card = SpeakerCard | VoiceActivityCard


@dataclass(frozen=True)
class Catalogue:
    speaker_models: tuple[SpeakerCard, ...]
    voice_activity: VoiceActivityCard

    @property
    def cards(self) -> tuple[Card, ...]:
        return (*self.speaker_models, self.voice_activity)

    def speaker(self, model_id: str) -> SpeakerCard:
        """``ModelUnknown`` when the catalogue has no such speaker model."""
        for card in self.speaker_models:
            if card.model_id == model_id:
                return card
        raise ModelUnknown(model_id, [card.model_id for card in self.speaker_models])


def read_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """Raises ``CatalogueInvalid`` when the file is absent, no JSON, or lacks something."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueInvalid(f"{path.name} cannot be read ({type(error).__name__}).") from error
    root = _Reader(content, path.name)
    speakers = root.each("speaker_models")
    return Catalogue(tuple(_speaker(reader) for reader in speakers), _voice_activity(root.inner("voice_activity")))


def _speaker(reader: _Reader) -> SpeakerCard:
    return SpeakerCard(
        model_id=reader.text("model_id"),
        version=reader.day("version"),
        dimension=reader.whole("dimension"),
        front_end=reader.text("front_end"),
        licence=reader.text("licence"),
        source=_source(reader.inner("source")),
        file=_file(reader.inner("file")),
        calibration=_calibration(reader.inner("calibration")),
    )


def _voice_activity(reader: _Reader) -> VoiceActivityCard:
    return VoiceActivityCard(
        model_id=reader.text("model_id"),
        version=reader.text("version"),
        licence=reader.text("licence"),
        source=_source(reader.inner("source")),
        file=_file(reader.inner("file")),
    )


def _source(reader: _Reader) -> WheelSource:
    return WheelSource(**{field.name: reader.text(field.name) for field in fields(WheelSource)})


def _file(reader: _Reader) -> BuiltFile:
    return BuiltFile(reader.text("name"), reader.text("sha256"), reader.whole("size_bytes"))


def _calibration(reader: _Reader) -> Calibration:
    return Calibration(
        bias=reader.number("bias"),
        cosine=reader.number("cosine"),
        log_shorter=reader.number("log_shorter"),
        log_longer=reader.number("log_longer"),
        threshold_logit=reader.number("threshold_logit"),
        false_match_rate=reader.number("false_match_rate"),
        min_seconds=reader.number("min_seconds"),
        max_seconds=reader.number("max_seconds"),
        fitted_on=reader.text("fitted_on"),
        fitted_speakers=reader.whole("fitted_speakers"),
        fitted_trials=reader.whole("fitted_trials"),
        measured=tuple(_measured(inner) for inner in reader.each("measured")),
    )


def _measured(reader: _Reader) -> MeasuredRates:
    return MeasuredRates(
        test=reader.text("test"),
        enrolments=reader.whole("enrolments"),
        speakers=reader.whole("speakers"),
        strangers=reader.whole("strangers"),
        same=reader.whole("same"),
        false_match=reader.number("false_match"),
        false_match_low=reader.number("false_match_low"),
        false_match_high=reader.number("false_match_high"),
        false_non_match=reader.number("false_non_match"),
        false_non_match_low=reader.number("false_non_match_low"),
        false_non_match_high=reader.number("false_non_match_high"),
        equal_error=reader.number("equal_error"),
    )


class _Reader:
    """Takes typed values out of parsed JSON and says where one is missing."""

    def __init__(self, content: Any, where: str) -> None:
        if not isinstance(content, Mapping):
            raise CatalogueInvalid(f"{where}: expected an object.")
        self._content, self._where = content, where

    def inner(self, name: str) -> _Reader:
        return _Reader(self._content.get(name), f"{self._where}: {name}")

    def each(self, name: str) -> list[_Reader]:
        items = self._content.get(name)
        if not isinstance(items, list):
            raise CatalogueInvalid(f"{self._where}: {name}: expected a list.")
        return [_Reader(item, f"{self._where}: {name}[{index}]") for index, item in enumerate(items)]

    def text(self, name: str) -> str:
        return str(self._value(name, str, "a text"))

    def whole(self, name: str) -> int:
        return int(self._value(name, int, "a whole number"))

    def number(self, name: str) -> float:
        return float(self._value(name, int | float, "a number"))

    def day(self, name: str) -> str:
        text = self.text(name)
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError as error:
            raise CatalogueInvalid(f"{self._where}: {name}: expected a date, yyyy-mm-dd.") from error

    def _value(self, name: str, kind: Any, expected: str) -> Any:
        value = self._content.get(name)
        if isinstance(value, bool) or not isinstance(value, kind):
            raise CatalogueInvalid(f"{self._where}: {name}: expected {expected}.")
        return value
