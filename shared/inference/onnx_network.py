"""One ONNX session per model file, opened at first use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

logger: Final = logging.getLogger(__name__)

Array = npt.NDArray[np.float32]


class ModelFileMissing(Exception):
    """The model was not built or downloaded yet."""

    def __init__(self, path: Path, model_id: str = "") -> None:
        super().__init__(
            f"The model file {path.name} is missing in {path.parent}. Install it with: {_command(model_id)}"
        )


class ModelUnfit(Exception):
    """The network does not do what its card says, or cannot be opened at all."""

    def __init__(self, model_id: str, what: str) -> None:
        super().__init__(f"The model {model_id} cannot be used: it {what}.")


class OnnxNetwork:
    """A network on the CPU with one thread, so that the worker's own threads share the cores without contention.

    Safe to use from several threads: the session is opened once, at first use, and ONNX Runtime's sessions run
    concurrently. Every method raises ``ModelFileMissing`` when the file is not there, ``ModelUnfit`` when it is no
    network.
    """

    def __init__(self, path: Path, model_id: str = "") -> None:
        self._path, self._model_id = path, model_id
        self._opening = threading.Lock()
        self._session: Any = None

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """The named outputs."""
        return list(self.open().run(outputs, inputs))

    def run_single(self, values: Array) -> Array:
        """The only output for the only input, whatever they are called.

        Raises ``ModelUnfit`` too when the network is of another shape or fails.
        """
        session = self.open()
        inputs = session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != values.ndim:
            raise ModelUnfit(self._model_id, f"takes {[(given.name, given.shape) for given in inputs]}")
        try:
            return np.asarray(session.run(None, {inputs[0].name: values})[0], np.float32)
        except Exception as error:
            # ONNX Runtime raises types of its own; their texts can hold shapes and names, never samples.
            raise ModelUnfit(self._model_id, f"fails on features of shape {values.shape}") from error

    def open(self) -> Any:
        """ONNX Runtime's session, opened now if it was not."""
        if self._session is None:
            with self._opening:
                if self._session is None:
                    try:
                        self._session = _open(self._path, self._model_id)
                    except ModelFileMissing as error:
                        logger.error("model_missing model=%s: %s", self._model_id, error)
                        raise
                    except ModelUnfit as error:
                        logger.error("model_unfit model=%s: %s", self._model_id, error)
                        raise
        return self._session


def _open(path: Path, model_id: str) -> Any:
    if not path.is_file():
        raise ModelFileMissing(path, model_id)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: the worker's log is for events of ours
    # Planning which outputs share memory took 0.2 s of CAM++'s 0.27, and saved neither time nor memory in a run.
    options.enable_mem_reuse = False
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # A torn or exchanged file: ONNX Runtime has a dozen types for it, without a common one.
        what = f"finds no network in {path.name}; install it again with: {_command(model_id)}"
        raise ModelUnfit(model_id, what) from error


def _command(model_id: str) -> str:
    return f"python dev.py model {model_id}".rstrip()
