"""The local Functions host in front of a package that runs in another process, with nothing else to import there.

    python -m tests.package.front PLACE [arguments of python -m localhost]

``PLACE`` is the folder that ``place.prepare`` has filled. HTTP, keys and timers are the local host's own, so that the
same tests speak to the package as to the working tree.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from localhost.__main__ import end, main
from localhost.failure import CannotStart
from localhost.worker import Function, FunctionFailed, Worker
from tests.package.place import Place


@dataclass
class Separate(Worker):
    """The worker in another process, which ends when this one does: the socket between them closes."""

    place: Place
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _link: Connection[Any, Any] | None = None
    _process: subprocess.Popen[bytes] | None = None

    async def index(self, app_folder: Path) -> list[Function]:
        self._link, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [self.place.python, "-I", "-S", str(self.place.worker), str(app_folder), str(theirs.fileno())],
                cwd=app_folder,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C at the terminal reaches the front, which lets requests finish
            )
        try:
            indexed = await asyncio.to_thread(self._link.recv)
        except EOFError:
            raise CannotStart("The package does not start: see the lines above.") from None
        if isinstance(indexed, str):
            raise CannotStart(indexed)
        self.http_url, functions = indexed
        threading.Thread(target=self._read, args=(self._link, asyncio.get_running_loop()), daemon=True).start()
        return list(functions)

    async def call(self, function: Function, invocation_id: str, route_values: Mapping[str, str]) -> None:
        await self._ask(function, (invocation_id, dict(route_values)))

    async def fire(self, function: Function) -> None:
        await self._ask(function, None)

    async def within_reach(self) -> set[Path]:
        """Where the package's process looks for modules, and the files of those that it has imported."""
        return {Path(one).resolve() for one in await self._ask(None, None)}

    def close(self) -> None:
        """At once; the local host has let the calls in flight finish."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def _ask(self, function: Function | None, given: tuple[str, dict[str, str]] | None) -> Any:
        assert self._link is not None
        number, future = next(self._numbers), asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._link.send((number, function, given))
        try:
            succeeded, answer = await future
        finally:
            del self._waiting[number]
        if not succeeded:
            raise FunctionFailed(answer)
        return answer

    def _read(self, link: Connection[Any, Any], loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits for an answer any more
            try:
                while True:
                    number, *answer = link.recv()
                    loop.call_soon_threadsafe(self._answered, number, tuple(answer))
            except (EOFError, OSError):
                loop.call_soon_threadsafe(self._ended)

    def _answered(self, number: int, answer: tuple[bool, Any]) -> None:
        if (future := self._waiting.get(number)) and not future.done():
            future.set_result(answer)

    def _ended(self) -> None:
        for number in list(self._waiting):
            self._answered(number, (False, "the process of the package has ended"))


if __name__ == "__main__":
    app = Separate(Place(Path(sys.argv[1])))
    code = main(["--app", str(app.place.app), *sys.argv[2:]], lambda: app)
    app.close()
    end(code)
