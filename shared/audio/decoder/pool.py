"""Warm processes that decode what our own parsers do not read: ``child.py``.

Libraries that decode what strangers send can hang, die or take memory without end. In a process of its own, under
limits, that costs one answer: the process is replaced, and other requests notice nothing. Processes are started when
they are needed, work for one body at a time, and end with their parent, whose end closes their pipes.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from threading import Condition
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from shared.audio.decoder import pipes
from shared.audio.decoder.clocks import Clock, Watch
from shared.audio.reader import Bounds, Decoded, joined
from shared.audio.sniff import Container
from shared.domain.errors import AudioUnreadable, ServiceBusy
from shared.domain.limits import DECODING_WAIT_SECONDS, MAX_SAMPLES
from shared.domain.recording import AudioFormat

if sys.platform == "linux":
    import fcntl

log: Final = logging.getLogger("timbre.decoders")

_START_SECONDS: Final = 20.0
"""A start takes 0.3 s of a processor; more is a machine that is very busy."""

_END_SECONDS: Final = 1.0

_MOST_FRAME_BYTES: Final = 4 * MAX_SAMPLES
"""No frame has more than all samples of the longest recording."""

_PIPE_BYTES: Final = 1 << 20
"""A short recording and its samples fit, so each side writes once and does not wait for the other."""

_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); sys.dont_write_bytecode = True; "
    "from shared import process; process.settle(kept_bytes=8_000_000); "
    "from shared.audio.decoder import child; child.main()"
)
_ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TZ", "LANG")
"""What a decoder inherits. The app's settings hold secrets, and a decoder needs none of them."""


class _Killed(Exception):
    """Somebody else ended the process: the body is not to blame."""


class Decoders:
    """``at_most`` bodies are decoded at once. Safe to share between threads."""

    def __init__(self, at_most: int) -> None:
        self.started = 0
        """Processes so far."""
        self._at_most = at_most
        self._changed = Condition()
        self._busy = 0
        self._idle: list[_Decoder] = []
        self._watch = Watch()
        weakref.finalize(self, _close, self._idle, self._watch)

    def decode(self, content: bytes, container: Container, bounds: Bounds) -> Decoded:
        """Raises what ``reader.Reader`` raises, ``AudioUnreadable`` where the body ended the decoder, and
        ``ServiceBusy`` where no decoder had time for it."""
        for _ in range(2):
            try:
                with self._lent() as decoder:
                    return decoder.decode(content, container, bounds)
            except _Killed:
                log.warning("decoder_killed container=%s", container)
        raise ServiceBusy

    @contextmanager
    def _lent(self) -> Iterator[_Decoder]:
        decoder = self._taken()
        try:
            if decoder is None or not decoder.lives:
                decoder = None  # not to be lent again where no other starts
                self.started += 1
                decoder = _Decoder(self._watch)
            yield decoder
        finally:
            with self._changed:
                self._busy -= 1
                if decoder is not None and decoder.lives:
                    self._idle.append(decoder)
                self._changed.notify()

    def _taken(self) -> _Decoder | None:
        """An idle one, or ``None`` for leave to start one."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy < self._at_most, DECODING_WAIT_SECONDS):
                raise ServiceBusy
            self._busy += 1
            return self._idle.pop() if self._idle else None


def _close(idle: list[_Decoder], watch: Watch) -> None:
    watch.ended.set()
    for decoder in idle:
        decoder.end()


class _Decoder:
    """One process. ``ServiceBusy`` when it does not start, ``_Killed`` when somebody ends it before."""

    def __init__(self, watch: Watch) -> None:
        try:
            self._process = _started()
        except OSError as error:
            log.error("decoder_not_started reason=%s", type(error).__name__)
            raise ServiceBusy from error
        self._requests, self._replies = cast(FileIO, self._process.stdin), cast(FileIO, self._process.stdout)
        self._clock, self._last = Clock(self._process), False
        watch.add(self._clock)
        with self._clock.running(_START_SECONDS):
            try:
                ready = pipes.receive(self._replies, 0).kind is pipes.Kind.READY
            except (pipes.Broken, OSError):
                ready = False
        if not ready:
            status = self.end()
            log.error("decoder_not_started status=%d", status)
            raise _Killed if -status in _KILLED and not self._clock.overran else ServiceBusy

    @property
    def lives(self) -> bool:
        """Whether it can decode; ended in full where it cannot."""
        if self._process.poll() is None and not self._last:
            return True
        self.end()
        return False

    def end(self) -> int:
        """How it ended: below 0 is the number of a signal."""
        for pipe in (self._requests, self._replies):
            with suppress(OSError):
                pipe.close()
        with suppress(subprocess.TimeoutExpired):  # it goes when its pipes close, or has gone and is not yet reaped
            return self._process.wait(_END_SECONDS)
        self._process.kill()
        return self._process.wait()

    def decode(self, content: bytes, container: Container, bounds: Bounds) -> Decoded:
        text = {"container": str(container), "bounds": [bounds.min_seconds, bounds.max_seconds, bounds.strict]}
        with self._clock.running(DECODING_WAIT_SECONDS):
            try:
                pipes.send(self._requests, pipes.Kind.BODY, text, memoryview(content))
                return self._received(container)
            except (pipes.Broken, OSError, KeyError, TypeError, ValueError) as error:
                problem = error
        raise self._lost(container, self.end()) from problem

    def _received(self, container: Container) -> Decoded:
        blocks: list[npt.NDArray[np.float32]] = []
        while True:
            frame = pipes.receive(self._replies, _MOST_FRAME_BYTES)
            self._last = frame.text.get("last") is True
            if frame.kind is pipes.Kind.SAMPLES:
                blocks.append(np.frombuffer(frame.data, np.float32).reshape(-1, frame.text["channels"]))
                self._clock.restart(DECODING_WAIT_SECONDS)
            elif frame.kind is pipes.Kind.DONE:
                return _finished(frame.text, blocks, frame.data)
            elif frame.kind is pipes.Kind.REFUSED:
                raise pipes.refusal(frame.text)
            elif frame.kind is pipes.Kind.DEFECT:
                log.error("decoder_defect type=%s at=%s", frame.text.get("type"), frame.text.get("at"))
                raise AudioUnreadable(f"The {container} data cannot be decoded: it is damaged.")
            else:
                raise pipes.Broken

    def _lost(self, container: Container, status: int) -> Exception:
        """The process is gone: why, as an answer."""
        log.warning("decoder_lost container=%s status=%d overran=%s", container, status, self._clock.overran)
        if self._clock.overran and not self._clock.was_busy:
            return ServiceBusy()
        if self._clock.overran or -status == _PROCESSOR_TIME:
            return AudioUnreadable(f"The {container} data takes more time to decode than any recording: it is damaged.")
        if -status in _KILLED:
            return _Killed()
        return AudioUnreadable(f"The {container} data cannot be decoded: it is damaged.")


_PROCESSOR_TIME: Final = getattr(signal, "SIGPROF", 0)
_KILLED: Final = (signal.SIGTERM, getattr(signal, "SIGKILL", 9))


def _started() -> subprocess.Popen[bytes]:
    paths = json.dumps([str(Path(entry or ".").absolute()) for entry in sys.path])
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _START, paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd=Path(sys.executable).anchor or None,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        start_new_session=True,  # signals of a terminal are for the parent
    )
    if sys.platform == "linux":
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what a user may have in pipes is bounded; small ones are only slower
                fcntl.fcntl(cast(FileIO, pipe), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return process


def _finished(text: Mapping[str, Any], blocks: list[npt.NDArray[np.float32]], data: bytearray) -> Decoded:
    """``data``: the last piece, then a bit for each sample of all pieces."""
    received, values = AudioFormat(**text["format"]), text["frames"] * text["channels"]
    last = np.frombuffer(data, np.float32, values).reshape(-1, text["channels"])
    samples = joined([*blocks, last])
    bits = np.unpackbits(np.frombuffer(data, np.uint8, offset=4 * values), count=samples.size)
    return Decoded(samples, bits.reshape(samples.shape).view(np.bool_), received)
