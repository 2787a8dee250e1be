"""What is tried, how often, and what is said of a part that does not work."""

from __future__ import annotations

import pytest

from shared.domain.errors import StorageUnavailable
from shared.services.readiness import KEPT_SECONDS, Readiness


def test_every_part_is_tried_and_again_only_after_some_time(caplog: pytest.LogCaptureFixture) -> None:
    now, works = [0.0], [False]
    tried: list[str] = []

    def storage() -> None:
        tried.append("storage")
        if not works[0]:
            raise StorageUnavailable

    readiness = Readiness({"storage": storage, "model": lambda: tried.append("model")}, lambda: now[0])
    for moment in (0.0, KEPT_SECONDS - 0.01):
        now[0] = moment
        assert readiness() == {"storage": False, "model": True}
    assert tried == ["storage", "model"]
    assert caplog.messages == ["not_ready part=storage error=StorageUnavailable"]
    works[0], now[0] = True, KEPT_SECONDS
    assert readiness() == {"storage": True, "model": True}
    assert tried == ["storage", "model"] * 2
