"""Timbre and its peers, each a process of its own, with the same two jobs to do over HTTP.

The jobs are *identify* 4 s among ten speakers and *verify* 4 s against one, both independent of the words. Timbre does
them over 2021-09-05, where nothing of a recognition is stored but the time of use. That the answers are right is seen
before anything is timed.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import onnx

from shared.domain.recording import SAMPLE_RATE
from tests.api.later import IDENTIFICATION, TEXT_INDEPENDENT, V2021
from tests.performance.client import JSON, LOCALE, Client, Request, Unexpected
from tests.performance.recordings import SECONDS, material
from tests.service import RunningService
from tools.evaluation.peer_environment import PeerMissing

TIMBRE, JOBS = "Timbre", ("identify", "verify")

_LISTENING = re.compile(r"Uvicorn running on (http://\S+)")
_START_SECONDS = 120.0


@dataclass(frozen=True)
class Contender:
    """A running service that knows the ten speakers, and what to send it for each job."""

    name: str
    url: str
    key: str
    process_id: int
    jobs: Mapping[str, Request]

    def connect(self) -> Client:
        return Client(self.url, self.key)


@contextmanager
def running_peer(
    python: Path, folder: Path, name: str, settings: Mapping[str, str]
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start the FastAPI service, wait until it listens, stop it at the end. Raises ``PeerMissing``."""
    log = folder / f"peer-{uuid.uuid4().hex}.log"
    command = [str(python), "-m", "uvicorn", "service:app", "--app-dir", str(Path(__file__).parent)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", "0", "--no-access-log"],
            cwd=folder,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _wait_until_listening(process, log, name), process
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_listening(process: subprocess.Popen[bytes], log: Path, name: str) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        printed = log.read_text(encoding="utf-8", errors="replace")
        if address := _LISTENING.search(printed):
            return address[1]
        if process.poll() is not None:
            last = printed.strip().splitlines()[-1:] or ["it printed nothing."]
            raise PeerMissing(f"The peer {name} ended at its start: {last[0]}")
        time.sleep(0.05)
    raise PeerMissing(f"The peer {name} did not listen within {_START_SECONDS:.0f} s.")


def peer(name: str, url: str, process_id: int) -> Contender:
    """Enrols the speakers. Raises ``Unexpected`` when a voice is not told from the others."""
    client, speech = Client(url), material().speech[SECONDS]
    ids = [str(client.send(peer_enrollment(wav)).json["id"]) for wav in material().speakers]
    identify = _form("/identify", speech, {"candidates": ",".join(ids)})
    verify = _form(f"/speakers/{ids[0]}/verify", speech, {})
    _must_be(name, "identify", client.send(identify).json["speaker"], ids[0])
    _must_be(name, "verify", client.send(verify).json["accepted"], True)
    return Contender(name, url, "", process_id, {"identify": identify, "verify": verify})


def peer_enrollment(wav: bytes) -> Request:
    """What a peer answers with a new speaker's id."""
    return _form("/speakers", wav, {})


def timbre(service: RunningService) -> Contender:
    """Enrols the speakers. Raises ``Unexpected`` as ``peer``."""
    client, speech, lenient = Client(service.url, service.key), material().speech[SECONDS], "&ignoreMinLength=true"

    def enrolled(kind: str, wav: bytes) -> str:
        profile_id = str(client.send(Request(V2021.path(kind), LOCALE, JSON)).json["profileId"])
        client.send(Request(V2021.path(kind, f"/profiles/{profile_id}/enrollments", lenient), wav))
        return profile_id

    speaker = enrolled(TEXT_INDEPENDENT, material().speakers[0])
    candidates = [enrolled(IDENTIFICATION, wav) for wav in material().speakers]
    among = f"&profileIds={','.join(candidates)}{lenient}"
    identify = Request(V2021.path(IDENTIFICATION, "/profiles:identifySingleSpeaker", among), speech)
    verify = Request(V2021.path(TEXT_INDEPENDENT, f"/profiles/{speaker}:verify", lenient), speech)
    _must_be(TIMBRE, "identify", client.send(identify).json["identifiedProfile"]["profileId"], candidates[0])
    _must_be(TIMBRE, "verify", client.send(verify).json["recognitionResult"], "Accept")
    return Contender(TIMBRE, service.url, service.key, service.process.pid, {"identify": identify, "verify": verify})


def _form(path: str, wav: bytes, fields: Mapping[str, str]) -> Request:
    """multipart/form-data, as browsers and ``requests`` send files (RFC 7578)."""
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    about = 'Content-Disposition: form-data; name="audio"; filename="speech.wav"\r\nContent-Type: audio/wav'
    parts += [f"--{edge}\r\n{about}\r\n\r\n".encode(), wav, f"\r\n--{edge}--\r\n".encode()]
    return Request(path, b"".join(parts), f"multipart/form-data; boundary={edge}")


def _must_be(name: str, job: str, answer: object, expected: object) -> None:
    if answer != expected:
        raise Unexpected(f"{name} did not {job} the speaker, so its speed would mean nothing.")


def write_for_sherpa(network: Path, copy: Path) -> None:
    """A copy of a CAM++ ONNX file that sherpa-onnx's speaker embedding extractor can run: the same graph with metadata.

    Without metadata the extractor refuses the file (no ``framework``). With that of 3D-Speaker's models it computes the
    filter bank that the network was trained on and takes each band's mean off, as Timbre does. What stays different is
    sherpa-onnx's: bands up to 7.6 instead of 8 kHz, frames at both ends that reach past the recording, no voice
    activity detection, no fixed level.
    """
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
