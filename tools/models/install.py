"""Install a model that a deployment brings itself: downloaded, or from a local file; checked in both cases."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from shared.inference.model_card import (
    INSTALLED_FILE,
    CatalogueInvalid,
    SpeakerCard,
    read_calibration,
    recorded_sha256,
    site_calibration,
)
from tools.models.download import Wanted, download, sha256_of
from tools.models.sources import DownloadSource, source_of
from tools.models.wheel import BuildFailed

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Given:
    """What the operator passed: a file instead of the download, a sha256 where the catalogue has none."""

    file: Path | None = None
    sha256: str | None = None


def install(card: SpeakerCard, folder: Path, given: Given) -> None:
    """Put the card's file into the folder, unless it is there already. Raises ``BuildFailed``."""
    sha256 = _sha256(card, folder, given)
    target = folder / card.file.name
    if target.is_file() and sha256_of(target) == sha256:
        print(f"{card.model_id}: {target.name} is there and matches.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{card.file.name}.part"
    origin = _copied(given.file, part, sha256) if given.file else _fetched(card, part, sha256)
    try:
        _check_fit(card, part, sha256)
    except BuildFailed:
        part.unlink()
        raise
    part.replace(target)
    if card.file.sha256 is None:
        _vouched(folder, card.model_id, sha256, origin)
    print(f"{card.model_id}: {target.name} is ready ({target.stat().st_size / 1e6:.1f} MB, {card.licence}).")
    if card.calibration is None:
        print(
            f"{card.model_id}: NO CALIBRATION. Its scores carry no false-match rate: only very high similarities are "
            "accepted, and never with high confidence. Calibrate it on your own recordings: docs/models.md."
        )


def _vouched(folder: Path, model_id: str, sha256: str, origin: str) -> None:
    """Record what an operator vouched for; ``origin`` is the address or file name that the bytes came from."""
    path = folder / INSTALLED_FILE
    try:
        content = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        content = {}
    part = path.with_suffix(".json.part")
    content[model_id] = {"sha256": sha256, "from": origin}
    part.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(path)


def install_calibration(card: SpeakerCard, folder: Path, file: Path) -> None:
    """A site's own calibration of the model, from now on used instead of the card's. Raises ``BuildFailed``."""
    try:
        calibration = read_calibration(file)
    except CatalogueInvalid as error:
        raise BuildFailed(f"{error} Nothing was installed.") from error
    target = site_calibration(folder, card.model_id)
    part = target.with_suffix(".json.part")
    shutil.copyfile(file, part)
    part.replace(target)
    print(f"{card.model_id}: calibrated on {calibration.fitted_on} ({calibration.fitted_speakers} speakers).")


def _sha256(card: SpeakerCard, folder: Path, given: Given) -> str:
    asked = given.sha256.lower() if given.sha256 else None
    if asked is not None and not _SHA256.fullmatch(asked):
        raise BuildFailed("--sha256 takes 64 hexadecimal digits.")
    pinned = card.file.sha256
    if pinned is not None:
        if asked not in (None, pinned):
            raise BuildFailed(f"The catalogue pins {card.model_id} to sha256 {pinned}; --sha256 says {asked}.")
        return pinned
    found = asked or recorded_sha256(folder, card.model_id)
    if found is None:
        page = card.source.get("page", "")
        raise BuildFailed(
            f"The catalogue knows no sha256 for {card.model_id}, so that nothing could be checked. Take it from a "
            f"source you trust ({page}) and pass it with --sha256."
        )
    return found


def _fetched(card: SpeakerCard, part: Path, sha256: str) -> str:
    source = source_of(card)
    if not isinstance(source, DownloadSource):
        raise BuildFailed(f"{card.model_id} is built from a pinned wheel; --file takes a finished file instead.")
    wanted = Wanted(source.url, sha256, card.file.size_bytes, exact=card.file.sha256 is not None)
    size = f"{'' if wanted.exact else 'at most '}{wanted.size_bytes / 1e6:.1f} MB"
    print(f"{card.model_id}: downloading {source.url} ({size})", flush=True)
    download(wanted, part)
    return source.url


def _copied(file: Path, part: Path, sha256: str) -> str:
    if not file.is_file():
        raise BuildFailed(f"There is no file {file}.")
    found = sha256_of(file)
    if found != sha256:
        raise BuildFailed(f"{file} has sha256 {found}, expected {sha256}. Nothing was installed.")
    try:
        shutil.copyfile(file, part)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BuildFailed(f"{file} could not be copied to {part.parent} ({error.strerror}).") from error
    return file.name


def _check_fit(card: SpeakerCard, path: Path, sha256: str) -> None:
    """Run the network once: a file with the right sha256 can still be for another front end or dimension."""
    import numpy as np  # half a second that a finished installation must not pay

    from shared.inference.fbank import FRAME
    from shared.inference.speaker_model import speaker_model

    print(f"{card.model_id}: trying it", flush=True)
    noise = np.random.default_rng(1).normal(0.0, 0.05, FRAME * 80).astype(np.float32)
    try:
        tried = replace(card, file=replace(card.file, name=path.name, sha256=sha256))
        speaker_model(tried, path.parent).embed_samples(noise)
    except Exception as error:
        raise BuildFailed(f"{card.file.name} does not fit its entry in the catalogue: {error}") from error
