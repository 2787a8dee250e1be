"""A deployment that installs models from a server on this machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.inference.model_card import CATALOGUE_FILE
from tests.azure.front import Asked, Given
from tests.unit.inference.networks import pooling_network
from tools.build_models import main

NETWORK = pooling_network(24)
SHA256 = hashlib.sha256(NETWORK).hexdigest()


@dataclass
class ModelServer:
    """Serves the model, and misbehaves as told: ``sends`` so many bytes before it hangs up. ``asked`` counts."""

    content: bytes = NETWORK
    sends: int | None = None
    status: int = 200
    says_length: bool = True
    location: str = ""
    asked: int = 0
    url: str = ""

    def __call__(self, request: Asked) -> Given:
        self.asked += 1
        if self.location:
            return Given(302, headers=[("Location", self.location)])
        if self.status != 200:
            return Given(self.status)
        return Given(200, self.content[: self.sends], [], len(self.content) if self.says_length else None)


class Deployment:
    """An empty models folder and a catalogue whose second model, ``small-1``, lies on the server."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.models, self.catalogue, self.server = folder / "models", folder / "catalogue.json", server
        self.content: dict[str, Any] = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
        self.entry: dict[str, Any] = {
            "model_id": "small-1", "version": "2026-11-22", "dimension": 24, "front_end": "kaldi-fbank80",
            "fbank": {"window": "hamming", "sample_scale": 32768}, "licence": "MIT",
            "source": {"url": server.url, "page": "https://models.example/small", "sha256_origin": "this test"},
            "file": {"name": "small.onnx", "sha256": SHA256, "size_bytes": len(NETWORK)},
        }  # fmt: skip

    def install(self, *arguments: str, name: str = "small-1") -> int:
        self.content["speaker_models"] = [self.content["speaker_models"][0], self.entry]
        self.catalogue.write_text(json.dumps(self.content), encoding="utf-8")
        return main(
            [*([name] if name else []), "--folder", str(self.models), "--catalogue", str(self.catalogue), *arguments]
        )

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.models.iterdir()) if self.models.is_dir() else []
