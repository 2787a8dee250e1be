"""Timbre's network in a form that sherpa-onnx's speaker embedding extractor can run: the same graph, with metadata.

Without metadata the extractor refuses the file (no ``framework``). With that of 3D-Speaker's models it computes the
filter bank that the network was trained on and takes each band's mean off, as Timbre does.

What stays different, all of it sherpa-onnx's: bands up to 7.6 instead of 8 kHz, frames at both ends that reach past the
recording, no voice activity detection, no fixed level.
"""

from __future__ import annotations

from pathlib import Path

import onnx

from shared.domain.recording import SAMPLE_RATE


def adapted(network: Path, copy: Path) -> None:
    """Write a copy of a CAM++ ONNX file that sherpa-onnx can run."""
    model = onnx.load(str(network))
    (embeddings,) = model.graph.output
    onnx.helper.set_model_props(
        model,
        {
            "framework": "3d-speaker",
            "output_dim": str(embeddings.type.tensor_type.shape.dim[1].dim_value),
            "sample_rate": str(SAMPLE_RATE),
            # Samples in [-1, 1], as ``FbankRules.sample_scale`` says of CAM++; 0 would be 16-bit integers.
            "normalize_samples": "1",
            "feature_normalize_type": "global-mean",
            "language": "English",
        },
    )
    onnx.save(model, str(copy))
