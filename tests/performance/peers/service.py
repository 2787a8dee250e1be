"""The peer: speaker recognition as a team would quickly write it, FastAPI around a ready-made embedder.

It runs in ``.venv-peer``, never beside Timbre: ``uvicorn service:app`` with this folder as ``--app-dir``.

    PEER_EMBEDDER  ``resemblyzer`` (default) or ``sherpa-onnx``
    PEER_MODEL     the ONNX file, for sherpa-onnx

What is left out makes it faster and smaller: nothing is stored (a restart forgets everybody) and so nothing is
encrypted, expires or is shared with another worker; there are no keys, no phrases, no check of the recording's quality,
no calibrated score. Endpoints are plain functions: Starlette runs them in its pool of 40 threads.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from typing import Annotated
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import soundfile
from fastapi import FastAPI, File, Form, HTTPException, UploadFile

Vector = npt.NDArray[np.float32]
Embedder = Callable[[Vector, int], Vector]
"""From samples in [-1, 1], shape [n], and their rate to a vector of unit length."""

THRESHOLD = 0.75
"""Resemblyzer's README calls voices above this the same, roughly."""


def resemblyzer() -> Embedder:
    warnings.filterwarnings("ignore")  # it imports a part of SciPy by its old name
    from resemblyzer import VoiceEncoder, preprocess_wav

    encoder = VoiceEncoder("cpu", verbose=False)

    def embed(samples: Vector, rate: int) -> Vector:
        # Its rate only where it differs: librosa would resample 16 kHz to 16 kHz.
        spoken = preprocess_wav(samples, source_sr=None if rate == 16_000 else rate)
        if not len(spoken):
            raise HTTPException(400, "no speech")
        return np.asarray(encoder.embed_utterance(spoken), np.float32)

    return embed


def sherpa_onnx() -> Embedder:
    import sherpa_onnx

    config = sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=os.environ["PEER_MODEL"], num_threads=1)
    extractor = sherpa_onnx.SpeakerEmbeddingExtractor(config)

    def embed(samples: Vector, rate: int) -> Vector:
        stream = extractor.create_stream()
        stream.accept_waveform(rate, samples)
        stream.input_finished()
        if not extractor.is_ready(stream):
            raise HTTPException(400, "too short")
        embedding = np.asarray(extractor.compute(stream), np.float32)
        return np.asarray(embedding / np.linalg.norm(embedding), np.float32)

    return embed


EMBEDDERS = {"resemblyzer": resemblyzer, "sherpa-onnx": sherpa_onnx}

app = FastAPI()
embed = EMBEDDERS[os.environ.get("PEER_EMBEDDER", "resemblyzer")]()
speakers: dict[str, Vector] = {}


def heard(upload: UploadFile) -> Vector:
    samples, rate = soundfile.read(io.BytesIO(upload.file.read()), dtype="float32")
    return embed(samples if samples.ndim == 1 else samples.mean(axis=1), rate)


def enrolled(speaker_id: str) -> Vector:
    if speaker_id not in speakers:
        raise HTTPException(404, "unknown speaker")
    return speakers[speaker_id]


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/speakers", status_code=201)
def enroll(audio: Annotated[UploadFile, File()]) -> dict[str, str]:
    speaker_id = str(uuid4())
    speakers[speaker_id] = heard(audio)
    return {"id": speaker_id}


@app.post("/speakers/{speaker_id}/verify")
def verify(speaker_id: str, audio: Annotated[UploadFile, File()]) -> dict[str, object]:
    voice = enrolled(speaker_id)
    score = float(voice @ heard(audio))
    return {"accepted": score >= THRESHOLD, "score": score}


@app.post("/identify")
def identify(candidates: Annotated[str, Form()], audio: Annotated[UploadFile, File()]) -> dict[str, object]:
    """``candidates``: ids, separated by commas."""
    ids = candidates.split(",")
    voices = np.stack([enrolled(one) for one in ids])
    scores = voices @ heard(audio)
    best = int(np.argmax(scores))
    accepted = bool(scores[best] >= THRESHOLD)
    return {"speaker": ids[best] if accepted else None, "score": float(scores[best])}
