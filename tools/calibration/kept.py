"""What was heard, kept on disk: an interrupted run goes on, and a second run takes seconds.

The files hold voice embeddings. They are readable by their owner alone and are meant to be deleted with the recordings.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from shared.domain.recording import Vector
from tools.calibration.hearing import Heard

KEPT: Final = Path(__file__).resolve().parents[2] / "build" / "evaluate" / "heard"
"""Of the development speech: what one of its tools has heard, the others need not hear again."""


@dataclass(frozen=True)
class KeptHearings:
    """One file a key in a folder. A key is a hash over everything that the result depends on."""

    folder: Path

    def get(self, key: str) -> list[Heard] | None:
        """``None`` when it was never heard, or when its file was cut short."""
        try:
            return [_read(one) for one in json.loads(self._file(key).read_text(encoding="ascii"))]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, heard: Sequence[Heard]) -> None:
        file = self._file(key)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        with open(unfinished, "w", encoding="ascii", opener=_private) as out:
            json.dump([_shown(one) for one in heard], out)
        unfinished.replace(file)

    def _file(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _shown(heard: Heard) -> dict[str, Any]:
    embedding = heard.embedding
    text = None if embedding is None else base64.b64encode(embedding.astype("<f4").tobytes()).decode("ascii")
    return {**asdict(heard), "embedding": text}


def _read(content: dict[str, Any]) -> Heard:
    text = content.pop("embedding")
    return Heard(embedding=None if text is None else _vector(text), **content)


def _vector(text: str) -> Vector:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").copy()
