"""Read the weights of a torch checkpoint with numpy alone, without running anything in it.

torch writes this format since 1.6: a zip without compression with ``data.pkl``, the object, and ``data/KEY``, the raw
elements of each storage, all in one folder of any name.

Source: ``_save`` and ``_load`` in ``torch/serialization.py``.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from tools.models.torch_pickle import Array, CheckpointRefused, Unpickler

_OBJECT: Final = "/data.pkl"


def read_zip_checkpoint(data: bytes) -> Mapping[str, Any]:
    """The checkpoint's object, its tensors as numpy arrays of the stored type.

    Raises
    ------
    CheckpointRefused
        The bytes are not this format, end early, or name anything but ordered dictionaries, tensors and storages.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive, len(data))
    except CheckpointRefused:
        raise
    except Exception as error:
        # Damaged zips and pickles raise nearly anything: BadZipFile, EOFError, KeyError, UnpicklingError, ...
        raise CheckpointRefused(f"The checkpoint is damaged ({type(error).__name__}).") from error


def _read(archive: zipfile.ZipFile, size: int) -> Mapping[str, Any]:
    objects = [name for name in archive.namelist() if name.endswith(_OBJECT)]
    if len(objects) != 1:
        raise CheckpointRefused("The file is not a torch checkpoint.")
    folder = objects[0].removesuffix(_OBJECT)
    if archive.getinfo(objects[0]).file_size > size:
        raise CheckpointRefused("The checkpoint's object claims to be larger than the file.")
    unpickler = Unpickler(io.BytesIO(archive.read(objects[0])), size)
    checkpoint = unpickler.load()
    if not isinstance(checkpoint, dict):
        raise CheckpointRefused("The checkpoint holds no dictionary.")
    for key, storage in unpickler.storages.items():
        _fill(storage, archive, f"{folder}/data/{key}")
    return checkpoint


def _fill(storage: Array, archive: zipfile.ZipFile, name: str) -> None:
    if archive.getinfo(name).file_size != storage.nbytes:
        raise CheckpointRefused("A storage is not as large as the checkpoint says.")
    storage[:] = np.frombuffer(archive.read(name), storage.dtype)
