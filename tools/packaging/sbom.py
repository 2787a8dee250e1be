"""The package's bill of materials, in CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/.

It is made of the package alone: the metadata of its Python packages, the libraries in their wheels, the models. It says
no time and has no random number, so the same package has the same bill.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shared.inference.model_card import read_catalogue
from tools.packaging.contents import PACKAGES
from tools.packaging.parts import PARTS, files_of, licence_of, require_known
from tools.packaging.wheels import asked_by

Component = dict[str, Any]
"""As CycloneDX writes it."""

MEDIA: Final = "av"
"""The media extra, which the service asks for where it is there."""

TAKEN: Final = ("type", "name", "version", "purl", "licenses", "hashes")
"""What is taken over of the bill that a wheel brings along (PEP 770)."""


def bill_of_materials(folder: Path, archive: Path, project: Mapping[str, Any], python: str) -> str:
    """``folder``: the package unpacked; ``archive``: the same as the zip that the bill is about; ``project``: that of
    pyproject.toml. Raises ``CannotPackage`` when the licence of a part is not known."""
    packages = sorted(distributions(path=[str(folder / PACKAGES)]), key=_name)
    require_known(folder / PACKAGES, map(_name, packages))
    sha256 = _sha256(archive)
    timbre = {
        "type": "application",
        "bom-ref": "timbre",
        "name": "timbre",
        "version": project["version"],
        **_licence("MIT"),
    }
    asked = {
        _name(package): sorted({canonicalize_name(one.name) for one in asked_by(package, python)})
        for package in packages
    }
    direct = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, sha256)}",
        "version": 1,
        "metadata": {"component": {**timbre, **_hash(sha256)}},
        "components": [*(_package(package, folder / PACKAGES) for package in packages), *_models(folder)],
        "dependencies": [
            {"ref": "timbre", "dependsOn": [name for name in asked if name in direct | {MEDIA}]},
            *({"ref": name, "dependsOn": others} for name, others in asked.items()),
        ],
    }
    return json.dumps(bill, indent=1)


def _package(package: Distribution, packages: Path) -> Component:
    name = _name(package)
    parts = [*_parts(name, packages), *_own_bill(package, packages)]
    return {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": package.version,
        **_licence(licence_of(package)),
        "purl": f"pkg:pypi/{name}@{package.version}",
        **({"components": parts} if parts else {}),
    }


def _parts(name: str, packages: Path) -> Iterator[Component]:
    for part in PARTS.get(name, ()):
        found = {"type": "library", "name": part.name, **_licence(part.licence)}
        files = [{"type": "file", "name": file.name, **_hash(_sha256(file))} for file in files_of(part, packages)]
        yield {**found, **({"components": files} if files else {})}


def _own_bill(package: Distribution, packages: Path) -> list[Component]:
    """Each once: auditwheel names a library as often as it has files, and the schema refuses that."""
    found: list[Component] = []
    for file in sorted(packages.glob(f"{_name(package).replace('-', '_')}-*.dist-info/sboms/*.json")):
        for component in json.loads(file.read_text(encoding="utf-8")).get("components", ()):
            taken = {field: component[field] for field in TAKEN if field in component}
            if canonicalize_name(component["name"]) != _name(package) and taken not in found:
                found.append(taken)
    return found


def _models(folder: Path) -> Iterator[Component]:
    for card in read_catalogue(folder / "models" / "catalogue.json").cards:
        file = folder / "models" / card.file.name
        if file.is_file():
            about = {"type": "machine-learning-model", "name": card.model_id, "version": card.version}
            yield {**about, "description": f"models/{file.name}", **_licence(card.licence), **_hash(_sha256(file))}


def _name(package: Distribution) -> str:
    return canonicalize_name(package.metadata["Name"])


def _licence(expression: str) -> Component:
    return {"licenses": [{"expression": expression}]}


def _hash(sha256: str) -> Component:
    return {"hashes": [{"alg": "SHA-256", "content": sha256}]}


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
