"""Small networks for tests: what a speaker model downloaded by a deployment looks like, in a few kilobytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from shared.inference.model_card import (
    KALDI_FBANK80,
    BuiltFile,
    FbankRules,
    SpeakerCard,
)


def pooling_network(
    dimension: int,
    bands: int = 80,
    seed: int = 7,
    weight: float | None = None,
    names: tuple[str, str] = ("feats", "embs"),
) -> bytes:
    """[n, frames, bands] -> [n, dimension]: the bands' mean absolute values through weights, random or all the same."""
    weights = np.asarray(np.random.default_rng(seed).normal(0.0, 1.0, (bands, dimension)), np.float32)
    if weight is not None:
        weights = np.full_like(weights, weight)
    given, embedding = names
    graph = helper.make_graph(
        [
            helper.make_node("Abs", [given], ["sizes"]),
            helper.make_node("ReduceMean", ["sizes"], ["pooled"], axes=[1], keepdims=0),
            helper.make_node("MatMul", ["pooled", "weights"], [embedding]),
        ],
        "pooling",
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["n", "frames", bands])],
        [helper.make_tensor_value_info(embedding, TensorProto.FLOAT, ["n", dimension])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))


def fbank_card(
    model_id: str = "small-1", dimension: int = 24, name: str = "small.onnx", sha256: str | None = None
) -> SpeakerCard:
    return SpeakerCard(
        model_id=model_id,
        version="2026-11-22",
        dimension=dimension,
        front_end=KALDI_FBANK80,
        licence="none",
        source={"url": "http://127.0.0.1/small.onnx", "page": "nowhere", "sha256_origin": "made by the test"},
        file=BuiltFile(name, sha256, 1_000_000),
        calibration=None,
        fbank=FbankRules("hamming", 32768.0),
    )


def put_network(folder: Path, card: SpeakerCard, seed: int = 7) -> None:
    (folder / card.file.name).write_bytes(pooling_network(card.dimension, seed=seed))
