"""`local.settings.json`: the same file that `func start` reads. The environment wins over it."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path

from localhost.failure import CannotStart

_PLACEHOLDER = "generated-at-first-start"
_DEVELOPMENT_STORAGE = "UseDevelopmentStorage=true"
_KEY_BYTES = 32  # AES-256


def load(app_folder: Path) -> dict[str, str]:
    """Read `Values`, copying the sample first where there is none. Raises `CannotStart` on a file it cannot use."""
    path = app_folder / "local.settings.json"
    sample = app_folder / "local.settings.sample.json"
    if not path.exists():
        if not sample.exists():
            return {}
        _create(path, _with_own_key(sample.read_text(encoding="utf-8")))
    text = path.read_text(encoding="utf-8-sig")
    if _PLACEHOLDER in text:  # copied by hand
        text = _with_own_key(text)
        path.write_text(text, encoding="utf-8")
    with suppress(OSError):  # somebody else's file, or a disk that cannot be written
        path.chmod(0o600)  # it holds the key that opens every voice
    return _values(text)


def apply(values: Mapping[str, str], environment: MutableMapping[str, str]) -> None:
    """Put each value into the environment unless it is set there already."""
    for name, value in values.items():
        environment.setdefault(name, value)


def wants_own_storage(values: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Whether nobody named a storage account, so that the local host has to bring one."""
    return "VOICE_STORAGE" not in environment and values.get("VOICE_STORAGE", _DEVELOPMENT_STORAGE) in (
        "",
        _DEVELOPMENT_STORAGE,
    )


def _with_own_key(text: str) -> str:
    return text.replace(_PLACEHOLDER, base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())


def _create(path: Path, text: str) -> None:
    # Readable by its owner only, and never over a file that a second start has just written.
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _values(text: str) -> dict[str, str]:
    try:
        settings = json.loads(text)
        values = settings.get("Values", {})
        usable = isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
    except (ValueError, AttributeError):
        raise CannotStart("local.settings.json is not valid JSON: repair it, or delete it to get a new one.") from None
    if not usable:
        raise CannotStart('local.settings.json needs "Values" with strings only: repair it, or delete it.')
    return dict(values)
