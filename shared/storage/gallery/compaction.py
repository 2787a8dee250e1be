"""What the timer does for the galleries: packs what has changed anew, and takes away changes that nobody needs.

A pack with a change in its range is written anew from its own content and the changed profiles' rows, so that a deleted
voice is out of the packs with the next tick. A pack that is stale, or has grown too large, is written from the
rows of its range, one pack's worth at a time. Each step leaves a whole state; the next tick goes on from there.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from shared.storage.backend.ports import MAX_CHANGES, Rows
from shared.storage.backend.row_values import Fields
from shared.storage.gallery.packs import Content, Pack, Packs, Seen
from shared.storage.gallery.speakers import SpeakerReader, in_columns, one_by_one
from shared.storage.layout import TALLY, parsed_profile_row
from shared.storage.profiles.change_log import KEPT, News, last_change, news, trim

FEWEST_TO_PACK: Final = 1_000
"""Profiles of all kinds. Fewer are one page of a range: a pack would save nothing."""

PACK_PROFILES: Final = 4_096
"""Profiles that a pack is made of: 4.6 MB with 256 dimensions."""

STEPS: Final = 60
"""Packs written in one tick for one subscription: 245,000 profiles."""


class RowCompaction:
    """Implements ``Compaction``. Safe to be cut off anywhere, and beside another one."""

    def __init__(self, voices: Rows, packs: Packs, reader: SpeakerReader, pack_profiles: int = PACK_PROFILES) -> None:
        self._voices, self._packs, self._reader = voices, packs, reader
        self._pack_profiles = pack_profiles
        self._fewest = min(FEWEST_TO_PACK, pack_profiles)

    def compact(self, subscription_id: str) -> int:
        """Returns how many packs were written and how many changes were taken away."""
        last = last_change(self._voices, subscription_id)
        if not last:
            return 0
        packs = self._packs.manifest(subscription_id)
        if not packs:
            if self._profiles(subscription_id) < self._fewest:
                return self._trim(subscription_id, last, last)
            self._packs.begin(subscription_id)
        written = self._write_all(subscription_id)
        upto = min((one.upto for one in self._packs.manifest(subscription_id)), default=0)
        return written + self._trim(subscription_id, last, upto)

    def _profiles(self, subscription_id: str) -> int:
        tally = self._voices.get(subscription_id, TALLY)
        return 0 if tally is None else Fields(tally).integer("profiles")

    def _trim(self, subscription_id: str, last: int, upto: int) -> int:
        most = min(upto, last - KEPT)
        return trim(self._voices, subscription_id, most) if most > 0 else 0

    def _write_all(self, subscription_id: str) -> int:
        for written in range(STEPS):
            packs = self._packs.manifest(subscription_id)
            said = news(self._voices, subscription_id, min((one.upto for one in packs if not one.is_stale), default=0))
            waiting = [one for one in packs if one.is_stale or said.misses(one.upto) or _changed(one, said)]
            if not waiting:
                self._seen(subscription_id, packs, said.last)
                return written
            if not self._write(subscription_id, waiting[0], said):
                return written
        return STEPS

    def _seen(self, subscription_id: str, packs: list[Pack], upto: int) -> None:
        behind = [one for one in packs if one.upto < upto]
        for start in range(0, len(behind), MAX_CHANGES):
            self._packs.seen(subscription_id, behind[start : start + MAX_CHANGES], upto)

    def _write(self, subscription_id: str, pack: Pack, said: News) -> bool:
        """One pack, complete up to ``said.last``: what is read below is read after the log was. False when another
        instance packs this subscription."""
        seen = self._packs.look(subscription_id, pack)
        content = seen.content
        if content is None or said.misses(content.complete):
            return self._from_rows(subscription_id, pack, said.last, seen)
        speakers = {one.profile_id: one for block in content.blocks for one in one_by_one(block)}
        changed = [one for one in said.since(content.complete) if pack.covers(one)]
        for profile_id, speaker in self._reader.these(subscription_id, changed).items():
            speakers.pop(profile_id, None)
            if speaker is not None:
                speakers[profile_id] = speaker
        if len(speakers) > 2 * self._pack_profiles:
            return self._from_rows(subscription_id, pack, said.last, seen)
        packed = Content(pack.until or "", said.last, in_columns(speakers.values()))
        return self._put(subscription_id, pack, packed, seen)

    def _from_rows(self, subscription_id: str, pack: Pack, complete: int, seen: Seen) -> bool:
        """The first part of the range; the rest becomes a stale pack of its own."""
        rows = self._reader.rows(subscription_id, pack.first, pack.until, self._pack_profiles + 1)
        some = list(islice(rows, self._pack_profiles + 1))
        rest = parsed_profile_row(some[-1].key)[1] if len(some) > self._pack_profiles else None
        blocks = in_columns(self._reader.speakers(some[: self._pack_profiles]))
        return self._put(subscription_id, pack, Content(rest or pack.until or "", complete, blocks), seen, rest)

    def _put(self, subscription_id: str, pack: Pack, content: Content, seen: Seen, rest: str | None = None) -> bool:
        mark = self._packs.write(subscription_id, pack.first, content, seen)
        if mark is None:
            return False
        self._packs.note(subscription_id, pack, mark, content.complete, rest)
        return True


def _changed(pack: Pack, said: News) -> bool:
    return any(pack.covers(one) for one in said.since(pack.upto))
