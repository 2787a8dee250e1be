"""The scanner itself: it finds what was planted, in every form, at any place, and nothing else."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from tests.integration.needles import RUN, Needle, forms, search

RANDOM = np.random.default_rng(7)
SECRET = RANDOM.bytes(4_000)
HAY = RANDOM.bytes(200_000)


def planted(what: bytes, at: int) -> bytes:
    return HAY[:at] + what + HAY[at:]


@pytest.mark.parametrize("place", [0, 1, 13, 56, 57, 58, 1_999, 4_000 - RUN])
@pytest.mark.parametrize("at", [0, 3, 12_345, len(HAY)])
def test_a_run_of_64_bytes_is_found_wherever_it_comes_from_and_lies(place: int, at: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(planted(SECRET[place : place + RUN], at))
    (found,) = search([Needle("secret", SECRET)], [tmp_path])
    assert (found.form, found.length >= RUN) == ("raw", True)


def test_nothing_is_found_where_nothing_was_planted(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(HAY)
    assert search([Needle("secret", SECRET)], [tmp_path]) == []


def test_a_shorter_run_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(planted(SECRET[100 : 100 + RUN - 1], 500))
    assert search([Needle("secret", SECRET)], [tmp_path]) == []


@pytest.mark.parametrize(
    "written",
    [
        b"<" + base64.b64encode(SECRET) + b">",
        b"<" + base64.b64encode(b"a" + SECRET) + b">",
        b"<" + base64.b64encode(b"ab" + SECRET) + b">",
        b"<" + base64.urlsafe_b64encode(b"abc" + SECRET) + b">",
        SECRET.hex().encode(),
        SECRET.hex().upper().encode(),
        json.dumps({"type": "Buffer", "data": list(SECRET)}).encode(),
        json.dumps({"type": "Buffer", "data": list(SECRET)}, separators=(",", ":")).encode(),
    ],
    ids=["base64", "base64+1", "base64+2", "base64url", "hex", "HEX", "decimal spaced", "decimal"],
)
def test_every_form_is_found_in_any_file_of_a_folder(written: bytes, tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "extent").write_bytes(planted(written, 777))
    (tmp_path / "other").write_bytes(HAY)
    found = search([Needle("secret", SECRET)], [tmp_path])
    assert {(one.needle, Path(one.file).name) for one in found} == {("secret", "extent")}


def test_the_forms_are_those_that_the_search_promises() -> None:
    names = [name for name, _ in forms(SECRET)]
    assert len(names) == len(set(names)) == 11


def test_silence_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(HAY + bytes(10_000))
    assert search([Needle("secret", bytes(1_000) + SECRET)], [tmp_path]) == []


def test_a_run_across_the_parts_that_a_large_file_is_read_in_is_found(tmp_path: Path) -> None:
    large = RANDOM.bytes(1 << 22)
    (tmp_path / "file").write_bytes(large[:-30] + SECRET[:RUN] + HAY)
    (found,) = search([Needle("secret", SECRET)], [tmp_path])
    assert found.length >= RUN


def test_a_single_file_may_be_named(tmp_path: Path) -> None:
    file = tmp_path / "service.log"
    file.write_bytes(b"line\n" + SECRET.hex().encode())
    (found,) = search([Needle("secret", SECRET)], [file])
    assert (found.form, found.length) == ("hex", 8_000)
