"""One Azurite at a time on a data folder: two would overwrite each other's index. The system lets go when we die."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from localhost.failure import CannotStart


def lock(folder: Path) -> IO[bytes]:
    """Create the folder if need be and hold it until the returned file is closed. Raises `CannotStart`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "in-use.lock").open("wb")
    except OSError as error:
        raise CannotStart(f"The folder {folder} cannot be used ({error.strerror}): pass another with --data.") from None
    try:
        _lock(file)
    except OSError:
        file.close()
        raise CannotStart(
            f"The folder {folder} is already in use: stop that Timbre, or pass another with --data."
        ) from None
    return file


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
