"""The locks are complete, agree with each other, and are what pyproject.toml asks for: held against the metadata of
what is installed, so that no network is asked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from typing import Final

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tests.service import REPOSITORY
from tools.lock import DEV, LOCKS
from tools.packaging.pins import Pin, read_lock
from tools.packaging.wheels import environment

PROJECT: Final = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: Final[dict[str, list[str]]] = PROJECT["dependency-groups"]
RUNTIME: Final[list[str]] = PROJECT["project"]["dependencies"]
DIRECT: Final = {
    "requirements.txt": RUNTIME,
    DEV: RUNTIME + GROUPS["dev"],
    **{f"requirements-{group}.txt": GROUPS[group] for group in ("media", "audit", "localhost")},
}
INSTALLED: Final = {canonicalize_name(package.metadata["Name"]): package for package in distributions()}
RENEW: Final = "python dev.py lock"
HERE: Final = {name: str(value) for name, value in default_environment().items()}


def locked(name: str, where: dict[str, str] = HERE) -> dict[NormalizedName, Pin]:
    return {pin.name: pin for pin in read_lock((REPOSITORY / name).read_text(encoding="utf-8"), where)}


def asked_for(lines: Iterable[str], where: dict[str, str], extras: Iterable[str] = ()) -> Iterator[Requirement]:
    for requirement in map(Requirement, lines):
        if not requirement.marker or any(requirement.marker.evaluate({**where, "extra": e}) for e in ("", *extras)):
            yield requirement


def closure(lines: Iterable[str]) -> dict[NormalizedName, list[Requirement]]:
    """Everything that the lines bring along on this machine, with each wish for it."""
    wishes: dict[NormalizedName, list[Requirement]] = {}
    waiting = list(asked_for(lines, HERE))
    while waiting:
        wish = waiting.pop()
        name = canonicalize_name(wish.name)
        if wish not in wishes.setdefault(name, []):
            wishes[name].append(wish)
            package = INSTALLED.get(name)
            waiting += asked_for((package and package.requires) or (), HERE, wish.extras)
    return wishes


def test_there_is_a_lock_for_everything_that_is_asked_for() -> None:
    assert set(DIRECT) == set(LOCKS) == {path.name for path in REPOSITORY.glob("requirements*.txt")}
    assert {"dev", "media", "audit", "localhost"} == set(GROUPS)


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_a_direct_requirement_is_locked_as_it_is_written(name: str, python: str) -> None:
    where = environment(python)
    written = {(canonicalize_name(wish.name), str(wish.specifier)) for wish in asked_for(DIRECT[name], where)}
    direct = {canonicalize_name(Requirement(line).name) for line in DIRECT[name]}
    assert written == {(pin.name, f"=={pin.version}") for pin in locked(name, where).values() if pin.name in direct}, (
        RENEW
    )


@pytest.mark.parametrize("name", ["requirements.txt", DEV])
def test_a_lock_has_all_that_comes_along_and_nothing_else(name: str) -> None:
    pins, wishes = locked(name), closure(DIRECT[name])
    assert set(pins) == set(wishes), RENEW
    for pin in pins.values():
        assert pin.version == INSTALLED[pin.name].version
        assert all(wish.specifier.contains(pin.version, prereleases=True) for wish in wishes[pin.name]), pin.name


def test_a_package_has_one_version_in_all_locks() -> None:
    for python in ("3.11", "3.13"):
        everywhere = [pin for name in LOCKS for pin in locked(name, environment(python)).values()]
        versions = {(pin.name, pin.version) for pin in everywhere}
        assert len(versions) == len({name for name, _ in versions})


def test_no_lock_says_where_it_was_fetched() -> None:
    for name in LOCKS:
        assert "://" not in (REPOSITORY / name).read_text(encoding="utf-8")
