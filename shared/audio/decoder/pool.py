"""Warm decoder processes (``child.py``): started when they are needed, for one body at a time.

They end with their parent, whose end closes their pipes.
"""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import subprocess
import sys
import weakref
from contextlib import suppress
from io import FileIO
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from shared.audio.decoder.pipes import Broken, Pipe, refusal
from shared.audio.formats import Container
from shared.audio.reader import Bounds, Decoded
from shared.domain.errors import AudioUnreadable, ServiceBusy
from shared.domain.limits import DECODING_WAIT_SECONDS, MAX_SAMPLES
from shared.domain.recording import AudioFormat

if sys.platform == "linux":
    import fcntl

log: Final = logging.getLogger("timbre.decoders")

_START_SECONDS: Final = 20.0  # a start takes 0.3 s of a processor; more is a machine that is very busy
_END_SECONDS: Final = 1.0

_BUSY_SECONDS: Final = 0.5
"""Of a processor. A body that took so much for one block is to blame; one that got less waited for the machine."""
_MOST_BYTES: Final = 4 * MAX_SAMPLES  # no message has more than all samples of the longest recording
_PIPE_BYTES: Final = 1 << 20
"""A short recording and its samples fit, so each side writes once and does not wait for the other."""
_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); sys.dont_write_bytecode = True; "
    "from shared import process; process.settle(kept_bytes=8_000_000); "
    "from shared.audio.decoder import child; child.main()"
)
_ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TZ", "LANG")
"""What a decoder inherits. The app's settings hold secrets, and a decoder needs none of them."""
_OUT_OF_TIME: Final = getattr(signal, "SIGPROF", 0)
_GONE: Final = (0, -signal.SIGTERM, -getattr(signal, "SIGKILL", 9))
"""How a process ends that has done its work, or that somebody else ends."""


class _Gone(Exception):
    """The process had done its work, or somebody else ended it: the body is not to blame."""


class Decoders:
    """``at_most`` bodies are decoded at once. Safe to share between threads."""

    def __init__(self, at_most: int) -> None:
        self.started = 0
        """Processes so far."""
        self._places = LifoQueue[_Decoder | None]()  # the latest process is used again first
        for _ in range(at_most):
            self._places.put(None)
        weakref.finalize(self, _end_all, self._places)

    def decode(self, content: bytes, container: Container, bounds: Bounds) -> Decoded:
        """Raises what ``reader.pass_on`` raises, ``AudioUnreadable`` where the body ended the decoder, and
        ``ServiceBusy`` where no decoder had time for it."""
        try:
            decoder = self._places.get(timeout=DECODING_WAIT_SECONDS)
        except Empty:
            raise ServiceBusy from None
        try:
            for _ in range(2):
                with suppress(_Gone):
                    if decoder is None or not decoder.is_alive():
                        self.started += 1
                        decoder = _Decoder()
                    return decoder.decode(content, container, bounds)
            raise ServiceBusy
        finally:
            self._places.put(decoder if decoder is not None and decoder.is_alive() else None)


def _end_all(places: LifoQueue[_Decoder | None]) -> None:
    with suppress(Empty):
        while True:
            if (decoder := places.get_nowait()) is not None:
                decoder.end()


class _Decoder:
    """One process. ``ServiceBusy`` where it cannot be started."""

    def __init__(self) -> None:
        try:
            self._process = _start()
        except OSError as error:
            log.error("decoder_not_started reason=%s", type(error).__name__)
            raise ServiceBusy from error
        self._pipe = Pipe(cast(FileIO, self._process.stdout), cast(FileIO, self._process.stdin))
        self._pipe.allow(_START_SECONDS)
        try:
            self._pipe.receive(0)
        except (Broken, OSError) as error:
            status = self.end()
            log.error("decoder_not_started status=%d", status)
            raise (ServiceBusy if isinstance(error, TimeoutError) else _Gone) from error

    def is_alive(self) -> bool:
        """Whether it can decode; ended in full where it cannot."""
        if self._process.poll() is None:
            return True
        self.end()
        return False

    def end(self, *, at_once: bool = False) -> int:
        """How it ended: below 0 is the number of a signal."""
        with suppress(OSError):
            self._pipe.close()
        with suppress(subprocess.TimeoutExpired):  # it goes when its pipes close, or has gone and is not yet reaped
            return self._process.wait(0.0 if at_once else _END_SECONDS)
        self._process.kill()
        return self._process.wait()

    def decode(self, content: bytes, container: Container, bounds: Bounds) -> Decoded:
        used = _processor_seconds(self._process.pid)
        self._pipe.allow(DECODING_WAIT_SECONDS)
        try:
            limits = [bounds.min_seconds, bounds.max_seconds, bounds.strict]
            self._pipe.send({"container": str(container), "bounds": limits}, content)
            return self._receive(container)
        except (Broken, OSError, KeyError, TypeError, ValueError) as error:
            overran = isinstance(error, TimeoutError)
            waited = _processor_seconds(self._process.pid) - used < _BUSY_SECONDS
            status = self.end(at_once=overran)
            if status in _GONE and not overran:
                if status:
                    log.warning("decoder_killed container=%s", container)
                raise _Gone from error
            log.warning("decoder_lost container=%s status=%d overran=%s", container, status, overran)
            if overran and waited:
                raise ServiceBusy from error
            slow = overran or -status == _OUT_OF_TIME
            why = "takes more time to decode than any recording" if slow else "cannot be decoded"
            raise AudioUnreadable(f"The {container} data {why}: it is damaged.") from error

    def _receive(self, container: Container) -> Decoded:
        blocks: list[npt.NDArray[np.float32]] = []
        while True:
            text, data = self._pipe.receive(_MOST_BYTES)
            match text["kind"]:
                case "samples":
                    blocks.append(np.frombuffer(data, np.float32))
                    self._pipe.allow(DECODING_WAIT_SECONDS)
                case "done":
                    return _decoded(AudioFormat(**text["format"]), blocks, data)
                case "refused":
                    raise refusal(text)
                case _:
                    log.error("decoder_defect type=%s at=%s", text.get("type"), text.get("at"))
                    raise AudioUnreadable(f"The {container} data cannot be decoded: it is damaged.")


def _start() -> subprocess.Popen[bytes]:
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


def _decoded(received: AudioFormat, blocks: list[npt.NDArray[np.float32]], clipped: bytearray) -> Decoded:
    values = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    samples = values.reshape(-1, received.channels).T
    bits = np.unpackbits(np.frombuffer(clipped, np.uint8), count=samples.size)
    return Decoded(samples, bits.reshape(samples.shape).view(np.bool_), received)


def _processor_seconds(pid: int) -> float:
    """That a process has used; infinite where the system does not say so. proc(5): fields 14 and 15 of ``stat``."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return math.inf
