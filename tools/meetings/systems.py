"""The diarizers that are measured: Timbre in this process, its peers and pyannote.metrics behind pipes.

Answers are kept in build/evaluate/turns, so that a second run asks only what has changed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import onnx

from shared.bootstrap import Services, build
from shared.config import read
from shared.domain.access import AccessKey, Role
from shared.domain.audit import Actor, Caller, via_key
from shared.domain.limits import AudioRules
from shared.domain.profile import ProfileKind
from shared.domain.recording import Audio
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from shared.services.enroll import EnrollRequest, EnrollRules
from shared.services.turns import TurnsWanted
from shared.storage.stores import Storage
from tests.performance.peers.contenders import write_for_sherpa
from tools.calibration.hearing import as_wav
from tools.evaluation.peer_environment import PeerMissing, peer_python
from tools.meetings.simulation import Meeting, Turn
from tools.meetings.voices import Voice

ROOT: Final = Path(__file__).resolve().parents[2]
KEPT: Final = ROOT / "build" / "evaluate" / "turns"
WORKER: Final = Path(__file__).with_name("peer_worker.py")
SHERPA_THRESHOLD: Final = 0.8
"""Of 0.5 (its default), 0.6, 0.7 and 0.8 the one with the least error on five meetings: docs/internals/turns.md."""
ANY: Final = AudioRules(1.0, 1_800.0, 0.0, -100.0)
_OURS: Final = ("shared/audio", "shared/inference", "shared/domain", "shared/services")
"""Code that what Timbre answers depends on."""


@dataclass(frozen=True)
class Diarized:
    """``processor_seconds`` of all threads. Speakers of Timbre are voices' names, or ``unknown-n``."""

    turns: tuple[Turn, ...]
    processor_seconds: float


Diarize = Callable[[Meeting, bytes], Diarized]
"""``bytes`` are the recording as a client has it."""


@dataclass(frozen=True)
class Kept:
    """One JSON file an answer."""

    folder: Path = KEPT

    def once(self, key: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """``key`` names everything that the answer depends on."""
        file = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
        if not file.exists():
            answer = ask()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(answer), encoding="ascii")
        return dict(json.loads(file.read_text(encoding="ascii")))


class Worker:
    """``peer_worker.py`` with these arguments, started when first asked."""

    def __init__(self, stack: ExitStack, *arguments: str) -> None:
        self._stack, self._arguments = stack, arguments

    def ask(self, line: str) -> dict[str, Any]:
        """Raises ``PeerMissing`` when it ends instead of answering."""
        pipe = self._process
        assert pipe.stdin is not None
        assert pipe.stdout is not None
        pipe.stdin.write(line + "\n")
        pipe.stdin.flush()
        answer = pipe.stdout.readline()
        if not answer:
            raise PeerMissing(f"{self._arguments[0]} ended while it was asked; see its message above.")
        return dict(json.loads(answer))

    @cached_property
    def _process(self) -> subprocess.Popen[str]:
        command = [str(peer_python()), str(WORKER), *self._arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._stack.callback(process.communicate, timeout=60)
        return process


def peer(name: str, worker: Worker, kept: Kept) -> Diarize:
    """It is given the recording at 16 kHz, telephone calls too."""

    def diarize(meeting: Meeting, _: bytes) -> Diarized:
        wav = as_wav(meeting.samples[0])

        def ask() -> dict[str, Any]:
            with NamedTemporaryFile(suffix=".wav") as file:
                file.write(wav)
                file.flush()
                return worker.ask(file.name)

        return _diarized(kept.once(f"{name} {hashlib.sha256(wav).hexdigest()}", ask))

    return diarize


def sherpa(stack: ExitStack, folder: Path, threshold: float = SHERPA_THRESHOLD) -> Worker:
    """sherpa-onnx with the networks that Timbre ships, copied with the metadata that it asks for."""
    catalogue = read_catalogue()
    segmentation, embedding = folder / "segmentation.onnx", folder / "embedding.onnx"
    folder.mkdir(parents=True, exist_ok=True)
    write_for_sherpa(CATALOGUE_FILE.parent / catalogue.speaker("campplus-channels-1").file.name, embedding)
    model = onnx.load(str(CATALOGUE_FILE.parent / catalogue.segmentation.file.name))
    onnx.helper.set_model_props(model, {name: str(value) for name, value in _SEGMENTATION.items()})
    onnx.save(model, str(segmentation))
    return Worker(stack, "sherpa-onnx", str(segmentation), str(embedding), str(threshold))


_SEGMENTATION: Final = {
    "model_type": "pyannote-segmentation-3.0",
    "num_speakers": 3,
    "powerset_max_classes": 2,
    "num_classes": 7,
    "sample_rate": 16_000,
    "window_size": 160_000,
    "receptive_field_size": 991,
    "receptive_field_shift": 270,
}
"""What sherpa-onnx reads in the files that it offers of this network (``scripts/pyannote/segmentation``)."""


class Timbre:
    """The service over storage in memory, with everyone enrolled who is ever a candidate."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}

    @cached_property
    def services(self) -> Services:
        key = "local:" + base64.b64encode(bytes(32)).decode()
        settings = {"VOICE_STORAGE": "AccountName=unused;AccountKey=dW51c2Vk", "TIMBRE_KEY_ENCRYPTION": key}
        return build(read(settings | {"TIMBRE_LOCAL_SUBSCRIPTION_KEY": "evaluation"}), Storage.in_memory())

    def __call__(self, meeting: Meeting, body: bytes) -> Diarized:
        key = " ".join((fingerprint(), hashlib.sha256(body).hexdigest(), *(one.name for one in meeting.candidates)))
        return _diarized(self._kept.once(key, lambda: self._ask(meeting, body)))

    def wanted(self, meeting: Meeting) -> TurnsWanted:
        """The meeting's candidates, enrolled now if they were not."""
        return TurnsWanted(self._caller.subscription, [self._enrolled(one) for one in meeting.candidates])

    def named(self, speaker: str) -> str:
        """The voice's name of a profile's id; what is none stays."""
        return self._names.get(speaker, speaker)

    def _ask(self, meeting: Meeting, body: bytes) -> dict[str, Any]:
        wanted = self.wanted(meeting)
        before = time.process_time()
        found = self.services.identify_turns(wanted, Audio(body, "audio/wav"), ANY)
        seconds = time.process_time() - before
        turns = [(turn.start, turn.end, self.named(turn.speaker), (turn.channel or 1) - 1) for turn in found.turns]
        return {"turns": turns, "processor_seconds": seconds}

    def _enrolled(self, voice: Voice) -> str:
        """By all takes that it enrols with, one after another."""
        if voice.name not in self._ids:
            created = self.services.profiles.create(self._caller, ProfileKind.IDENTIFICATION, "en-us")
            rules = EnrollRules(ANY, at_once=True)
            for take in voice.enrolment:
                request = EnrollRequest(self._caller, created.key, Audio(as_wav(take), "audio/wav"), rules)
                self.services.enroll(request)
            self._ids[voice.name] = created.key.profile_id
            self._names[created.key.profile_id] = voice.name
        return self._ids[voice.name]

    @cached_property
    def _caller(self) -> Caller:
        actor = Actor(via_key("primary"), "evaluation")
        return Caller(self.services.subscriptions.get("local"), actor, AccessKey("primary", Role.MANAGE))


def errors(score: Worker, kept: Kept, meeting: Meeting, found: Diarized) -> Mapping[str, Mapping[str, float]]:
    """Seconds of each kind of error by collar, by pyannote.metrics."""
    asked = {
        "reference": [_plain(turn) for turn in meeting.turns],
        "hypothesis": [_plain(turn) for turn in found.turns],
        "seconds": meeting.seconds,
    }
    line = json.dumps(asked)
    return kept.once(f"score {line}", lambda: score.ask(line))


def fingerprint() -> str:
    """Changes with the code and the networks that Timbre's answers come from."""
    sources = sorted(file for folder in _OURS for file in (ROOT / folder).rglob("*.py"))
    whole = b"".join(file.read_bytes() for file in (*sources, CATALOGUE_FILE))
    return hashlib.sha256(whole).hexdigest()


def _plain(turn: Turn) -> tuple[float, float, str]:
    return turn.start, turn.end, turn.speaker


def _diarized(answer: Mapping[str, Any]) -> Diarized:
    turns: Sequence[Any] = answer["turns"]
    return Diarized(tuple(Turn(*one) for one in turns), float(answer["processor_seconds"]))
