"""Whole visits of the console in a real Chromium, with a fake microphone that hears synthetic voices."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.api.operator import Operator
from tests.clients.sdk import FOLDER
from tests.service import REPOSITORY, RunningService
from tests.voices import PASSPORT, QUESTION, STORY, flite, recording, wav_bytes

SCREENSHOTS = REPOSITORY / "build" / "console"


@pytest.mark.local_host("a browser's visit takes 40 seconds; the calls that it makes are tried on both hosts")
def test_from_nothing_to_verified_and_what_others_see(service: RunningService, chromium: str, tmp_path: Path) -> None:
    operator = Operator(service.url, service.management_key)
    customer = operator.customer()
    lesser_key = operator.put_key(customer.subscription_id, "desk", {"role": "recognise"}).json["key"]
    known = customer.identification.enrolled(recording(STORY))
    own, other = (tmp_path / f"{voice}.wav" for voice in ("slt", "rms"))
    for file in (own, other):
        file.write_bytes(recording(PASSPORT, file.stem))
    speech = tmp_path / "speech.wav"
    speech.write_bytes(recording(QUESTION, "slt"))
    conversation = tmp_path / "conversation.wav"
    conversation.write_bytes(wav_bytes(np.concatenate([flite(QUESTION), flite(QUESTION, "rms")])))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    purpose = {"operations": ["verify"], "profileId": known}
    keys = [customer.primary.key or "", lesser_key, customer.primary.send("POST", "/tokens", purpose).json["token"]]
    arguments = [chromium, service.url, *keys, *map(str, (own, other, speech, conversation, SCREENSHOTS))]
    done = subprocess.run(
        ["node", str(FOLDER / "console.cjs"), *arguments], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert {name: visit["answer"] for name, visit in seen.items() if "answer" in visit} == {
        "first": "Accepted: it is this voice.",
        "second": "Rejected.",
        "third": f"It is {known[:8]}.",
    }
    assert "threshold 0.50" in seen["first"]["scale"]
    assert seen["third"]["buttons"] == [
        "Sign out",
        "People",
        "Identify",
        "Turns",
        "Open",
    ]  # what the role lacks is not shown
    turns = seen["third"]["turns"]
    assert [entry.split(" ", 3)[3] for entry in turns["listed"]] == [known[:8], "Stranger 1"]
    assert 4.5 < turns["from"] < 6.5  # where the second begins, and a little later
    first, second = turns["file"].removeprefix("WEBVTT\n\n").split("\n\n")
    assert (first.split("\n")[1], second.split("\n")[1]) == (f"<v {known[:8]}>{known[:8]}", "<v Stranger 1>Stranger 1")
    assert seen["fourth"]["buttons"] == ["Sign out", "People", "Keep the label", "Record"]
    assert seen["fourth"]["left"] == ""
    for visit in seen.values():
        assert visit["problems"] == []  # nothing that the page wants is against its own policy
        assert (visit["stored"]["cookies"], visit["title"]) == ([], "Timbre console")
        assert not any(key in visit["address"] or key in json.dumps(visit["stored"]) for key in keys)
    assert [visit["stored"]["origins"] for visit in seen.values()] == [[], [], [], []]  # the label went with the person
