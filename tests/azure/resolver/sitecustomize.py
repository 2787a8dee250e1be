"""Runs at the start of every Python that has this folder on its path, before any code of the app.

``TIMBRE_TEST_NAMES`` lists ``NAME=PORT`` with commas: those names lead to that port of this machine, whatever port is
asked for. So the key vault has its real name and port 443 in every URL, without a change to the machine.
"""

import os
import socket
from typing import Any

_PORTS = dict(pair.split("=") for pair in os.environ.get("TIMBRE_TEST_NAMES", "").split(",") if pair)
_resolve = socket.getaddrinfo


def _getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name in _PORTS:
        host, port = "127.0.0.1", int(_PORTS[name])
    return _resolve(host, port, *arguments, **options)


if _PORTS:
    socket.getaddrinfo = _getaddrinfo
