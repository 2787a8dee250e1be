"""An ONNX graph, put together node by node, whose bytes hang on what was put in alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

OPSET: Final = 17
IR_VERSION: Final = 8
"""Both pinned, so that the bytes do not change with the onnx package. Old enough for any onnxruntime since 1.12."""

MICROSOFT: Final = "com.microsoft"
"""ONNX Runtime's own operators, version 1."""


class Graph:
    """Nodes and constants so far. Every method returns the name of what it added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._domains: set[str] = set()

    def node(self, operator: str, inputs: Sequence[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], domain=domain or None, **attributes))
        self._domains.add(domain)
        return output

    def constant(self, name: str, values: npt.NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def once(self, name: str, values: npt.NDArray[Any]) -> str:
        """A constant that many nodes share: added by the first that asks."""
        return name if any(constant.name == name for constant in self.constants) else self.constant(name, values)

    def whole(self, name: str, values: Any) -> str:
        return self.constant(name, np.array(values, np.int64))

    def serialised(self, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> bytes:
        """The checked model, the same bytes for the same graph."""
        domains = [helper.make_opsetid("", OPSET)]
        if MICROSOFT in self._domains:
            domains.append(helper.make_opsetid(MICROSOFT, 1))
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=domains, ir_version=IR_VERSION, producer_name="timbre")
        onnx.checker.check_model(model, full_check=MICROSOFT not in self._domains)
        return bytes(model.SerializeToString(deterministic=True))
