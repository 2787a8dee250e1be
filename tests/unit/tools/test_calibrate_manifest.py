"""The list of a site's recordings: read, or refused with the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.calibration.manifest import ManifestInvalid, Role, read_manifest


def written(folder: Path, text: str, recordings: tuple[str, ...] = ("a.wav", "b.wav")) -> Path:
    for name in recordings:
        (folder / name).write_bytes(b"sound")
    file = folder / "list.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_row_has_its_path_beside_the_list_and_its_other_columns_as_groups(tmp_path: Path) -> None:
    file = written(tmp_path, "path,speaker,session,role,gender\na.wav,ann,monday,enroll,f\nb.wav,bob,,Test,m\n")
    manifest = read_manifest(file)
    first, second = manifest.rows
    assert (first.path, first.speaker, first.session, first.role) == (tmp_path / "a.wav", "ann", "monday", Role.ENROLL)
    assert (second.session, second.role) == ("", Role.TEST)
    assert manifest.groups == ["gender"]
    assert manifest.value(second, "gender") == "m"


def test_a_column_of_one_value_or_of_very_many_is_no_group(tmp_path: Path) -> None:
    names = tuple(f"{number}.wav" for number in range(13))
    rows = "".join(f"{name},s{number},office,words {number}\n" for number, name in enumerate(names))
    file = written(tmp_path, f"path,speaker,room,text\n{rows}", names)
    assert read_manifest(file).groups == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,name\na.wav,ann\n", "no column speaker"),
        ("path,speaker\n", "lists no recordings"),
        ("path,speaker\na.wav,\n", "line 2: path and speaker must be filled in"),
        ("path,speaker\na.wav,ann\nc.wav,ann\n", "line 3: there is no file c.wav"),
        ("path,speaker,role\na.wav,ann,both\n", 'line 2: role must be enroll, test or empty, not "both"'),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ManifestInvalid, match=said):
        read_manifest(file)


def test_an_absent_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match=r"none\.csv cannot be read"):
        read_manifest(tmp_path / "none.csv")


def test_rows_are_chosen_by_a_column_and_a_choice_that_leaves_nothing_is_refused(tmp_path: Path) -> None:
    manifest = read_manifest(written(tmp_path, "path,speaker,device\na.wav,ann,phone\nb.wav,bob,desk\n"))
    assert [row.speaker for row in manifest.where(["device=desk"]).rows] == ["bob"]
    for condition, said in (("color=red", 'no column "color"'), ("device=none", "No row")):
        with pytest.raises(ManifestInvalid, match=said):
            manifest.where([condition])
