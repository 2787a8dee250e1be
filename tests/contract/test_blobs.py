"""What every technology behind the port ``Blobs`` must do alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.storage.backend.ports import Blobs


@pytest.mark.parametrize("content", [b"", b"fLaC", bytes(range(256)) * 4096], ids=["empty", "short", "1 MiB"])
def test_a_blob_is_read_back(blobs: Blobs, content: bytes) -> None:
    blobs.put("a/b.flac", content)
    assert blobs.get("a/b.flac") == content


def test_put_overwrites_and_delete_removes_and_is_silent_when_absent(blobs: Blobs) -> None:
    assert blobs.get("a/b") is None
    for content in (b"a longer first", b"second"):
        blobs.put("a/b", content)
        assert (blobs.get("a/b"), list(blobs.names("a/"))) == (content, ["a/b"])
    for _ in range(2):
        blobs.delete("a/b")
        assert (blobs.get("a/b"), list(blobs.names("a/"))) == (None, [])


def test_names_are_those_under_the_prefix_in_ordinal_order(blobs: Blobs) -> None:
    for name in ["s/tii/b/0/2", "s/tii/b/0/1", "s/tii/b/0/10", "s/tii/b/1/1", "s/tii/bc/0/1", "S/tii/b/0/1", "s/tiib"]:
        blobs.put(name, b"x")
    assert list(blobs.names("s/tii/b/")) == ["s/tii/b/0/1", "s/tii/b/0/10", "s/tii/b/0/2", "s/tii/b/1/1"]
    assert list(blobs.names("s/tii/b/1/")) == ["s/tii/b/1/1"]
    assert list(blobs.names("other/")) == []


def test_blobs_can_be_deleted_while_their_names_are_read(blobs: Blobs) -> None:
    for number in range(30):
        blobs.put(f"a/{number:02}", b"x")
    for name in blobs.names("a/"):
        blobs.delete(name)
    assert list(blobs.names("a/")) == []


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "a\\b", "a b", "ä", "a?b", "a#b", "a/../b", "./a", "x" * 1025]
)
def test_a_name_that_is_not_plain_is_refused(blobs: Blobs, name: str) -> None:
    for call in (blobs.get, blobs.delete):
        with pytest.raises(ValueError, match="blob name"):
            call(name)
    with pytest.raises(ValueError, match="blob name"):
        blobs.put(name, b"x")


@pytest.mark.parametrize("prefix", ["", "a", "/", "a b/", "../"])
def test_a_prefix_that_is_not_whole_parts_is_refused(blobs: Blobs, prefix: str) -> None:
    with pytest.raises(ValueError, match="blob"):
        blobs.names(prefix)


def test_threads_share_one_container(blobs: Blobs) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: blobs.put(f"a/{number:02}", b"%d" % number), range(32)))
    assert [blobs.get(f"a/{number:02}") for number in range(32)] == [b"%d" % number for number in range(32)]
