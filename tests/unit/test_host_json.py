"""What host.json leaves to the app. docs/internals/admission.md has the reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def host() -> Any:
    return json.loads((ROOT / "host.json").read_text(encoding="utf-8"))


def test_the_host_needs_nothing_from_the_network() -> None:
    assert "extensionBundle" not in host()


def test_the_host_refuses_nothing_by_itself() -> None:
    assert host()["extensions"]["http"] == {
        "routePrefix": "",
        "maxConcurrentRequests": -1,
        "maxOutstandingRequests": -1,
        "dynamicThrottlesEnabled": False,
    }
