"""What a lock says: requirements-*.txt, as ``tools/lock.py`` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tools.packaging.failure import CannotPackage


@dataclass(frozen=True)
class Pin:
    """One version of a package; ``hashes`` are pip's words for the sha256 of each of its files."""

    name: NormalizedName
    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def version(self) -> str:
        return next(iter(self.requirement.specifier)).version

    def __str__(self) -> str:
        return " ".join((f"{self.name}=={self.version}", *self.hashes))


def read_lock(lock: str, environment: Mapping[str, str]) -> list[Pin]:
    """The pins that hold in the environment, which has the names of PEP 508. Raises ``CannotPackage`` for a line
    without one version or without a hash."""
    lines = (line.split("#")[0].split() for line in lock.replace("\\\n", " ").splitlines())
    pins = []
    for words in filter(None, lines):
        hashes = tuple(word for word in words if word.startswith("--hash=sha256:"))
        requirement = Requirement(" ".join(word for word in words if word not in hashes))
        if not hashes or [pin.operator for pin in requirement.specifier] != ["=="]:
            raise CannotPackage(f"{requirement.name} is not locked to one version with its hashes: python dev.py lock")
        if requirement.marker is None or requirement.marker.evaluate(dict(environment)):
            pins.append(Pin(canonicalize_name(requirement.name), requirement, hashes))
    return pins
