"""Read the weights of an old torch checkpoint with numpy alone, without running anything in it.

torch wrote this format until 1.6: four pickles one after the other (a magic number, a protocol number, facts about the
machine, the object), then a pickle with the keys of the storages, then each storage as a 64-bit count of elements and
its raw elements.

Source: ``_legacy_save`` and ``_legacy_load`` in ``torch/serialization.py``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from tools.models.torch_pickle import Array, CheckpointRefused, Unpickler

MAGIC: Final = 0x1950A86A20F9469CFC6C
PROTOCOL: Final = 1001


def read_checkpoint(data: bytes) -> Mapping[str, Any]:
    """The checkpoint's object, its tensors as numpy arrays of the stored type.

    Raises
    ------
    CheckpointRefused
        The bytes are not this format, end early, or name anything but ordered dictionaries, tensors and storages.
    """
    stream = io.BytesIO(data)
    try:
        return _read(stream, len(data))
    except CheckpointRefused:
        raise
    except Exception as error:
        # Damaged pickles raise nearly anything: EOFError, KeyError, UnicodeDecodeError, UnpicklingError, ...
        raise CheckpointRefused(f"The checkpoint is damaged ({type(error).__name__}).") from error


def _read(stream: io.BytesIO, size: int) -> Mapping[str, Any]:
    if Unpickler(stream, size).load() != MAGIC or Unpickler(stream, size).load() != PROTOCOL:
        raise CheckpointRefused("The file is not a legacy torch checkpoint.")
    if Unpickler(stream, size).load().get("little_endian") is not True:
        raise CheckpointRefused("The checkpoint was written on a big-endian machine.")
    unpickler = Unpickler(stream, size)
    checkpoint = unpickler.load()
    if not isinstance(checkpoint, dict):
        raise CheckpointRefused("The checkpoint holds no dictionary.")
    keys = Unpickler(stream, size).load()
    if sorted(keys) != sorted(unpickler.storages):
        raise CheckpointRefused("The checkpoint's storages are not those that its tensors use.")
    for key in keys:
        _fill(unpickler.storages[key], stream)
    return checkpoint


def _fill(storage: Array, stream: io.BytesIO) -> None:
    count = int.from_bytes(stream.read(8), "little")
    raw = stream.read(storage.nbytes)
    if count != len(storage) or len(raw) != storage.nbytes:
        raise CheckpointRefused("A storage ends early.")
    storage[:] = np.frombuffer(raw, storage.dtype)
