"""A functions host of the standard library alone, around Microsoft's worker library and the local host's own adapter.

    python -I -S host.py PACKAGE

Started without site-packages: what can be imported is this folder (the worker library, the adapter) and what the
package itself brings, at the place where Azure's worker looks for it. Prints the port it listens on.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

package = Path(sys.argv[1])
sys.path[:0] = [str(package / ".python_packages/lib/site-packages"), str(Path(__file__).parent)]

from localhost.routes import Entry, Found, Route, RouteTable  # noqa: E402
from localhost.worker import Function, HttpCall, Worker  # noqa: E402

LOOP = asyncio.new_event_loop()
WORKER = Worker()


def entry(function: Function) -> Entry[Function]:
    route = Route.parse(str(function.trigger.get("route") or function.name))
    return Entry(route, frozenset(str(one).upper() for one in function.trigger["methods"]), function)


class Handler(BaseHTTPRequestHandler):
    routes: RouteTable[Function]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        found = self.routes.find(self.command, url.path)
        if not isinstance(found, Found):
            self.send_error(404)
            return
        query = dict(one.split("=", 1) for one in url.query.split("&") if one)
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = HttpCall(self.command, f"http://{headers['host']}{self.path}", headers, query, found.values, body)
        answer = asyncio.run_coroutine_threadsafe(WORKER.call(found.target, call), LOOP).result()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  the names that http.server looks for

    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    # As Azure's worker: every line from INFO on. To stderr, which the test reads.
    logging.getLogger("timbre").setLevel(logging.INFO)
    logging.getLogger("timbre").addHandler(logging.StreamHandler())
    threading.Thread(target=LOOP.run_forever, daemon=True).start()
    functions = asyncio.run_coroutine_threadsafe(WORKER.index(package), LOOP).result()
    Handler.routes = RouteTable([entry(one) for one in functions if one.is_http])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"listening {server.server_port} {len(functions)}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
