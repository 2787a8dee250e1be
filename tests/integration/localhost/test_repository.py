"""`python dev.py start` runs the working tree, also where the other tests run the package."""

from __future__ import annotations

from pathlib import Path

from tests.api.client import Client, Profiles, verify
from tests.service import REPOSITORY, running_service


def test_the_working_tree_enrolls_and_verifies(tmp_path: Path) -> None:
    with running_service(tmp_path / "log", "--app", str(REPOSITORY), "--ephemeral") as service:
        verification = Profiles(Client(service.url, service.key), "verification")
        takes = [(REPOSITORY / "samples" / f"passphrase-{take}.wav").read_bytes() for take in (1, 2, 3, 4)]
        profile_id = verification.enrolled(*takes[:3])
        assert verify(verification.client, profile_id, takes[3]).json["result"] == "Accept"
