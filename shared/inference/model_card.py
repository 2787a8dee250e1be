"""``models/catalogue.json`` as values: which models exist, what they were made from, and what their scores mean.

Standard library only: the check that the built files are the pinned ones must not wait for numpy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from shared.domain.calibration import Calibration, MeasuredRates, calibration_from_json
from shared.domain.errors import RequestInvalid

CATALOGUE_FILE: Final = Path(__file__).resolve().parents[2] / "models" / "catalogue.json"
INSTALLED_FILE: Final = "installed.json"  # beside the catalogue
GE2E_MEL40: Final = "ge2e-mel40"  # the front end of shared/inference/mel_windows.py
KALDI_FBANK80: Final = "kaldi-fbank80"  # the front end of shared/inference/fbank.py
T = TypeVar("T")


class CatalogueInvalid(Exception):
    """The catalogue cannot be read; the message says where and what was expected."""


class ModelUnknown(Exception):
    """The catalogue has no such speaker model; the message names those that it has."""


@dataclass(frozen=True)
class BuiltFile:
    """What lies in ``models/`` after the build."""

    name: str
    sha256: str | None  # without one the operator must bring it
    size_bytes: int  # then the most that is taken


@dataclass(frozen=True)
class FbankRules:
    """How a network with the front end ``kaldi-fbank80`` wants its speech."""

    window: Literal["povey", "hamming"]  # Kaldi's names of what a frame is multiplied with
    sample_scale: float  # 32768 for networks trained on samples as 16-bit integers, 1 for samples in [-1, 1]
    level_dbfs: float | None = None
    """The RMS level that speech is brought to before, so that a score does not depend on how loud somebody spoke."""


@dataclass(frozen=True)
class SpeakerCard:
    """A speaker model. ``model_id`` names weights and front end together: signatures of different ids never meet."""

    model_id: str
    version: str  # the date of the weights, yyyy-mm-dd; where they carry none, that of the entry
    dimension: int
    front_end: Literal["ge2e-mel40", "kaldi-fbank80"]
    licence: str
    source: dict[str, Any]  # tools/models/sources.py: what builds the file reads it
    file: BuiltFile
    calibration: Calibration | None  # None where nobody has measured the model through this service's pipeline
    fbank: FbankRules | None = None  # of the front end kaldi-fbank80
    set_up: bool = False  # set-up puts the file in place unasked


@dataclass(frozen=True)
class NetworkCard:
    """A network that makes no embeddings: the one that finds speech, the one that tells speakers apart, the one that
    phrases are compared by."""

    model_id: str
    version: str  # its package's, or its maker's
    licence: str
    source: dict[str, Any]
    file: BuiltFile


Card = SpeakerCard | NetworkCard


@dataclass(frozen=True)
class TranscriberCard:
    """Two networks that write down what is said in the given locales, and the file of their tokens."""

    locales: tuple[str, ...]
    encoder: NetworkCard
    decoder: NetworkCard
    tokens: NetworkCard


@dataclass(frozen=True)
class DigitCard:
    """The digits of a language, for challenges: ``said[3]`` are the words for 3, of which the first is shown."""

    locale: str
    said: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Catalogue:
    speaker_models: tuple[SpeakerCard, ...]
    voice_activity: NetworkCard
    segmentation: NetworkCard
    phrases: NetworkCard
    transcribers: tuple[TranscriberCard, ...] = ()
    digits: tuple[DigitCard, ...] = ()

    @property
    def cards(self) -> tuple[Card, ...]:
        texts = (part for card in self.transcribers for part in (card.encoder, card.decoder, card.tokens))
        return (*self.speaker_models, self.voice_activity, self.segmentation, self.phrases, *texts)

    def speaker(self, model_id: str) -> SpeakerCard:
        """Raises ``ModelUnknown``."""
        cards = {card.model_id: card for card in self.speaker_models}
        if model_id not in cards:
            there = f'There is no model "{model_id}". The catalogue has {", ".join(cards)}'
            raise ModelUnknown(f"{there}; install one with: python dev.py model NAME")
        return cards[model_id]


def read_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """With the site's own calibrations that lie beside it, which go before those of the cards.

    Raises ``CatalogueInvalid`` when a file is no JSON or lacks something, or the catalogue is absent.
    """
    catalogue, cards = _read(Catalogue, path), []
    for number, card in enumerate(catalogue.speaker_models):
        where = f"{path.name}: speaker_models[{number}]"
        try:
            date.fromisoformat(card.version)
        except ValueError as error:
            raise CatalogueInvalid(f"{where}: version: expected a date, yyyy-mm-dd.") from error
        if card.front_end == KALDI_FBANK80 and card.fbank is None:
            raise CatalogueInvalid(f"{where}: fbank: expected an object.")
        own = site_calibration(path.parent, card.model_id)
        cards.append(replace(card, calibration=read_calibration(own)) if own.is_file() else card)
    return replace(catalogue, speaker_models=tuple(cards))


def site_calibration(folder: Path, model_id: str) -> Path:
    """Where a calibration on a site's own recordings lies, as the laboratory (``tools.calibrate``) writes it."""
    return folder / f"{model_id}.calibration.json"


def read_calibration(path: Path) -> Calibration:
    """Raises ``CatalogueInvalid``."""
    return _read(Calibration, path)


def recorded_sha256(folder: Path, model_id: str) -> str | None:
    """What an operator vouched for when installing a model whose card has no sha256; ``None`` if nothing readable."""
    try:
        sha256 = json.loads((folder / INSTALLED_FILE).read_text(encoding="utf-8"))[model_id]["sha256"]
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return sha256 if isinstance(sha256, str) else None


def _read(kind: type[T], path: Path) -> T:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueInvalid(f"{path.name} cannot be read ({type(error).__name__}).") from error
    return cast("T", _value(kind, content, path.name))


_EXPECTED: Final[Mapping[Any, tuple[Any, str]]] = {
    dict: (dict, "an object"),
    list: (list, "a list"),
    str: (str, "a text"),
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    bool: (bool, "true or false"),
}
_hints: Final = cache(get_type_hints)


def _value(hint: Any, value: Any, where: str) -> Any:
    """Parsed JSON as the type that a field is declared with; what an object has beside a dataclass's fields is left."""
    origin, kinds = get_origin(hint), get_args(hint)
    if hint is Calibration:
        return _calibration(value, where)
    if origin is UnionType:
        return None if value is None else _value(kinds[0], value, where)
    if origin is tuple:
        items = _plain(list, value, where)
        return tuple(_value(kinds[0], item, f"{where}[{number}]") for number, item in enumerate(items))
    if origin is Literal:
        if value not in kinds:
            raise CatalogueInvalid(f"{where}: expected one of {', '.join(kinds)}.")
        return value
    return record(hint, value, where) if is_dataclass(hint) else _plain(origin or hint, value, where)


def record(kind: Any, value: Any, where: str) -> Any:
    """A dataclass out of parsed JSON. Raises ``CatalogueInvalid``."""
    content = _plain(dict, value, where)
    return kind(
        **{
            field.name: _value(_hints(kind)[field.name], content.get(field.name), f"{where}: {field.name}")
            for field in fields(kind)
            if field.default is MISSING or content.get(field.name) is not None
        }
    )


def _plain(kind: Any, value: Any, where: str) -> Any:
    types, expected = _EXPECTED[kind]
    if not isinstance(value, types) or isinstance(value, bool) != (kind is bool):
        raise CatalogueInvalid(f"{where}: expected {expected}.")
    return kind(value)


def _calibration(content: Any, where: str) -> Calibration:
    """Read as a subscription's own is, and with the rates that it was measured at."""
    try:
        calibration = calibration_from_json("calibration", content)
    except RequestInvalid as error:
        raise CatalogueInvalid(f"{where}: {error}") from error
    measured = _value(tuple[MeasuredRates, ...], content.get("measured"), f"{where}: measured")
    return replace(calibration, measured=measured)
