"""Storage that stops answering when it is told to: a relay in front of Azurite whose valve can be shut, or cuts."""

from __future__ import annotations

import re
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Event, Thread


class Valve:
    """While it is shut, requests stay unanswered; those whose first line has ``counted`` in it are counted, each once,
    however often it is made again."""

    def __init__(self, target: tuple[str, int], counted: bytes = b"") -> None:
        self._target, self._counted = target, counted
        self._open, self._changed = Event(), Condition()
        self._open.set()
        self._counted_lines = set[bytes]()
        self._held: tuple[bytes, ...] = ()
        self._cut_after: int | None = None
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self._listening.getsockname()[1])
        Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def shut(self, *held: bytes) -> Iterator[None]:
        """For requests whose first line has one of these in it; without any, for every request."""
        self._held = held or (b"",)
        self._counted_lines = set()
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    @contextmanager
    def cut(self, after: int) -> Iterator[None]:
        """Every connection that is opened meanwhile ends after so many bytes of answers."""
        self._cut_after = after
        try:
            yield
        finally:
            self._cut_after = None

    def wait_for(self, number: int, seconds: float) -> bool:
        """Whether so many have come within that time since it was shut."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._counted_lines) >= number, seconds)

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                storage = socket.create_connection(self._target)
                Thread(target=self._relay, args=(client, storage), daemon=True).start()
                Thread(target=self._copy, args=(storage, client, self._cut_after), daemon=True).start()

    def _relay(self, client: socket.socket, storage: socket.socket) -> None:
        with suppress(OSError, ValueError), storage:  # ValueError: the other copier has closed the client's socket
            while part := client.recv(65_536):
                line = part.partition(b"\r\n")[0]
                is_held = not self._open.is_set() and any(held in line for held in self._held)
                if is_held and self._counted in line:
                    self._count(line)
                held_back = self._hold(client, part) if is_held else part
                if not held_back:
                    return
                storage.sendall(held_back)
            storage.shutdown(socket.SHUT_WR)

    def _hold(self, client: socket.socket, part: bytes) -> bytes:
        """Everything that the client has sent once the valve is open; nothing where it has given up by then."""
        is_open = False
        while not is_open:
            is_open = self._open.wait(0.02)
            while select.select([client], [], [], 0.0)[0]:  # its end stands behind what it had still to send
                more = client.recv(65_536)
                if not more:
                    return b""
                part += more
        return part

    @staticmethod
    def _copy(storage: socket.socket, client: socket.socket, left: int | None) -> None:
        with suppress(OSError), client:
            while left != 0 and (part := storage.recv(65_536)):
                sent = part[:left]
                client.sendall(sent)
                left = None if left is None else left - len(sent)
            client.shutdown(socket.SHUT_RDWR)  # closing alone does not wake the other copier, which reads from it

    def _count(self, line: bytes) -> None:
        with self._changed:
            self._counted_lines.add(line)
            self._changed.notify_all()


@contextmanager
def behind(service: str, connection_string: str, counted: bytes = b"") -> Iterator[tuple[Valve, str]]:
    """A valve in front of the endpoint ``Table`` or ``Blob``, and the connection string that goes through it."""
    found = re.search(rf"{service}Endpoint=http://([\d.]+):(\d+)/", connection_string)
    assert found
    valve = Valve((found[1], int(found[2])), counted)
    try:
        yield valve, connection_string.replace(found[0], f"{service}Endpoint=http://127.0.0.1:{valve.port}/")
    finally:
        valve.close()
