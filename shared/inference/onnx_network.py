"""One ONNX session per model file, opened at first use, if the file is the one that was installed."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from shared.inference.model_card import CATALOGUE_FILE, Card, recorded_sha256

logger: Final = logging.getLogger(__name__)

Array = npt.NDArray[np.float32]


class ModelFileMissing(Exception):
    """The model was not built or downloaded yet."""


class ModelUnfit(Exception):
    """The network is not the one that was installed, does not do what its card says, or cannot be opened at all."""

    def __init__(self, model_id: str, what: str) -> None:
        super().__init__(f"The model {model_id} cannot be used: it {what}.")


class OnnxNetwork:
    """A network on the CPU with one thread, so that the worker's own threads share the cores without contention.

    Safe to use from several threads: the session is opened once, at first use, and ONNX Runtime's sessions run
    concurrently. Every method raises ``ModelFileMissing`` when the file is not there, ``ModelUnfit`` when it is no
    network, or another than the catalogue or ``models/installed.json`` has.
    """

    def __init__(self, card: Card, folder: Path = CATALOGUE_FILE.parent) -> None:
        self._card, self._folder = card, folder
        self._opening = threading.Lock()
        self._session: Any = None

    def run(self, outputs: Sequence[str], inputs: Mapping[str, npt.NDArray[Any]]) -> list[Array]:
        """The named outputs."""
        return list(self.open().run(outputs, inputs))

    def run_single(self, values: Array) -> Array:
        """The only output for the only input, whatever they are called.

        Raises ``ModelUnfit`` too when the network is of another shape or fails.
        """
        session = self.open()
        inputs = session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != values.ndim:
            raise self._unfit(f"takes {[(given.name, given.shape) for given in inputs]}")
        try:
            return np.asarray(session.run(None, {inputs[0].name: values})[0], np.float32)
        except Exception as error:
            # ONNX Runtime raises types of its own; their texts can hold shapes and names, never samples.
            raise self._unfit(f"fails on features of shape {values.shape}") from error

    def open(self) -> Any:
        """ONNX Runtime's session, opened now if it was not."""
        if self._session is None:
            with self._opening:
                if self._session is None:
                    try:
                        self._session = self._opened()
                    except ModelFileMissing as error:
                        logger.error("model_missing model=%s: %s", self._card.model_id, error)
                        raise
                    except ModelUnfit as error:
                        logger.error("model_unfit model=%s: %s", self._card.model_id, error)
                        raise
        return self._session

    def _opened(self) -> Any:
        content = read_model(self._card, self._folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only: the worker's log is for events of ours
        # Planning which outputs share memory took 0.2 s of CAM++'s 0.27, and saved neither time nor memory in a run.
        options.enable_mem_reuse = False
        try:
            return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            # A torn file: ONNX Runtime has a dozen types for it, without a common one.
            again = f"install it again with: {_command(self._card)}"
            raise self._unfit(f"finds no network in {self._card.file.name}; {again}") from error

    def _unfit(self, what: str) -> ModelUnfit:
        return ModelUnfit(self._card.model_id, what)


def read_model(card: Card, folder: Path) -> bytes:
    """The card's file, if it is the one that was installed: what is hashed is what runs. 20 to 40 ms for the default
    model's 9 MB, of 300 to 400. Raises ``ModelFileMissing`` and ``ModelUnfit``."""
    path = folder / card.file.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileMissing(
            f"The model file {path.name} is missing in {path.parent}. Install it with: {_command(card)}"
        ) from error
    sha256 = card.file.sha256 or recorded_sha256(folder, card.model_id)
    if sha256 not in (None, hashlib.sha256(content).hexdigest()):
        raise ModelUnfit(
            card.model_id, f"is not what was installed as {path.name}; install it again with: {_command(card)}"
        )
    return content


def _command(card: Card) -> str:
    return f"python dev.py model {card.model_id}"
