"""The readers of torch's two formats give the weights, and call nothing that a file names."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.unit.tools.checkpoints import Called, checkpoint, state, tensor, zipped, zipped_state
from tools.models.checkpoint import CheckpointRefused, read_checkpoint

SIX = np.arange(6, dtype=np.float32)
WEIGHTS = {"a": SIX.reshape(2, 3), "b": np.array([7.5], np.float32)}

Written = Callable[[Any, dict[str, Any]], bytes]
both = pytest.mark.parametrize("written", [checkpoint, zipped])


def test_tensors_come_out_with_their_values_and_shapes() -> None:
    legacy = read_checkpoint(state(WEIGHTS))
    assert legacy["step"] == 1
    for weights in (legacy["model_state"], read_checkpoint(zipped_state(WEIGHTS))):
        assert {name: values.tolist() for name, values in weights.items()} == {
            name: values.tolist() for name, values in WEIGHTS.items()
        }


def test_two_tensors_may_share_a_storage() -> None:
    content = {"head": tensor("s", SIX, (2,), (1,)), "tail": tensor("s", SIX, (2, 2), (2, 1), offset=2)}
    weights = read_checkpoint(checkpoint(content, {"s": SIX}))
    np.testing.assert_array_equal(weights["head"], [0, 1])
    np.testing.assert_array_equal(weights["tail"], [[2, 3], [4, 5]])


@both
@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "builtins.getattr",
        "torch.load",
        "torch._utils._rebuild_tensor",
        "collections.defaultdict",
    ],
)
def test_any_other_name_is_refused_before_it_is_called(written: Written, name: str) -> None:
    with pytest.raises(CheckpointRefused, match=f"{name}, which is not admitted"):
        read_checkpoint(written({"x": Called(*name.rsplit(".", 1), "echo")}, {}))


@both
@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((7,), (1,), 0),  # longer than its storage
        ((2,), (1,), 5),
        ((2,), (1,), -1),
        ((3,), (2,), 0),  # not C order
        ((1000, 1000), (0, 0), 0),  # a small storage blown up
        ((-1,), (1,), 0),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(written: Written, shape: Any, strides: Any, offset: int) -> None:
    with pytest.raises(CheckpointRefused):
        read_checkpoint(written({"x": tensor("s", SIX, shape, strides, offset)}, {"s": SIX}))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_refused(share: float) -> None:
    weights = {"a": np.zeros((20, 20), np.float32)}
    for data in (state(weights), zipped_state(weights)):
        with pytest.raises(CheckpointRefused):
            read_checkpoint(data[: int(len(data) * share)])


def test_a_storage_that_claims_more_than_the_file_is_refused() -> None:
    data, honest = checkpoint({"x": tensor("s", SIX)}, {"s": SIX}), b"K\x06N"  # six elements, as the pickle writes it
    assert data.count(honest) == 1
    with pytest.raises(CheckpointRefused, match="larger than the file"):
        read_checkpoint(data.replace(honest, b"J" + (10**9).to_bytes(4, "little") + b"N"))
    with pytest.raises(CheckpointRefused, match="larger than the file"):
        read_checkpoint(archive({"archive/data.pkl": bytes(10_000_000)}))


def test_another_format_is_refused() -> None:
    for data in (b"", b"PK\x03\x04 no zip", b"\x80\x02K\x01.", archive({}), archive({"other": b"x"})):
        with pytest.raises(CheckpointRefused, match=r"not a torch checkpoint|damaged"):
            read_checkpoint(data)


def test_storages_that_do_not_fit_their_tensors_are_refused() -> None:
    with pytest.raises(CheckpointRefused, match="storages"):
        read_checkpoint(checkpoint({"x": tensor("s", SIX)}, {"s": SIX, "stowaway": SIX}))
    for stored in (SIX[:5], np.zeros(7, np.float32)):
        with pytest.raises(CheckpointRefused, match="not as large"):
            read_checkpoint(zipped({"x": tensor("s", SIX)}, {"s": stored}))
    with pytest.raises(CheckpointRefused, match=r"damaged \(KeyError\)"):
        read_checkpoint(zipped({"x": tensor("s", SIX)}, {}))
    with pytest.raises(CheckpointRefused, match="no dictionary"):
        read_checkpoint(zipped([1, 2], {}))


def archive(content: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in content.items():
            file.writestr(name, data)
    return stream.getvalue()
