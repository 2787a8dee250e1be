"""How `-n 2` deals the tests out to processes: file by file, in order, so that a file's set-ups are made once."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling


class FileByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist says no types
    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        # Not the largest file first: the API tests, as the longest part, come first by name, and the many short
        # files of unit tests last, so that no process is left alone with a long one.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::", 1)[0]
