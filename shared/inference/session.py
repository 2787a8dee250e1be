"""One ONNX session per model file, opened at first use."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


class ModelFileMissing(Exception):
    """The model was not built yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"The model file {path.name} is missing in {path.parent}. Build it with: python dev.py model")


class OnnxNetwork:
    """A network on the CPU with one thread, so that the worker's own threads share the cores without contention.

    Safe to use from several threads: the session is opened once, and ONNX Runtime's sessions run concurrently.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opening = threading.Lock()
        self._session: Any = None

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """The named outputs. ``ModelFileMissing`` when the file is not there."""
        return list(self._opened().run(outputs, inputs))

    def open(self) -> None:
        """Open the session now rather than in the first request. ``ModelFileMissing`` as for ``run``."""
        self._opened()

    def _opened(self) -> Any:
        if self._session is None:
            with self._opening:
                if self._session is None:
                    self._session = _open(self._path)
        return self._session


def _open(path: Path) -> Any:
    if not path.is_file():
        raise ModelFileMissing(path)
    import onnxruntime  # 0.1 s that functions without audio must not pay

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: the worker's log is for events of ours
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
