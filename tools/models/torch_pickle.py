"""The pickles inside torch's checkpoints, read with numpy alone and without running anything in them.

A pickle can call any importable function; this reader admits three names and nothing else. Tensors name their storage
by a persistent id; the storages are filled afterwards, from wherever the format of the file keeps them.
"""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

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
    """The bytes are no such checkpoint, are damaged, or name something that is not admitted."""


@dataclass(frozen=True)
class _StorageType:
    """Stands for ``torch.FloatStorage`` and its like. Not callable, so a pickle can only name it."""

    dtype: str


class Unpickler(pickle.Unpickler):
    """Admits ordered dictionaries, tensors and storages; storages stay zero until the reader fills them."""

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
            case ("storage", _StorageType(dtype=dtype), str(key), str(), int(count), *view) if view in ([], [None]):
                pass  # the old format says None where a storage is no view of another, the new one nothing
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
