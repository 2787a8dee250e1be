"""Writes small checkpoints in both of torch's formats, for the readers and the build to be tried on."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


class _Global:
    """Pickles as the bare name ``module.name``, without importing it."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Storage:
    def __init__(self, key: str, values: npt.NDArray[np.float32]) -> None:
        self.key, self.values = key, values


class _Pickler(pickle._Pickler):
    """The pure Python pickler, which lets names be written that this machine does not have."""

    write: Callable[[bytes], Any]
    view: tuple[None, ...] = (None,)
    """What the old format says behind a storage's size."""

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, _Storage):
            return ("storage", _Global("torch", "FloatStorage"), obj.key, "cpu", obj.values.size, *self.view)
        return None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Called):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)  # type: ignore[misc]  # typeshed leaves it out


class Called:
    """Pickles as the result of calling a name: what an attack is made of, and what a tensor is made of too."""

    def __init__(self, module: str, name: str, *arguments: Any) -> None:
        self.function, self.arguments = _Global(module, name), arguments


def tensor(
    key: str,
    values: npt.NDArray[np.float32],
    shape: tuple[int, ...] | None = None,
    strides: tuple[int, ...] | None = None,
    offset: int = 0,
) -> Called:
    """A tensor over a storage of its own; shape, strides and offset may lie."""
    shape = values.shape if shape is None else shape
    if strides is None:
        strides = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    storage, hooks = _Storage(key, values.ravel()), Called("collections", "OrderedDict")
    return Called("torch._utils", "_rebuild_tensor_v2", storage, offset, shape, strides, False, hooks)


def checkpoint(content: Any, storages: dict[str, npt.NDArray[np.float32]]) -> bytes:
    """The bytes of a legacy checkpoint holding that object and those storages."""
    stream = io.BytesIO()
    facts = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    for part in (MAGIC, PROTOCOL, facts, content, sorted(storages)):
        _Pickler(stream, protocol=2).dump(part)
    for key in sorted(storages):
        stream.write(storages[key].size.to_bytes(8, "little") + storages[key].astype("<f4").tobytes())
    return stream.getvalue()


def state(weights: dict[str, npt.NDArray[np.float32]]) -> bytes:
    """A checkpoint with these weights as its ``model_state``."""
    tensors = OrderedDict((name, tensor(name, values)) for name, values in weights.items())
    return checkpoint({"step": 1, "model_state": tensors}, weights)


class _ZipPickler(_Pickler):
    view = ()


def zipped(content: Any, storages: dict[str, npt.NDArray[np.float32]]) -> bytes:
    """The same in the format since torch 1.6."""
    pickled, stream = io.BytesIO(), io.BytesIO()
    _ZipPickler(pickled, protocol=2).dump(content)
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickled.getvalue())
        for key, values in storages.items():
            archive.writestr(f"archive/data/{key}", values.astype("<f4").tobytes())
    return stream.getvalue()


def zipped_state(weights: dict[str, npt.NDArray[np.float32]]) -> bytes:
    """The weights themselves, by name, as a model's ``state_dict`` is saved."""
    return zipped({name: tensor(name, values) for name, values in weights.items()}, weights)
