"""The GE2E network in a form that sherpa-onnx's speaker embedding extractor can run.

As it is, the extractor refuses the file (no ``framework`` in its metadata). With metadata alone it opens it and fails
at the first recording: it hands a whole recording's log energies over, [1, frames, 80] or for NeMo's models [1, bands,
frames], where the network reads windows of linear energies, [N, 160, 40]. So a copy of the file gets nodes in front of
the network that turn the one into the other, nodes behind it that join the windows, and NeMo's metadata, whose front
end is the nearest: Slaney's mel scale and a Hann window.

What stays different, all of it sherpa-onnx's: pre-emphasis, bands up to 7.6 instead of 8 kHz, a 512-point transform, no
voice activity detection, no raising of quiet speech. The fixed matrix ``_projection`` undoes the first three as far as
that can be done behind the bands; ``tests/unit/performance/test_peer_adapter.py`` says how near it comes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from shared.domain.recording import SAMPLE_RATE
from shared.inference.features import HOP, LAST_COVERED, MELS, WINDOW_FRAMES, WINDOW_STEP, _hertz, _mel

Numbers = NDArray[np.float64]

BANDS = 80
"""Asked of sherpa-onnx's front end: twice the network's, so that the network's can be put together from them."""
_HIGHEST_HZ = SAMPLE_RATE / 2 - 400.0
_PRE_EMPHASIS = 0.97
_TRANSFORM, _NETWORKS_TRANSFORM = 512, 400
_GRID_HZ = 5.0
_METADATA = {
    "framework": "nemo",
    "output_dim": "256",
    "feat_dim": str(BANDS),
    "sample_rate": str(SAMPLE_RATE),
    "window_size_ms": "25",
    "window_stride_ms": str(1000 * HOP // SAMPLE_RATE),
    "window_type": "hann",
    "feature_normalize_type": "",
    "language": "English",
}


def adapted(network: Path, copy: Path) -> None:
    """Write a copy of GE2E's ONNX file that sherpa-onnx can run; the network itself is the same, byte for byte."""
    model = onnx.load(str(network))
    graph = model.graph
    constants: dict[str, NDArray[Any]] = {
        "bands_to_mels": _projection().astype(np.float32),
        "batch_axis": np.array([0], np.int64),
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "frame_axis": np.array([1], np.int64),
        "step": np.array(WINDOW_STEP, np.int64),
        "needed": np.array(round(LAST_COVERED * WINDOW_FRAMES), np.int64),
        "offsets": np.arange(WINDOW_FRAMES, dtype=np.int64)[None],
    }
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    behind = _joining(graph.output[0].name)
    inside = list(graph.node)
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend([*_windowing(), *inside, *behind])
    graph.input.append(helper.make_tensor_value_info("bands", TensorProto.FLOAT, [1, BANDS, "frames"]))
    graph.input.append(helper.make_tensor_value_info("count", TensorProto.INT64, [1]))
    # NeMo's models answer logits first, and the extractor takes the second output.
    graph.output.append(helper.make_tensor_value_info("unused", TensorProto.INT64, [1]))
    graph.output.append(helper.make_tensor_value_info("voice", TensorProto.FLOAT, [1, 256]))
    helper.set_model_props(model, _METADATA)
    onnx.checker.check_model(model)
    onnx.save(model, str(copy))


def _windowing() -> list[onnx.NodeProto]:
    """From log energies [1, BANDS, T] to overlapping windows [N, 160, 40], as ``shared.inference.features.windows``:
    where the last window reaches past the speech, the speech starts again."""
    node = helper.make_node
    return [
        node("Exp", ["bands"], ["energies"]),
        node("Squeeze", ["energies", "batch_axis"], ["energies_2d"]),
        node("Transpose", ["energies_2d"], ["by_frame"], perm=[1, 0]),
        node("MatMul", ["by_frame", "bands_to_mels"], ["signed_mels"]),
        node("Relu", ["signed_mels"], ["all_mels"]),
        node("Shape", ["all_mels"], ["shape"]),
        node("Gather", ["shape", "zero"], ["frames"]),
        node("Sub", ["frames", "needed"], ["room"]),
        node("Max", ["room", "zero"], ["room_or_none"]),
        node("Div", ["room_or_none", "step"], ["further"]),
        node("Add", ["further", "one"], ["windows"]),
        node("Range", ["zero", "windows", "one"], ["numbers"]),
        node("Mul", ["numbers", "step"], ["starts"]),
        node("Unsqueeze", ["starts", "frame_axis"], ["starts_2d"]),
        node("Add", ["starts_2d", "offsets"], ["places"]),
        node("Mod", ["places", "frames"], ["wrapped"]),
        node("Gather", ["all_mels", "wrapped"], ["mels"], axis=0),
    ]


def _joining(embeddings: str) -> list[onnx.NodeProto]:
    node = helper.make_node
    return [
        node("ReduceSum", [embeddings, "batch_axis"], ["sum"], keepdims=1),
        node("LpNormalization", ["sum"], ["voice"], axis=1, p=2),
        node("Identity", ["count"], ["unused"]),
    ]


def _projection() -> Numbers:
    """From sherpa-onnx's bands to the network's, shape [BANDS, 40]: least squares over frequency."""
    frequencies = np.arange(0.0, SAMPLE_RATE / 2.0, _GRID_HZ)
    emphasis = np.abs(1.0 - _PRE_EMPHASIS * np.exp(-2j * np.pi * frequencies / SAMPLE_RATE)) ** 2
    given = _triangles(frequencies, BANDS, _HIGHEST_HZ) * emphasis[:, None]
    wanted = _triangles(frequencies, MELS, SAMPLE_RATE / 2.0)
    projection, *_ = np.linalg.lstsq(given, wanted, rcond=None)
    return np.asarray(projection * (_NETWORKS_TRANSFORM / _TRANSFORM))


def _triangles(frequencies: Numbers, bands: int, highest: float) -> Numbers:
    """Slaney's triangles of unit area, shape [frequencies, bands]; ``shared.inference.features`` has the source."""
    edges = _hertz(np.linspace(0.0, _mel(highest), bands + 2))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (frequencies[:, None] - low) / (centre - low)
    falling = (high - frequencies[:, None]) / (high - centre)
    return np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (high - low))
