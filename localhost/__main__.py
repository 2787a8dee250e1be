"""`python -m localhost`: the app of a folder on this machine. People start it with `python dev.py start`."""

from __future__ import annotations

import _thread
import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from aiohttp import ClientError, ClientSession

from localhost import settings
from localhost.azurite import Azurite
from localhost.failure import CannotStart
from localhost.server import Server
from localhost.timers import Timers
from localhost.worker import Worker

_CANNOT_START = 2
_DEFAULTS = {"TIMBRE_CONSOLE": "true"}  # a page to try it with, which production has to switch on
_TIMER_GRACE_SECONDS = 10.0
_STOP_SECONDS = 45.0  # for the whole stop: a function that never returns must not keep the process; dev.py waits 50 s
_REPOSITORY = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None, worker: Callable[[], Worker] = Worker) -> int:
    """``worker`` makes what runs the app: in this process, unless told otherwise."""
    options = _options(arguments)
    os.umask(0o077)  # what this process writes holds voices and keys, and what Azurite writes too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.until_stdin_closes:
        threading.Thread(target=_interrupt_when_stdin_closes, daemon=True).start()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    # aiohttp would log a malformed request with its first bytes, and those may hold a key.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    # The worker library logs what it also returns to us.
    logging.getLogger("azure.functions").setLevel(logging.CRITICAL)
    try:
        values = settings.load(options.app)
        wants_storage = settings.wants_own_storage(values, os.environ)
        settings.apply({**_DEFAULTS, **values}, os.environ)
        with _storage(wants_storage, None if options.ephemeral else options.data):
            asyncio.run(_serve(options, worker()))
    except KeyboardInterrupt:
        return 0
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return _CANNOT_START
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localhost", description="The local Functions host (development only).")
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free one")
    parser.add_argument("--data", type=Path, default=_REPOSITORY / ".timbre", help="folder that survives restarts")
    parser.add_argument("--ephemeral", action="store_true", help="keep nothing")
    parser.add_argument("--app", type=Path, default=_REPOSITORY, help="folder with function_app.py")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="stop when the other end of stdin is closed, or its process is gone",
    )
    parser.add_argument("--timers-on-demand", action="store_true", help="no timer runs until it is asked for")
    options = parser.parse_args(arguments)
    options.app, options.data = options.app.resolve(), options.data.resolve()
    return options


@contextmanager
def _storage(wanted: bool, data: Path | None) -> Iterator[None]:
    if not wanted:
        yield
        return
    print("Starting Azurite", flush=True)
    with Azurite(data / "azurite" if data else None) as azurite:
        os.environ["VOICE_STORAGE"] = azurite.connection_string
        yield


async def _serve(options: argparse.Namespace, worker: Worker) -> None:
    print("Loading the function app", flush=True)
    functions = await worker.index(options.app)
    key = os.environ.get("TIMBRE_LOCAL_MANAGEMENT_KEY", "")
    if not key:
        raise CannotStart("TIMBRE_LOCAL_MANAGEMENT_KEY is empty: set it in local.settings.json or the environment.")
    server = Server(worker, functions, key)
    timers = Timers(worker, functions)  # a schedule that is none stops the start
    stop = _stop_on_signals()
    url = f"http://127.0.0.1:{await server.start(options.port)}"
    try:
        await _check_ready(url)
        if not options.timers_on_demand:
            timers.start()
        shown = os.environ.get("TIMBRE_LOCAL_SUBSCRIPTION_KEY", "")
        print(f"Timbre is ready at {url} (Ocp-Apim-Subscription-Key: {shown})", flush=True)
        await stop.wait()
    finally:
        await timers.stop(_TIMER_GRACE_SECONDS)
        await server.stop()


def _stop_on_signals() -> asyncio.Event:
    """Set at the first signal; a second one stops at once, without waiting for requests in flight."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def ask(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        give_up = threading.Timer(_STOP_SECONDS, os._exit, [0])  # Azurite stops by itself when we are gone
        give_up.daemon = True
        give_up.start()
        loop.call_soon_threadsafe(stop.set)

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    return stop


async def _check_ready(url: str) -> None:
    """Ask over the wire, so that "ready" is a fact."""
    async with ClientSession() as session:
        try:
            async with session.get(f"{url}/health") as answer:
                status = answer.status
        except ClientError:
            status = 0
    if status != 200:
        raise CannotStart(f"The service started but /health answered {status}: see the lines above.")


def _interrupt_when_stdin_closes() -> None:
    while os.read(0, 1024):
        pass
    if hasattr(signal, "pthread_kill"):
        # A simulated signal would wait until something else wakes the event loop, which may take minutes.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    else:
        _thread.interrupt_main(signal.SIGTERM)


def end(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: a function that hangs in the thread pool past its grace would keep the process alive.
    os._exit(code)


if __name__ == "__main__":
    end(main())
