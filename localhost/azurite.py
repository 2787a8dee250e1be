"""Azurite, Microsoft's storage emulator, as a child process on free ports of 127.0.0.1.

    with Azurite() as azurite:                      # keeps nothing
        TableServiceClient.from_connection_string(azurite.connection_string)

The child holds a pipe from us on its stdin and stops when the pipe closes, also when this process is killed. It answers
a write when the write is on the disk, and holds the folder's lock as long as it runs (``azurite_child.cjs``).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from localhost.failure import CannotStart
from localhost.folder_lock import lock

_REPOSITORY = Path(__file__).resolve().parent.parent
_SCRIPT = _REPOSITORY / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_CHILD = Path(__file__).with_name("azurite_child.cjs")

# Azurite's published development account (Azurite README, "Default Storage Account"): known to everyone, no secret.
_ACCOUNT = "devstoreaccount1"
_ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at https?://127\.0\.0\.1:(\d+)")
_START_SECONDS = 60.0  # measured 1.6 s on two shared cores; the rest is for a cold disk


class Azurite:
    """A context manager; `data` is the folder to keep data in, None keeps nothing. Raises `CannotStart`."""

    def __init__(self, data: Path | None = None) -> None:
        self._data = data
        self._child: subprocess.Popen[str] | None = None
        self._lock: IO[bytes] | None = None
        self._ports: dict[str, int] = {}
        self._last_line = "it printed nothing."

    @property
    def connection_string(self) -> str:
        """For blobs, queues and tables; valid after start."""
        endpoints = "".join(
            f"{service}Endpoint=http://127.0.0.1:{self._ports[service]}/{_ACCOUNT};"
            for service in ("Blob", "Queue", "Table")
        )
        return f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_ACCOUNT_KEY};{endpoints}"

    @property
    def process(self) -> subprocess.Popen[str]:
        """The child; valid after start."""
        assert self._child is not None
        return self._child

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:  # Ctrl-C while starting must not leave the child behind either
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Every write that was answered is kept. Safe to call twice."""
        child, self._child = self._child, None
        if child is not None and child.stdin is not None:
            child.kill()
            child.wait()
            child.stdin.close()
        if self._lock is not None:
            self._lock.close()

    def _start(self) -> None:
        if self._data:
            self._lock = lock(self._data)
        self._child = subprocess.Popen(
            self._command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=_REPOSITORY,
            # Its own group: Ctrl-C at the terminal reaches us alone, and requests in flight can still finish.
            start_new_session=sys.platform != "win32",
            # The lock goes with the last process that has it open: Azurite may write for a moment after we are killed.
            pass_fds=[self._lock.fileno()] if self._lock and sys.platform != "win32" else [],
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        assert self._child.stdout is not None
        reader = threading.Thread(target=self._read, args=(self._child.stdout,), daemon=True)
        reader.start()
        deadline = time.monotonic() + _START_SECONDS
        while len(self._ports) < 3:
            if self._child.poll() is not None:
                reader.join()
                raise CannotStart(f"Azurite, the storage emulator, ended at once: {self._last_line}")
            if time.monotonic() > deadline:
                raise CannotStart(f"Azurite, the storage emulator, was not ready within {_START_SECONDS:.0f} s.")
            time.sleep(0.02)

    def _read(self, output: IO[str]) -> None:
        """Until the child ends: an unread pipe would fill up and stop it."""
        with output:
            for line in output:
                self._last_line = line.strip() or self._last_line
                if match := _LISTENING.search(line):
                    self._ports[match[1]] = int(match[2])

    def _command(self) -> list[str]:
        node = shutil.which("node")
        if node is None:
            raise CannotStart("Node.js is missing: install Node.js 20 or later; it runs Azurite, which holds the data.")
        if not _SCRIPT.exists():
            raise CannotStart("Azurite, the storage emulator, is not installed: start with `python dev.py start`.")
        command = [node, "--require", str(_CHILD), str(_SCRIPT), "--silent", "--disableTelemetry"]
        # The SDKs name a newer storage version than this Azurite knows; without the flag every blob call gets 400.
        command += ["--skipApiVersionCheck", "--blobPort", "0", "--queuePort", "0", "--tablePort", "0"]
        if self._data is None:
            return [*command, "--inMemoryPersistence"]
        return [*command, "--location", str(self._data)]
