"""Who takes part: Timbre and its peers, each a process of its own, with the same two jobs to do over HTTP.

The jobs are *identify* 4 s among ten speakers and *verify* 4 s against one, both independent of what is said. Timbre
does them over 2021-09-05, where nothing of a recognition is stored but the time of use. That the answers are right is
seen before anything is timed.
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
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from tests.performance.client import Unexpected
from tests.performance.load import Posted
from tests.performance.recordings import Material
from tests.service import RunningService
from tools.evaluation.peer_environment import PeerMissing

SECONDS = 4
"""Of each recording that is recognised."""
JOBS = ("identify", "verify")

_LISTENING = re.compile(r"Uvicorn running on (http://\S+)")
_START_SECONDS = 120.0
_VERIFY = "/speaker-recognition/verification/text-independent/profiles"
_IDENTIFY = "/speaker-recognition/identification/text-independent/profiles"
_VERSION = "api-version=2021-09-05&ignoreMinLength=true"


@dataclass(frozen=True)
class Contender:
    """A running service that knows the ten speakers, and what to send it for each job."""

    name: str
    url: str
    process_id: int
    jobs: Mapping[str, Posted]

    def connect(self) -> HTTPConnection:
        return HTTPConnection(urlsplit(self.url).netloc, timeout=120)


@dataclass(frozen=True)
class RunningPeer:
    name: str
    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def running_peer(python: Path, folder: Path, name: str, settings: Mapping[str, str]) -> Iterator[RunningPeer]:
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
        url = _wait_until_listening(process, log, name)
        yield RunningPeer(name, url, process)
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_listening(process: subprocess.Popen[bytes], log: Path, name: str) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        said = log.read_text(encoding="utf-8", errors="replace")
        if found := _LISTENING.search(said):
            return found[1]
        if process.poll() is not None:
            last = said.strip().splitlines()[-1:] or ["it printed nothing."]
            raise PeerMissing(f"The peer {name} ended at its start: {last[0]}")
        time.sleep(0.05)
    raise PeerMissing(f"The peer {name} did not listen within {_START_SECONDS:.0f} s.")


def peer(running: RunningPeer, spoken: Material) -> Contender:
    """Enrols the speakers. Raises ``Unexpected`` when a voice is not told from the others."""
    ids = [str(enrolment(wav).answer(running.url)["id"]) for wav in spoken.speakers]
    speech = spoken.speech[SECONDS]
    identify = _form("/identify", speech, {"candidates": ",".join(ids)})
    verify = _form(f"/speakers/{ids[0]}/verify", speech, {})
    _right(running.name, "identify", identify.answer(running.url)["speaker"], ids[0])
    _right(running.name, "verify", verify.answer(running.url)["accepted"], True)
    return Contender(running.name, running.url, running.process.pid, {"identify": identify, "verify": verify})


def enrolment(wav: bytes) -> Posted:
    """What a peer answers with a new speaker's id."""
    return _form("/speakers", wav, {})


def timbre(service: RunningService, spoken: Material) -> Contender:
    """Enrols the speakers. Raises ``Unexpected`` as ``peer``."""
    asked = _enrolled(service, _VERIFY, spoken.speakers[0])
    candidates = [_enrolled(service, _IDENTIFY, wav) for wav in spoken.speakers]
    speech = spoken.speech[SECONDS]
    among = f"{_IDENTIFY}:identifySingleSpeaker?{_VERSION}&profileIds={','.join(candidates)}"
    identify = _raw(service, among, speech)
    verify = _raw(service, f"{_VERIFY}/{asked}:verify?{_VERSION}", speech)
    found = identify.answer(service.url)["identifiedProfile"]
    assert isinstance(found, dict)
    _right("Timbre", "identify", found["profileId"], candidates[0])
    _right("Timbre", "verify", verify.answer(service.url)["recognitionResult"], "Accept")
    return Contender("Timbre", service.url, service.process.pid, {"identify": identify, "verify": verify})


def _enrolled(service: RunningService, collection: str, wav: bytes) -> str:
    body, headers = b'{"locale":"en-us"}', {**_key(service), "Content-Type": "application/json"}
    created = Posted(f"{collection}?{_VERSION}", body, headers).answer(service.url)
    profile_id = str(created["profileId"])
    _raw(service, f"{collection}/{profile_id}/enrollments?{_VERSION}", wav).answer(service.url)
    return profile_id


def _raw(service: RunningService, path: str, wav: bytes) -> Posted:
    return Posted(path, wav, {**_key(service), "Content-Type": "audio/wav"})


def _key(service: RunningService) -> dict[str, str]:
    return {"Ocp-Apim-Subscription-Key": service.key}


def _form(path: str, wav: bytes, fields: Mapping[str, str]) -> Posted:
    """multipart/form-data, as browsers and ``requests`` send files (RFC 7578)."""
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    about = 'Content-Disposition: form-data; name="audio"; filename="speech.wav"\r\nContent-Type: audio/wav'
    parts += [f"--{edge}\r\n{about}\r\n\r\n".encode(), wav, f"\r\n--{edge}--\r\n".encode()]
    return Posted(path, b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={edge}"})


def _right(name: str, job: str, answer: object, expected: object) -> None:
    if answer != expected:
        raise Unexpected(f"{name} did not {job} the speaker, so its speed would mean nothing.")
