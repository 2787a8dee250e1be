"""The checkpoint reader gives the weights, and gives nothing else the time of day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.tools.checkpoints import Called, checkpoint, state, tensor
from tools.models.legacy_pickle import read_checkpoint
from tools.models.torch_pickle import CheckpointRefused

SIX = np.arange(6, dtype=np.float32)


def test_tensors_come_out_with_their_values_and_shapes() -> None:
    weights = {"a": SIX.reshape(2, 3), "b": np.array([7.5], np.float32)}
    found = read_checkpoint(state(weights))
    assert found["step"] == 1
    assert list(found["model_state"]) == ["a", "b"]
    np.testing.assert_array_equal(found["model_state"]["a"], weights["a"])
    np.testing.assert_array_equal(found["model_state"]["b"], weights["b"])


def test_two_tensors_may_share_a_storage() -> None:
    content = {"head": tensor("s", SIX, (2,), (1,)), "tail": tensor("s", SIX, (2, 2), (2, 1), offset=2)}
    found = read_checkpoint(checkpoint(content, {"s": SIX}))
    np.testing.assert_array_equal(found["head"], [0, 1])
    np.testing.assert_array_equal(found["tail"], [[2, 3], [4, 5]])


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_tensor"),
        ("collections", "defaultdict"),
    ],
)
def test_any_other_name_is_refused_before_it_is_called(module: str, name: str) -> None:
    with pytest.raises(CheckpointRefused, match=f"{module}.{name}, which is not admitted"):
        read_checkpoint(checkpoint({"x": Called(module, name, "echo")}, {}))


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((7,), (1,), 0),  # one more than there is
        ((2,), (1,), 5),
        ((2,), (1,), -1),
        ((3,), (2,), 0),  # not C order
        ((1000, 1000), (0, 0), 0),  # a small storage blown up
        ((-1,), (1,), 0),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(shape: Any, strides: Any, offset: int) -> None:
    with pytest.raises(CheckpointRefused):
        read_checkpoint(checkpoint({"x": tensor("s", SIX, shape, strides, offset)}, {"s": SIX}))


def test_a_storage_that_claims_more_than_the_file_is_refused() -> None:
    claimed = np.broadcast_to(np.float32(0), (10**9,))
    data = checkpoint({"x": tensor("s", SIX)}, {"s": SIX})
    honest = b"K\x06N"  # six elements, as the pickle writes it
    assert data.count(honest) == 1
    with pytest.raises(CheckpointRefused, match="larger than the file"):
        read_checkpoint(data.replace(honest, b"J" + (claimed.size).to_bytes(4, "little") + b"N"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_refused(share: float) -> None:
    data = state({"a": np.zeros((20, 20), np.float32)})
    with pytest.raises(CheckpointRefused):
        read_checkpoint(data[: int(len(data) * share)])


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 a zip, as newer torch writes", b"\x80\x02K\x01."])
def test_another_format_is_refused(data: bytes) -> None:
    with pytest.raises(CheckpointRefused):
        read_checkpoint(data)


def test_storages_that_no_tensor_uses_are_refused() -> None:
    with pytest.raises(CheckpointRefused, match="storages"):
        read_checkpoint(checkpoint({"x": tensor("s", SIX)}, {"s": SIX, "stowaway": SIX}))
