"""``models/installed.json``: the sha256 that an operator vouched for, where the catalogue has none. Not in git."""

from __future__ import annotations

import json
from pathlib import Path

from shared.inference.model_card import INSTALLED_FILE


def record(folder: Path, model_id: str, sha256: str, origin: str) -> None:
    """``origin`` is the address or file name that the bytes came from."""
    content = _read(folder) | {model_id: {"sha256": sha256, "from": origin}}
    path = folder / INSTALLED_FILE
    part = path.with_suffix(".json.part")
    part.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(path)


def _read(folder: Path) -> dict[str, object]:
    try:
        content = json.loads((folder / INSTALLED_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
