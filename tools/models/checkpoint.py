"""Read the weights of a torch checkpoint with numpy alone, without running anything in it.

A pickle can call any importable function; this reader admits three names and nothing else. Tensors name their storage
by a persistent id; the storages are filled afterwards, from where the format of the file keeps them:

- Since 1.6 torch writes a zip without compression with ``data.pkl``, the object, and ``data/KEY``, the raw elements of
  each storage, all in one folder of any name.
- Before, four pickles one after the other (a magic number, a protocol number, facts about the machine, the object),
  then a pickle with the keys of the storages, then each storage as a 64-bit count of elements and its raw elements.

Source: ``_save``, ``_load``, ``_legacy_save`` and ``_legacy_load`` in ``torch/serialization.py``.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAGIC: Final = 0x1950A86A20F9469CFC6C
PROTOCOL: Final = 1001
"""Of the older format."""
_OBJECT: Final = "/data.pkl"

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


def read_checkpoint(data: bytes) -> Mapping[str, Any]:
    """The checkpoint's object, its tensors as numpy arrays of the stored type.

    Raises
    ------
    CheckpointRefused
        The bytes are of neither format, end early, or name anything but ordered dictionaries, tensors and storages.
    """
    try:
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return _read_zip(archive, len(data))
        return _read_pickles(io.BytesIO(data), len(data))
    except CheckpointRefused:
        raise
    except Exception as error:
        # Damaged zips and pickles raise nearly anything: BadZipFile, EOFError, KeyError, UnpicklingError, ...
        raise CheckpointRefused(f"The checkpoint is damaged ({type(error).__name__}).") from error


def _read_zip(archive: zipfile.ZipFile, size: int) -> Mapping[str, Any]:
    objects = [name for name in archive.namelist() if name.endswith(_OBJECT)]
    if len(objects) != 1:
        raise CheckpointRefused("The file is not a torch checkpoint.")
    if archive.getinfo(objects[0]).file_size > size:
        raise CheckpointRefused("The checkpoint's object claims to be larger than the file.")
    unpickler = _Unpickler(io.BytesIO(archive.read(objects[0])), size)
    checkpoint = unpickler.dictionary()
    for key, storage in unpickler.storages.items():
        name = f"{objects[0].removesuffix(_OBJECT)}/data/{key}"
        if archive.getinfo(name).file_size != storage.nbytes:
            raise CheckpointRefused("A storage is not as large as the checkpoint says.")
        storage[:] = np.frombuffer(archive.read(name), storage.dtype)
    return checkpoint


def _read_pickles(stream: io.BytesIO, size: int) -> Mapping[str, Any]:
    if _Unpickler(stream, size).load() != MAGIC or _Unpickler(stream, size).load() != PROTOCOL:
        raise CheckpointRefused("The file is not a torch checkpoint.")
    if _Unpickler(stream, size).load().get("little_endian") is not True:
        raise CheckpointRefused("The checkpoint was written on a big-endian machine.")
    unpickler = _Unpickler(stream, size)
    checkpoint = unpickler.dictionary()
    keys = _Unpickler(stream, size).load()
    if sorted(keys) != sorted(unpickler.storages):
        raise CheckpointRefused("The checkpoint's storages are not those that its tensors use.")
    for key in keys:
        storage = unpickler.storages[key]
        count, raw = int.from_bytes(stream.read(8), "little"), stream.read(storage.nbytes)
        if count != len(storage) or len(raw) != storage.nbytes:
            raise CheckpointRefused("A storage is not as large as the checkpoint says.")
        storage[:] = np.frombuffer(raw, storage.dtype)
    return checkpoint


@dataclass(frozen=True)
class _StorageType:
    """Stands for ``torch.FloatStorage`` and its like. Not callable, so a pickle can only name it."""

    dtype: str


class _Unpickler(pickle.Unpickler):
    """Admits ordered dictionaries, tensors and storages; storages stay zero until the reader fills them."""

    def __init__(self, stream: io.BytesIO, size: int) -> None:
        super().__init__(stream)
        self._size = size
        self.storages: dict[str, Array] = {}

    def dictionary(self) -> Mapping[str, Any]:
        checkpoint = self.load()
        if not isinstance(checkpoint, dict):
            raise CheckpointRefused("The checkpoint holds no dictionary.")
        return checkpoint

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
