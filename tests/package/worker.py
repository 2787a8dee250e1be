"""The package in a process of its own, run by Microsoft's worker library, as Azure's worker process runs it.

    python -I -S worker.py PACKAGE DESCRIPTOR

Started without site-packages: what can be imported is the standard library, what the package itself brings, at the
place where Azure's worker looks for it, and the folder of this file (the worker library, the adapter to it). The HTTP
front is another process (``front.py``); calls and answers come and go over the socket ``DESCRIPTOR``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

package = Path(sys.argv[1])
sys.path[:0] = [str(package / ".python_packages/lib/site-packages"), str(Path(__file__).parent)]

from localhost.failure import CannotStart  # noqa: E402
from localhost.worker import Function, FunctionFailed, Worker  # noqa: E402


class Served:
    """What came over the socket, each in a task of its own."""

    def __init__(self, link: Connection[Any, Any]) -> None:
        self._link = link
        self._worker = Worker()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            functions = await self._worker.index(package)
            self._link.send((self._worker.http_url, functions))
        except CannotStart as problem:
            self._link.send(str(problem))
        with ThreadPoolExecutor(1) as reader:
            while True:
                try:
                    number, function, given = await asyncio.get_running_loop().run_in_executor(reader, self._link.recv)
                except EOFError:
                    os._exit(0)  # the front is gone, however it went
                task = asyncio.create_task(self._answer(number, function, given))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int, function: Function | None, given: tuple[str, dict[str, str]] | None) -> None:
        answer: object = None
        try:
            if function is None:
                files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
                answer = [*sys.path, *(file for file in files if file)]
            elif given is not None:
                await self._worker.call(function, *given)
            else:
                await self._worker.fire(function)
        except FunctionFailed as failure:
            self._link.send((number, False, failure.trace))
        else:
            self._link.send((number, True, answer))


if __name__ == "__main__":
    # As Azure's worker: every line of the app from INFO on. To stderr, which the tests read.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("timbre").setLevel(logging.INFO)
    logging.getLogger("azure.functions").setLevel(logging.CRITICAL)  # logs what it also returns to us
    asyncio.run(Served(Connection(int(sys.argv[2]))).run())
