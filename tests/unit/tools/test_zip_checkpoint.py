"""The reader of torch's present format gives the weights, and gives nothing else the time of day."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from tests.unit.tools.checkpoints import Called, tensor, zipped, zipped_state
from tools.models.torch_pickle import CheckpointRefused
from tools.models.zip_checkpoint import read_zip_checkpoint

SIX = np.arange(6, dtype=np.float32)


def test_tensors_come_out_with_their_values_and_shapes() -> None:
    weights = {"a": SIX.reshape(2, 3), "b": np.array([7.5], np.float32)}
    found = read_zip_checkpoint(zipped_state(weights))
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["a"], weights["a"])
    np.testing.assert_array_equal(found["b"], weights["b"])


@pytest.mark.parametrize(("module", "name"), [("os", "system"), ("builtins", "eval"), ("torch", "load")])
def test_any_other_name_is_refused_before_it_is_called(module: str, name: str) -> None:
    with pytest.raises(CheckpointRefused, match=f"{module}.{name}, which is not admitted"):
        read_zip_checkpoint(zipped({"x": Called(module, name, "echo")}, {}))


@pytest.mark.parametrize("stored", [SIX[:5], np.zeros(7, np.float32)])
def test_a_storage_of_another_size_than_its_tensor_says_is_refused(
    stored: np.ndarray[tuple[int], np.dtype[np.float32]],
) -> None:
    with pytest.raises(CheckpointRefused, match="not as large"):
        read_zip_checkpoint(zipped({"x": tensor("s", SIX)}, {"s": stored}))


def test_a_storage_that_is_not_there_is_refused() -> None:
    with pytest.raises(CheckpointRefused, match=r"damaged \(KeyError\)"):
        read_zip_checkpoint(zipped({"x": tensor("s", SIX)}, {}))


def test_an_object_that_unpacks_to_more_than_the_file_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    with pytest.raises(CheckpointRefused, match="larger than the file"):
        read_zip_checkpoint(stream.getvalue())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_checkpoint_is_refused(share: float) -> None:
    data = zipped_state({"a": np.zeros((20, 20), np.float32)})
    with pytest.raises(CheckpointRefused):
        read_zip_checkpoint(data[: int(len(data) * share)])


@pytest.mark.parametrize("content", [{}, {"other": b"x"}])
def test_a_zip_of_something_else_is_refused(content: dict[str, bytes]) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    with pytest.raises(CheckpointRefused, match="not a torch checkpoint"):
        read_zip_checkpoint(stream.getvalue())


def test_an_object_that_is_no_dictionary_is_refused() -> None:
    with pytest.raises(CheckpointRefused, match="no dictionary"):
        read_zip_checkpoint(zipped([1, 2], {}))
