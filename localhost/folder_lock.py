"""One Azurite at a time on a data folder: two would overwrite each other's index.

The system lets go when every process is gone that has the file open; on Windows, when the one is gone that locked it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import IO

from localhost.failure import CannotStart

_PATIENCE_SECONDS = 3.0  # an Azurite whose parent was killed needs less to be gone


def lock(folder: Path) -> IO[bytes]:
    """Create the folder if need be and hold it until the returned file is closed. Raises `CannotStart`.

    The folder is its owner's alone from then on, also one of an earlier version.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        file = (folder / "in-use.lock").open("wb")
    except OSError as error:
        raise CannotStart(f"The folder {folder} cannot be used ({error.strerror}): pass another with --data.") from None
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _is_locked(file):
        if time.monotonic() > deadline:
            file.close()
            raise CannotStart(f"The folder {folder} is already in use: stop that Timbre, or pass another with --data.")
        time.sleep(0.05)
    return file


def _is_locked(file: IO[bytes]) -> bool:
    try:
        _lock(file)
    except OSError:
        return False
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
