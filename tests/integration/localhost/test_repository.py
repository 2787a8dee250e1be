"""`python dev.py start` runs the working tree, also where the other tests run the package."""

from __future__ import annotations

from pathlib import Path

from tests.api.client import Client, Profiles
from tests.service import REPOSITORY, running_service


def test_the_working_tree_enrolls_and_verifies(tmp_path: Path) -> None:
    with running_service(tmp_path / "log", "--app", str(REPOSITORY), "--ephemeral") as service:
        verification = Profiles(Client(service.url, service.key), "verification")
        profile_id = verification.create()
        for take in (1, 2, 3):
            answer = verification.enroll(profile_id, (REPOSITORY / "samples" / f"passphrase-{take}.wav").read_bytes())
            assert answer.status == 200, answer.body
        path = f"/verify?verificationProfileId={profile_id}"
        answer = verification.client.post(path, (REPOSITORY / "samples" / "passphrase-4.wav").read_bytes())
        assert answer.json["result"] == "Accept"
