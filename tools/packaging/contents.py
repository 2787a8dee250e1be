"""Which files of the repository the package has: what the service opens, and the licences."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.inference.model_card import SpeakerCard, read_catalogue
from tools.packaging.failure import CannotPackage

FILES: Final = (
    "function_app.py",
    "host.json",
    "openapi.json",
    "requirements.txt",  # says what is inside; nothing is installed from it in Azure (remoteBuild is off)
    "models/catalogue.json",
    "LICENSE",
    "THIRD_PARTY_NOTICES.md",
    "models/campplus-channels.md",
    "models/APACHE-2.0.txt",
    "models/segmentation-3.0.md",
    "models/phrase-frames.md",
    "models/phrase-states.npz",
    "models/moonshine-tiny-en.md",
)
CODE: Final = ("functions", "shared")
FUNCIGNORE: Final = Path(__file__).with_name("funcignore")
"""Without one in the folder that it deploys, azd leaves the bytecode out (``createDeployableZip`` in azd's
``cli/azd/pkg/project/project_utils.go``)."""

PACKAGES: Final = ".python_packages/lib/site-packages"
"""Where Azure's Python worker looks for packages that came with the app."""


def app_files(repository: Path) -> Iterator[tuple[str, Path]]:
    """Name in the package and file, of everything but the dependencies. ``CannotPackage`` when one is missing."""
    for name in FILES:
        if not (repository / name).is_file():
            raise CannotPackage(f"{name} is missing: get it back from the repository.")
        yield name, repository / name
    yield ".funcignore", FUNCIGNORE
    for folder in CODE:
        for file in (repository / folder).rglob("*.py"):
            yield file.relative_to(repository).as_posix(), file
    for file in (repository / "console").iterdir():
        yield f"console/{file.name}", file
    yield from _models(repository)


def _models(repository: Path) -> Iterator[tuple[str, Path]]:
    """Networks of the catalogue that are installed, those that every deployment needs for certain, each as its sha256
    says; and a site's own calibrations."""
    folder = repository / "models"
    catalogue = read_catalogue(folder / "catalogue.json")
    needed = {card.file.name for card in catalogue.cards if not isinstance(card, SpeakerCard) or card.set_up}
    for card in catalogue.cards:
        file = folder / card.file.name
        if not file.is_file():
            if card.file.name in needed:
                raise CannotPackage(f"{file.name} is missing. Make it with: python dev.py model")
            continue
        if card.file.sha256 and hashlib.sha256(file.read_bytes()).hexdigest() != card.file.sha256:
            raise CannotPackage(f"{file.name} is not what the catalogue says. Make it with: python dev.py model")
        yield f"models/{file.name}", file
    for file in sorted([*folder.glob("*.calibration.json"), *folder.glob("installed.json")]):
        yield f"models/{file.name}", file
