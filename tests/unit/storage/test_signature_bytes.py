"""The sum of a signature as it is stored, today and up to 2026-11, when there were three."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from shared.domain.profile import Signature
from shared.storage.profiles.records import first_sum, signature_bytes, signature_from

SUMS = np.arange(12, dtype="<f4").reshape(3, 4)


@pytest.mark.parametrize("sums", [1, 2, 3])
def test_of_several_sums_the_first_counts_and_the_rest_go_at_the_next_write(sums: int) -> None:
    stored = struct.pack("<dB", 7.5, sums) + SUMS[:sums].tobytes()
    signature = signature_from(stored, "some-1")
    assert (signature.model_id, signature.speech_seconds) == ("some-1", 7.5)
    np.testing.assert_array_equal(signature.pooled, SUMS[0])
    written = struct.pack("<dB", 7.5, 1) + SUMS[0].tobytes()
    assert signature_bytes(signature) == first_sum(stored) == written


def test_what_is_written_is_read() -> None:
    signature = Signature(np.array([0.25, -3.0], np.float32), "some-1", 12.25)
    found = signature_from(signature_bytes(signature), "some-1")
    np.testing.assert_array_equal(found.pooled, signature.pooled)
    assert found.speech_seconds == 12.25
