"""``models/catalogue.json`` as values: which models exist, what they were made from, and what their scores mean.

Standard library only: the check that the built files are the pinned ones must not wait for numpy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from shared.domain.calibration import Calibration as Calibration
from shared.domain.calibration import MeasuredRates as MeasuredRates
from shared.inference.card_reader import CatalogueInvalid as CatalogueInvalid
from shared.inference.card_reader import Reader

CATALOGUE_FILE: Final = Path(__file__).resolve().parents[2] / "models" / "catalogue.json"
GE2E_MEL40: Final = "ge2e-mel40"
"""The front end of ``shared/inference/mel_windows.py``."""
KALDI_FBANK80: Final = "kaldi-fbank80"
"""The front end of ``shared/inference/fbank.py``."""
FRONT_ENDS: Final = (GE2E_MEL40, KALDI_FBANK80)


class ModelUnknown(Exception):
    def __init__(self, model_id: str, known: list[str]) -> None:
        self.model_id, self.known = model_id, tuple(known)
        super().__init__(
            f'There is no model "{model_id}". The catalogue has {", ".join(known)}; '
            "install one with: python dev.py model NAME"
        )


@dataclass(frozen=True)
class WheelTarget:
    """Which of a package's wheels, where it has one for each Python and platform: pip's tags, "3.11" and so on."""

    python: str
    platform: str


@dataclass(frozen=True)
class WheelSource:
    """A file inside a pinned wheel. A ``target`` is named where there are several, whatever Python asks for it."""

    package: str
    version: str
    wheel_sha256: str
    member: str
    target: WheelTarget | None = None


@dataclass(frozen=True)
class ArraysSource:
    """Named arrays in ``tools/models``. The network that is made of them is in the repository too."""

    arrays: str
    arrays_sha256: str


@dataclass(frozen=True)
class DownloadSource:
    """A file that a deployment downloads itself: we ship none of it.

    ``page`` says whose it is and under which licence; ``sha256_origin`` where the catalogue's sha256 comes from, or
    why it has none.
    """

    url: str
    page: str
    sha256_origin: str


Source = WheelSource | ArraysSource | DownloadSource


@dataclass(frozen=True)
class BuiltFile:
    """What lies in ``models/`` after the build.

    Without a ``sha256`` the operator must bring one, and ``size_bytes`` is the most that is taken.
    """

    name: str
    sha256: str | None
    size_bytes: int


class FbankWindow(StrEnum):
    """Kaldi's names of what a frame is multiplied with."""

    POVEY = "povey"
    HAMMING = "hamming"


@dataclass(frozen=True)
class FbankRules:
    """How a network with the front end ``kaldi-fbank80`` wants its speech.

    ``sample_scale`` is 32768 for networks trained on samples as 16-bit integers, 1 for samples in [-1, 1].
    ``level_dbfs`` is the RMS level that speech is brought to before, so that a score does not depend on how loud
    somebody spoke; ``None`` leaves it as it came.
    """

    window: FbankWindow
    sample_scale: float
    level_dbfs: float | None = None


@dataclass(frozen=True)
class SpeakerCard:
    """A speaker model. ``model_id`` names weights and front end together: signatures of different ids never meet.

    ``version`` is the date of the weights, ``yyyy-mm-dd``; where they carry none, that of the entry. ``calibration``
    is ``None`` for a model that nobody has measured through this service's pipeline. ``fbank`` belongs to the front
    end ``kaldi-fbank80``. ``set_up`` says that set-up puts the file in place unasked.
    """

    model_id: str
    version: str
    dimension: int
    front_end: str
    licence: str
    source: Source
    file: BuiltFile
    calibration: Calibration | None
    fbank: FbankRules | None = None
    set_up: bool = False


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
    """With the site's own calibrations that lie beside it, which go before those of the cards.

    Raises ``CatalogueInvalid`` when a file is no JSON or lacks something, or the catalogue is absent.
    """
    root = _json(path)
    cards = [_speaker(reader) for reader in root.each("speaker_models")]
    own = [_calibrated(card, site_calibration(path.parent, card.model_id)) for card in cards]
    return Catalogue(tuple(own), _voice_activity(root.inner("voice_activity")))


def site_calibration(folder: Path, model_id: str) -> Path:
    """Where a calibration on a site's own recordings lies, as the laboratory (``tools.calibrate``) writes it."""
    return folder / f"{model_id}.calibration.json"


def read_calibration(path: Path) -> Calibration:
    """Raises ``CatalogueInvalid``."""
    return _calibration(_json(path))


def _calibrated(card: SpeakerCard, own: Path) -> SpeakerCard:
    return replace(card, calibration=read_calibration(own)) if own.is_file() else card


def _json(path: Path) -> Reader:
    try:
        return Reader(json.loads(path.read_text(encoding="utf-8")), path.name)
    except (OSError, ValueError) as error:
        raise CatalogueInvalid(f"{path.name} cannot be read ({type(error).__name__}).") from error


def _speaker(reader: Reader) -> SpeakerCard:
    front_end = reader.choice("front_end", FRONT_ENDS)
    source = reader.inner("source")
    return SpeakerCard(
        model_id=reader.text("model_id"),
        version=reader.day("version"),
        dimension=reader.whole("dimension"),
        front_end=front_end,
        licence=reader.text("licence"),
        source=_source(source),
        file=_file(reader.inner("file")),
        calibration=_calibration(reader.inner("calibration")) if reader.has("calibration") else None,
        fbank=_fbank(reader.inner("fbank")) if front_end == KALDI_FBANK80 else None,
        set_up=reader.has("set_up"),
    )


def _voice_activity(reader: Reader) -> VoiceActivityCard:
    return VoiceActivityCard(
        model_id=reader.text("model_id"),
        version=reader.text("version"),
        licence=reader.text("licence"),
        source=_wheel(reader.inner("source")),
        file=_file(reader.inner("file")),
    )


def _source(reader: Reader) -> Source:
    if reader.has("url"):
        return DownloadSource(**_texts(reader, DownloadSource))
    return ArraysSource(**_texts(reader, ArraysSource)) if reader.has("arrays") else _wheel(reader)


def _wheel(reader: Reader) -> WheelSource:
    target = WheelTarget(**_texts(reader.inner("target"), WheelTarget)) if reader.has("target") else None
    package, version = reader.text("package"), reader.text("version")
    return WheelSource(package, version, reader.text("wheel_sha256"), reader.text("member"), target)


def _texts(reader: Reader, kind: type[DownloadSource | ArraysSource | WheelTarget]) -> dict[str, str]:
    return {field.name: reader.text(field.name) for field in fields(kind)}


def _file(reader: Reader) -> BuiltFile:
    sha256 = reader.text("sha256") if reader.has("sha256") else None
    return BuiltFile(reader.text("name"), sha256, reader.whole("size_bytes"))


def _fbank(reader: Reader) -> FbankRules:
    window = FbankWindow(reader.choice("window", tuple(FbankWindow)))
    level = reader.number("level_dbfs") if reader.has("level_dbfs") else None
    return FbankRules(window, reader.number("sample_scale"), level)


def _calibration(reader: Reader) -> Calibration:
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


def _measured(reader: Reader) -> MeasuredRates:
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
