"""``python dev.py evaluate --second-voices [MANIFEST]``: two voices in one enrollment, found and imagined.

Writes the section of docs/accuracy.md. Embeddings are kept in build/evaluate/heard.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from shared.bootstrap import EAR
from tools.calibration.hearing import open_pipeline
from tools.calibration.kept import KEPT, KeptHearings
from tools.second_voices.counts import CHANNELS, counts
from tools.second_voices.page import replaced, section
from tools.second_voices.recordings import halves, second_voices, single_voices, speakers


def write(manifest: Path, docs: Path) -> None:
    page = docs / "accuracy.md"
    page.write_text(replaced(page.read_text(encoding="utf-8"), measured(manifest)), encoding="utf-8")
    print(f"Written: {page}")


def measured(manifest: Path) -> str:
    """The section."""
    _, counted = halves(speakers(manifest))
    mixtures = [*single_voices(counted), *second_voices(counted)]
    pipeline, kept = open_pipeline(EAR), KeptHearings(KEPT)
    found = {channel: counts(mixtures, channel, pipeline, kept) for channel in CHANNELS}
    return section(datetime.now(UTC).date().isoformat(), len(counted), found)
