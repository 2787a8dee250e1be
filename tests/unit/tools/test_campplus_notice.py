"""What stands beside the taught network is true of it."""

from __future__ import annotations

import hashlib
import re

from tests.service import REPOSITORY

NOTICE = REPOSITORY / "models" / "campplus-channels.md"


def test_the_notice_names_the_files_with_their_sha256() -> None:
    named = dict(re.findall(r"\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|", NOTICE.read_text(encoding="utf-8")))
    assert len(named) == 4
    assert {name: hashlib.sha256((REPOSITORY / name).read_bytes()).hexdigest() for name in named} == named


def test_the_licences_text_and_the_model_card_are_there() -> None:
    text = (REPOSITORY / "models" / "APACHE-2.0.txt").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "9. Accepting Warranty or Additional Liability" in text
    card = (REPOSITORY / "docs" / "model-card.md").read_text(encoding="utf-8")
    for heading in ("Intended use", "Data", "Groups and limits"):
        assert f"## {heading}" in card
