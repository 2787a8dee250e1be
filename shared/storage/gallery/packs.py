"""A subscription's speakers in a few sealed blobs, for an instance that starts with nothing.

A pack holds the speakers of a range of ids, as they were when the log of changes stood at ``complete``. Its row says
where the range begins (it ends where the next one begins), the mark of what stands in the blob, and ``upto``: how far
the log has been looked through without finding a change in the range. A pack whose mark is not its row's is taken for
what it says itself. One that is missing, torn, of another place or not to be opened is no pack: the range is read from
the profiles' own rows. So a pack is never a matter of correctness.

Nothing but the blob under its fixed name holds packed voices: writing it anew is what erases the earlier content.
It is written only over the blob that the writer has seen before it read the speakers, so that a late writer cannot
bring back a voice that another one has left out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

import numpy as np

from shared.domain.errors import SealBroken
from shared.domain.profile import ProfileKey, ProfileKind
from shared.services.ports import Ids
from shared.storage.backend.ports import Blobs, Change, Insert, Merge, Replace, Row, RowConflict, Rows, Value
from shared.storage.backend.row_values import Fields
from shared.storage.gallery.speakers import FACTS, Speakers
from shared.storage.layout import PACK_PREFIX, end_of, pack_blob, pack_row
from shared.storage.sealing.envelope import Envelope, Place, Secret

FROM_THE_FIRST: Final = "0"
"""The beginning of the first range: sorts before every id."""

_ID_BYTES: Final = 16


class PackMalformed(Exception):
    """Authentic, and not understood: written by another version."""


@dataclass(frozen=True)
class Pack:
    """``until`` None: the last one. ``mark`` is empty when the range is to be packed anew from the rows."""

    first: str
    until: str | None
    mark: str
    upto: int
    etag: str = field(compare=False)

    def covers(self, profile_id: str) -> bool:
        return self.first <= profile_id and (self.until is None or profile_id < self.until)

    @property
    def is_stale(self) -> bool:
        return not self.mark


@dataclass(frozen=True)
class Content:
    """``until`` is the end of the range when this was packed: empty for the last one. ``write`` gives the mark."""

    until: str
    complete: int
    blocks: Sequence[Speakers] = field(repr=False)
    mark: str = ""


@dataclass(frozen=True)
class Seen:
    """The blob of a range as a writer found it: ``etag`` is ``None`` when there was none, ``content`` when it is none
    to be had."""

    etag: str | None
    content: Content | None


class Packs:
    def __init__(self, voices: Rows, galleries: Blobs, envelope: Envelope, ids: Ids) -> None:
        self._voices, self._blobs, self._envelope, self._ids = voices, galleries, envelope, ids

    def manifest(self, subscription_id: str) -> list[Pack]:
        """In the order of their ranges, which do not overlap."""
        rows = list(self._voices.query(subscription_id, PACK_PREFIX, end_of(PACK_PREFIX)))
        untils = [row.key.removeprefix(PACK_PREFIX) for row in rows[1:]]
        return [_pack(row, until) for row, until in zip_longest(rows, untils)]

    def read(self, subscription_id: str, pack: Pack) -> Content | None:
        """``None`` when there is nothing to be had: stale, missing, torn, another's."""
        return None if pack.is_stale else self.look(subscription_id, pack).content

    def look(self, subscription_id: str, pack: Pack) -> Seen:
        """For a writer, before it reads the speakers."""
        blob = self._blobs.get_with_etag(pack_blob(subscription_id, pack.first))
        if blob is None:
            return Seen(None, None)
        return Seen(blob.etag, None if pack.is_stale else self._opened(subscription_id, pack, blob.content))

    def _opened(self, subscription_id: str, pack: Pack, sealed: bytes) -> Content | None:
        try:
            content = _content(self._envelope.open(place_of(subscription_id, pack.first), sealed))
        except (SealBroken, PackMalformed):
            return None
        if content.until != (pack.until or ""):
            return None  # the range has been divided since
        if content.mark == pack.mark:
            return replace(content, complete=max(content.complete, pack.upto))
        return content

    def write(self, subscription_id: str, first: str, content: Content, over: Seen) -> str | None:
        """Returns the mark for the row, or ``None`` when somebody has written since that look. Whoever is cut off
        behind this has written a pack that its row does not know: it is as good as what it says about itself."""
        mark = self._ids()
        sealed = self._envelope.seal(place_of(subscription_id, first), _plain(replace(content, mark=mark)))
        return mark if self._blobs.put_over(pack_blob(subscription_id, first), sealed, over.etag) else None

    def begin(self, subscription_id: str) -> None:
        """One stale pack over everything. Silent when there are packs already."""
        self._apply(subscription_id, [Insert(pack_row(FROM_THE_FIRST), {"mark": "", "upto": 0})])

    def note(self, subscription_id: str, pack: Pack, mark: str, upto: int, rest: str | None = None) -> None:
        """``rest``: what has been written ends before this id, and the rest of the range is a new, stale pack.

        When another instance noted something meanwhile, what the row says may not be what is in the blob: the range
        is to be packed anew.
        """
        changes: list[Change] = [Replace(pack_row(pack.first), _values(mark, upto), pack.etag)]
        if rest is not None:
            changes.append(Insert(pack_row(rest), _values("", 0)))
        if not self._apply(subscription_id, changes):
            self._apply(subscription_id, [Merge(pack_row(pack.first), {"mark": ""})])

    def seen(self, subscription_id: str, packs: Sequence[Pack], upto: int) -> None:
        """None of their speakers has changed up to there. At most as many as one transaction takes."""
        self._apply(subscription_id, [Merge(pack_row(one.first), {"upto": upto}, one.etag) for one in packs])

    def spoil(self, subscription_id: str, pack: Pack) -> None:
        """Have it packed anew, as it could not be read."""
        if not pack.is_stale:
            self._apply(subscription_id, [Merge(pack_row(pack.first), {"mark": ""}, pack.etag)])

    def _apply(self, subscription_id: str, changes: Sequence[Change]) -> bool:
        """False when another instance was faster: the next tick sees what there is."""
        try:
            self._voices.apply(subscription_id, changes)
        except RowConflict:
            return False
        return True


def _values(mark: str, upto: int) -> dict[str, Value]:
    return {"mark": mark, "upto": upto}


def _pack(row: Row, until: str | None) -> Pack:
    values = Fields(row)
    return Pack(row.key.removeprefix(PACK_PREFIX), until, values.text("mark"), values.integer("upto"), row.etag)


def place_of(subscription_id: str, first: str) -> Place:
    key = ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, first)
    return Place(key, Secret.GALLERY, 0, "")


_HEAD: Final = struct.Struct("<4s36s36sqH")
_BLOCK: Final = struct.Struct("<HIH")
_VERSION: Final = b"TGP4"


def _plain(content: Content) -> bytes:
    """Little-endian: version, mark, until, complete, number of blocks; for each the length of the model's
    name, the number of speakers, the dimension; the name; ids of 16 bytes; facts as float64; directions as float32."""
    parts = [_HEAD.pack(_VERSION, content.mark.encode(), content.until.encode(), content.complete, len(content.blocks))]
    for block in content.blocks:
        model = block.model_id.encode()
        parts += [
            _BLOCK.pack(len(model), len(block.ids), block.directions.shape[1]),
            model,
            b"".join(bytes.fromhex(one.replace("-", "")) for one in block.ids),
            block.facts.astype("<f8").tobytes(),
            block.directions.astype("<f4").tobytes(),
        ]
    return b"".join(parts)


def _content(plain: bytes) -> Content:
    try:
        version, mark, until, complete, blocks = _HEAD.unpack_from(plain)
        if version != _VERSION:
            raise PackMalformed
        return Content(until.rstrip(b"\0").decode(), complete, list(_blocks(plain, blocks)), mark.decode())
    except (struct.error, ValueError) as error:
        raise PackMalformed from error


def _blocks(plain: bytes, number: int) -> Iterator[Speakers]:
    at = _HEAD.size
    for _ in range(number):
        model_bytes, speakers, dimension = _BLOCK.unpack_from(plain, at)
        at += _BLOCK.size
        model_id = plain[at : at + model_bytes].decode()
        at += model_bytes
        ids = [_id(plain[place : place + _ID_BYTES].hex()) for place in range(at, at + speakers * _ID_BYTES, _ID_BYTES)]
        at += speakers * _ID_BYTES
        facts = np.frombuffer(plain, "<f8", speakers * FACTS, at).reshape(speakers, FACTS)
        at += facts.nbytes
        directions = np.frombuffer(plain, "<f4", speakers * dimension, at).reshape(speakers, dimension)
        at += directions.nbytes
        yield Speakers(model_id, ids, directions, facts)


def _id(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
