from __future__ import annotations

import numpy as np
import pytest

from tests.service import REPOSITORY
from tools.models.campplus_weights import ARRAYS_FILE, Array, read_arrays


@pytest.fixture(scope="session")
def arrays() -> dict[str, Array]:
    """The weights of CAM++ taught channels."""
    return read_arrays(ARRAYS_FILE.read_bytes())


@pytest.fixture(scope="session")
def golden() -> dict[str, Array]:
    """What torch computed of them. Somebody's speech, so it is no part of the repository."""
    path = REPOSITORY.parent / "shared" / "models" / "campplus-golden.npz"
    if not path.is_file():
        pytest.skip(f"needs the golden numbers in {path}")
    with np.load(path, allow_pickle=False) as content:
        return {name: content[name] for name in content.files}
