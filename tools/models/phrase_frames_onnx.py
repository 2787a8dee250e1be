"""The first part of CAM++ with a projection behind it: what is said in each 20 ms, and little of who says it.

The front and the first dense block of the speaker model's own network in 8 bits hear 0.1 to 0.3 s around a frame. Of
its 512 channels 32 directions are kept, in which frames of one sentence by several synthetic voices over several lines
lay close together and those of other sounds far apart (linear discriminant analysis,
``docs/internals/passphrases.md``).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools.models.graph import IR_VERSION

LAST: Final = "block1_12_joined"
"""The values behind the first dense block, [1, frames, 512] in 8 bits."""


def phrase_frames_onnx(network: bytes, directions: npt.NDArray[np.float32]) -> bytes:
    """The graph as bytes, the same for the same network and directions, shape [512, dimension].

    ``network`` is CAM++ as ``campplus_int8`` writes it. Input ``features`` [1, frames, 80], output ``said``
    [1, (frames + 1) // 2, dimension], whose mean over the recording says nothing. Raises ``ValueError`` for another
    network.
    """
    whole = onnx.load_from_string(network)
    nodes = _needed(list(whole.graph.node), LAST)
    numbers = helper.make_node("Cast", [LAST], ["channels_as_numbers"], to=TensorProto.FLOAT)
    projected = helper.make_node("MatMul", [numbers.output[0], "directions"], ["said"])
    names = {name for node in nodes for name in node.input}
    constants = [constant for constant in whole.graph.initializer if constant.name in names]
    constants.append(numpy_helper.from_array(np.asarray(directions, np.float32), "directions"))
    made = helper.make_tensor_value_info("said", TensorProto.FLOAT, [1, "half", directions.shape[1]])
    graph = helper.make_graph([*nodes, numbers, projected], "phrase_frames", [whole.graph.input[0]], [made], constants)
    opsets = list(whole.opset_import)
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="timbre")
    return bytes(model.SerializeToString(deterministic=True))


def _needed(nodes: list[Any], output: str) -> list[Any]:
    """Those that the output hangs on, in their order."""
    wanted, kept = {output}, list[Any]()
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    if not kept:
        raise ValueError(f"The network has no {output}.")
    return kept[::-1]
