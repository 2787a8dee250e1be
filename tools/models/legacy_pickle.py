"""Read the weights of an old torch checkpoint with numpy alone, without running anything in it.

torch wrote this format until 1.6: four pickles one after the other (a magic number, a protocol number, facts about the
machine, the object), then a pickle with the keys of the storages, then each storage as a 64-bit count of elements and
its raw elements. Tensors in the object name their storage by a persistent id. A pickle can call any importable
function; this reader admits three names and nothing else.

Source: ``_legacy_save`` and ``_legacy_load`` in ``torch/serialization.py``.
"""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAGIC: Final = 0x1950A86A20F9469CFC6C
PROTOCOL: Final = 1001

_DTYPES: Final = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


class CheckpointRefused(Exception):
    """The bytes are no legacy checkpoint, are damaged, or name something that is not admitted."""


@dataclass(frozen=True)
class _StorageType:
    """Stands for ``torch.FloatStorage`` and its like. Not callable, so a pickle can only name it."""

    dtype: str


class _Unpickler(pickle.Unpickler):
    """Admits ordered dictionaries, tensors and storages; storages stay zero until ``read_checkpoint`` fills them."""

    def __init__(self, stream: io.BytesIO, size: int) -> None:
        super().__init__(stream)
        self._size = size
        self.storages: dict[str, Array] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _DTYPES:
            return _StorageType(_DTYPES[name])
        raise CheckpointRefused(f"The checkpoint names {module}.{name}, which is not admitted.")

    def persistent_load(self, pid: Any) -> Array:
        match pid:
            case ("storage", _StorageType(dtype=dtype), str(key), str(), int(count), None):
                pass
            case _:
                raise CheckpointRefused("The checkpoint refers to something other than a plain storage.")
        if not 0 <= count * np.dtype(dtype).itemsize <= self._size:
            raise CheckpointRefused("A storage claims to be larger than the file.")
        storage = self.storages.setdefault(key, np.zeros(count, dtype))
        if storage.dtype != np.dtype(dtype) or len(storage) != count:
            raise CheckpointRefused("A storage is described in two ways.")
        return storage


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_rest: Any) -> Array:
    """A view into a storage. Only C-ordered tensors: bounds are then plain, and no view can reach outside."""
    if not isinstance(storage, np.ndarray):
        raise CheckpointRefused("A tensor has no storage.")
    if not all(isinstance(number, int) and number >= 0 for number in (offset, *shape, *strides)):
        raise CheckpointRefused("A tensor has an impossible shape.")
    ordered = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    size = math.prod(shape)
    if tuple(strides) != ordered or offset + size > len(storage):
        raise CheckpointRefused("A tensor does not lie in its storage in C order.")
    return storage[offset : offset + size].reshape(shape)


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
    if _Unpickler(stream, size).load() != MAGIC or _Unpickler(stream, size).load() != PROTOCOL:
        raise CheckpointRefused("The file is not a legacy torch checkpoint.")
    if _Unpickler(stream, size).load().get("little_endian") is not True:
        raise CheckpointRefused("The checkpoint was written on a big-endian machine.")
    unpickler = _Unpickler(stream, size)
    checkpoint = unpickler.load()
    if not isinstance(checkpoint, dict):
        raise CheckpointRefused("The checkpoint holds no dictionary.")
    keys = _Unpickler(stream, size).load()
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
