"""Who gets which decoder, and how many wait."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest

from shared.inference.sphinx_decoder import Segment
from shared.inference.sphinx_pool import DecoderPool


class Deaf:
    """A decoder that hears nothing."""

    def search_grammar(self, jsgf: str) -> None: ...

    def process(self, pcm: bytes) -> None: ...

    def end(self) -> None: ...

    def segments(self) -> Sequence[Segment]:
        return ()


def used(pool: DecoderPool, key: Hashable) -> Deaf:
    with pool.lease(key, Deaf) as decoder:
        assert isinstance(decoder, Deaf)
        return decoder


def test_the_next_call_with_the_same_key_gets_the_same_decoder_and_another_key_another() -> None:
    pool = DecoderPool()
    first = used(pool, "a")

    assert used(pool, "b") is not first
    assert used(pool, "a") is first


def test_nobody_gets_a_decoder_that_is_at_work() -> None:
    pool = DecoderPool(at_once=2)

    with pool.lease("a", Deaf) as one, pool.lease("a", Deaf) as other:
        assert one is not other


def test_every_place_keeps_a_decoder_of_three_searches() -> None:
    pool = DecoderPool(at_once=2)
    first = used(pool, 0)
    for key in range(1, 7):
        used(pool, key)

    assert used(pool, 0) is first


def test_those_that_were_used_last_wait() -> None:
    pool = DecoderPool(spare=2)
    first, second = used(pool, "a"), used(pool, "b")
    used(pool, "a")
    third = used(pool, "c")

    assert used(pool, "a") is first
    assert used(pool, "c") is third
    assert used(pool, "b") is not second


def test_a_decoder_whose_work_fails_is_not_used_again_and_its_place_is_free() -> None:
    pool, failed = DecoderPool(), Deaf()

    def work() -> None:
        with pool.lease("a", lambda: failed):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert used(pool, "a") is not failed


def test_where_none_can_be_made_the_place_is_free_again() -> None:
    def impossible() -> Deaf:
        raise ValueError

    pool = DecoderPool()
    with pytest.raises(ValueError), pool.lease("a", impossible):  # noqa: PT011  made above
        pass

    assert used(pool, "a")


@pytest.mark.parametrize(("at_once", "meet"), [(2, True), (1, False)])
def test_so_many_are_at_work_at_once_and_the_others_wait(at_once: int, meet: bool) -> None:
    pool, both = DecoderPool(at_once), Barrier(2)

    def work() -> bool:
        with pool.lease("a", Deaf):
            try:
                both.wait(5.0 if meet else 0.1)
            except BrokenBarrierError:
                return False
            return True

    with ThreadPoolExecutor(2) as threads:
        assert [each.result() for each in [threads.submit(work) for _ in range(2)]] == [meet, meet]
