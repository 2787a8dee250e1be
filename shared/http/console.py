"""The console's files, whether they are served, and the headers that bind them.

They stand in ``console/``. What is not in the list of them is not there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from shared import config

PAGE: Final = "index.html"
FILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        PAGE: "text/html; charset=utf-8",
        "console.css": "text/css; charset=utf-8",
        "console.js": "text/javascript; charset=utf-8",
        "api.js": "text/javascript; charset=utf-8",
        "drawing.js": "text/javascript; charset=utf-8",
        "microphone.js": "text/javascript; charset=utf-8",
        "recorder.js": "text/javascript; charset=utf-8",
        "turns.js": "text/javascript; charset=utf-8",
    }
)
"""Every file of the console, with its media type."""

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; media-src blob:; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "microphone=(self)",
        # Also keeps the page, and the key in its memory, out of the browser's cache of pages to go back to.
        "Cache-Control": "no-store",
    }
)


@cache
def is_on() -> bool:
    return config.console(os.environ)


@cache
def content(name: str) -> bytes:
    return (Path(__file__).resolve().parents[2] / "console" / name).read_bytes()
