"""Microsoft's Bicep compiler, as one process that answers questions.

``bicep jsonrpc`` takes the messages that editors send to language servers. A compiler that runs answers in a tenth of a
second; starting it costs seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.service import REPOSITORY

BESIDE_THE_PROJECT: Final = REPOSITORY.parent / "shared" / "bicep" / "bicep"

DEPLOYED_TO: Final = {
    "subscriptionId": "11111111-1111-1111-1111-111111111111",
    "location": "westeurope",
    "deploymentName": "test",
    "tenantId": None,
    "resourceGroup": None,
}
"""What a snapshot has to assume. The values mean nothing."""


class CompilerRefuses(Exception):
    """The compiler's own words about a file that it cannot compile or evaluate."""


@dataclass(frozen=True)
class Compiled:
    """``template`` is the template for Resource Manager, as JSON; empty where there are errors."""

    template: str
    diagnostics: tuple[str, ...]


def find_compiler() -> Path | None:
    if BESIDE_THE_PROJECT.exists():
        return BESIDE_THE_PROJECT
    on_the_path = shutil.which("bicep")
    return Path(on_the_path) if on_the_path else None


class Compiler:
    """A context manager: the process ends with it. Every path is absolute."""

    def __init__(self, executable: Path, scratch: Path) -> None:
        environment = {
            **os.environ,
            "DOTNET_BUNDLE_EXTRACT_BASE_DIR": str(scratch),  # else it needs a home that can be written
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",  # else it needs libicu
        }
        command = [str(executable), "jsonrpc", "--stdio"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=scratch
        )
        self._ids = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def compile(self, file: Path) -> Compiled:
        """The template with everything that the compiler and its linter say about the file and its modules."""
        answer = self._ask("bicep/compile", path=str(file))
        diagnostics = (
            f"{Path(each['source']).name}:{each['range']['start']['line'] + 1} {each['code']}: {each['message']}"
            for each in answer["diagnostics"]
        )
        return Compiled(answer.get("contents", ""), tuple(diagnostics))

    def format(self, file: Path) -> str:
        return str(self._ask("bicep/format", path=str(file))["contents"])

    def files_of(self, file: Path) -> set[Path]:
        """The file itself, its configuration, and all that it takes in: modules, queries, policies."""
        return {Path(path) for path in self._ask("bicep/getFileReferences", path=str(file))["filePaths"]}

    def snapshot(self, parameters: Path) -> dict[str, Any]:
        """What a deployment with a ``.bicepparam`` file would make; what Azure alone knows stays an expression.

        Raises ``CompilerRefuses``.
        """
        answer = self._ask("bicep/getSnapshot", path=str(parameters), metadata=DEPLOYED_TO, externalInputs=None)
        snapshot: dict[str, Any] = json.loads(answer["snapshot"])
        if snapshot["diagnostics"]:
            raise CompilerRefuses(str(snapshot["diagnostics"]))
        return snapshot

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        message = json.dumps({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(message), message))
        self._process.stdin.flush()
        answer = json.loads(self._read())
        if "error" in answer:
            raise CompilerRefuses(answer["error"]["message"])
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> bytes:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, value = line.split(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise CompilerRefuses(f"the compiler has ended with exit code {self._process.wait()}")
        return self._process.stdout.read(length)
