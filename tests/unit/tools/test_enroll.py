"""The bulk import against a service on this machine that loses answers, is busy and refuses, as a script says."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from uuid import uuid4

import pytest

from tests.azure.front import Asked, Given, answering, given_json
from tools import enroll
from tools.enrolling.journal import Journal, JournalRefused
from tools.enrolling.manifest import ManifestRefused, read_manifest
from tools.enrolling.service import Service

KEY = "the key"
LOST = 0
"""In a script: the service does it and hangs up before it answers."""


@dataclass
class Store:
    """What the service has, and how it is to answer the next enrollments of a recording: statuses in a row."""

    profiles: dict[str, list[bytes]] = field(default_factory=dict)
    consents: dict[str, str] = field(default_factory=dict)
    script: dict[bytes, list[int]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, request: Asked) -> Given:
        path = request.path.partition("?")[0]
        with self.lock:
            self.calls.append(f"{request.method} {path}")
            status, content = self._done(request, path)
        return given_json(status, content, *[("Retry-After", "7")] * (status in (429, 503)))

    def _done(self, request: Asked, path: str) -> tuple[int, object]:
        if request.headers["ocp-apim-subscription-key"] != KEY:
            return 401, {"error": {"code": "Unauthorized", "message": "wrong key"}}
        if path.endswith("/profiles"):
            status, profile_id = self._next(b"create"), str(uuid4())
            if status not in (429, 503):
                self.profiles[profile_id] = []
            return status, {"profileId": profile_id}
        profile_id = re.findall(r"[0-9a-f-]{36}", path)[0]
        if profile_id not in self.profiles:
            return 404, {"error": {"code": "NotFound", "message": "no such profile"}}
        if path.endswith("/consent"):
            self.consents[profile_id] = json.loads(request.body)["statementId"]
        if not path.endswith("/enrollments"):
            return 200, {"profileId": profile_id, "enrollmentsCount": len(self.profiles[profile_id])}
        status = self._next(request.body)
        if status in (LOST, 201):
            self.profiles[profile_id].append(request.body)
        return status, {"error": {"code": "InvalidRequest", "message": "Audio is too noisy."}}

    def _next(self, scripted: bytes) -> int:
        waiting = self.script.get(scripted)
        return waiting.pop(0) if waiting else 201


@dataclass
class Site:
    """A manifest, and the service that it is enrolled with. ``rests``: how long the tool would have waited."""

    file: Path
    store: Store
    url: str
    rests: list[float]

    def list(self, *rows: str, head: str = "path,speaker") -> Site:
        """Each path gets a file that says its own name."""
        self.file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        for row in rows:
            (self.file.parent / row.partition(",")[0]).write_bytes(row.partition(",")[0].encode())
        return self

    def run(self, *more: str, key: str = KEY) -> int:
        return enroll.main([str(self.file), "--url", self.url, "--key", key, "--parallel", "3", *more])

    def beside(self, ending: str) -> Path:
        return self.file.with_name(f"{self.file.name}.{ending}")

    @property
    def enrolled(self) -> Sequence[Sequence[bytes]]:
        return sorted(self.store.profiles.values())

    @property
    def refusals(self) -> Sequence[Sequence[str]]:
        with self.beside("refused.csv").open(newline="") as text:
            return [*csv.reader(text)][1:]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    store, rests = Store(), list[float]()
    monkeypatch.setattr(enroll, "Service", lambda url, key, kind: Service(url, key, kind, rest=rests.append))
    with answering(store) as url:
        yield Site(tmp_path / "manifest.csv", store, url, rests)


def test_every_speaker_gets_a_profile_and_a_second_run_sends_only_what_was_added(site: Site) -> None:
    rows = ["a1,ann", "b1,bob", "a2,ann", "c1,cy"]
    assert site.list(*rows).run() == 0
    assert site.enrolled == [[b"a1", b"a2"], [b"b1"], [b"c1"]]
    made = site.beside("profiles.csv").read_text().splitlines()
    assert made[0] == "speaker,profile_id"
    assert {line.split(",")[1] for line in made[1:]} == set(site.store.profiles)
    site.store.calls.clear()
    assert site.run() == 0
    assert site.store.calls == []
    assert site.list(*rows, "b2,bob").run() == 0
    assert site.enrolled == [[b"a1", b"a2"], [b"b1", b"b2"], [b"c1"]]


def test_named_profiles_locales_and_consent(site: Site) -> None:
    known = str(uuid4())
    site.store.profiles[known] = [b"before"]
    head = "path,speaker,profile_id,locale,consent_statement"
    assert site.list(f"a1,ann,{known},,form-7", "a2,ann,,,", "b1,bob,,de-DE,", head=head).run() == 0
    assert site.store.profiles[known] == [b"before", b"a1", b"a2"]
    assert site.store.consents == {known: "form-7"}


def test_refused_recordings_are_reported_without_names_and_the_others_enrolled(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.store.script[b"a1"] = [400, 400]
    assert site.list("a1,ann", "a2,ann").run() == 1
    assert site.refusals == [["a1", "400", "InvalidRequest", "Audio is too noisy."]]
    assert site.enrolled == [[b"a2"]]
    said = capsys.readouterr()
    assert "ann" not in said.out + said.err
    assert site.beside("journal").stat().st_mode & 0o077 == 0
    assert site.run() == 1
    assert site.store.script[b"a1"] == [400]
    assert [site.run("--retry-refused") for _ in range(2)] == [1, 0]
    assert site.refusals == []


def test_it_waits_as_long_as_the_service_says(site: Site) -> None:
    site.store.script |= {b"a1": [429, 503, 503], b"create": [429]}
    assert site.list("a1,ann").run() == 0
    assert site.rests == [7.0, 7.0, 7.0, 7.0]
    assert site.enrolled == [[b"a1"]]


@pytest.mark.parametrize("answers", [[LOST], [503, LOST], [500, 201], [LOST, 400]])
def test_a_lost_answer_never_doubles_an_enrollment(site: Site, answers: list[int]) -> None:
    site.store.script[b"a1"] = answers
    assert site.list("a1,ann", "a2,ann").run() == 0
    assert site.enrolled == [[b"a1", b"a2"]]


def test_an_interruption_before_the_answer_never_doubles_either(site: Site) -> None:
    """The journal as a run leaves it that was killed while the service was enrolling."""
    assert site.list("a1,ann", "a2,ann").run() == 0
    lines = site.beside("journal").read_bytes().splitlines(keepends=True)
    cut = next(number for number, line in enumerate(lines) if b'"enrolled": "a2"' in line)
    for torn in (b"", lines[cut][:7]):
        site.beside("journal").write_bytes(b"".join(lines[:cut]) + torn)
        assert [site.run(), site.run()] == [0, 0]  # what the first writes behind half a line, the second reads
        assert site.enrolled == [[b"a1", b"a2"]]


def test_an_interruption_before_it_was_sent_sends_it(site: Site) -> None:
    assert site.list("a1,ann").run() == 0
    journal = site.beside("journal")
    journal.write_bytes(journal.read_bytes().replace(b'{"enrolled": "a1"}\n', b""))
    for recordings in site.store.profiles.values():
        recordings.clear()
    assert site.run() == 0
    assert site.enrolled == [[b"a1"]]


def test_a_lost_creation_is_said(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.store.script[b"create"] = [LOST]
    assert site.list("a1,ann").run() == 0
    assert "Up to 1 profiles may have been made" in capsys.readouterr().out
    assert site.enrolled == [[], [b"a1"]]


def test_a_wrong_key_and_a_service_that_is_not_there_stop_the_run(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.list("a1,ann").run(key="another") == 2
    assert "The key was refused" in capsys.readouterr().err
    site.url = "http://127.0.0.1:9"
    site.beside("journal").unlink()
    assert site.run() == 2
    assert len(site.rests) > 10


def test_an_unknown_profile_is_a_refusal_of_all_its_recordings(site: Site) -> None:
    assert site.list(f"a1,ann,{uuid4()}", "a2,ann,", head="path,speaker,profile_id").run() == 1
    assert [row[1] for row in site.refusals] == ["404", "404"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("path\na1\n", "the columns: path, speaker"),
        ("path,speaker,age\na1,ann,7\n", "the columns"),
        ("path,speaker\na1,ann\na1,bob\n", "line 3: a1 stands there before"),
        ("path,speaker\nmissing,ann\n", "line 2: there is no file missing"),
        ("path,speaker\na1,\n", "line 2: path and speaker must be said"),
        ("path,speaker,locale\na1,ann,de-DE\na2,ann,fr-FR\n", "line 3: profile_id, locale or consent"),
        ("path,speaker,profile_id\na1,ann,X\na2,bob,x\n", "two speakers have the same profile_id"),
    ],
)
def test_a_manifest_is_refused_by_line(tmp_path: Path, text: str, problem: str) -> None:
    for name in ("a1", "a2"):
        (tmp_path / name).write_bytes(b"audio")
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(ManifestRefused) as refusal:
        read_manifest(tmp_path / "m.csv")
    assert problem in str(refusal.value)


def test_a_journal_of_another_service_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "http://one", "identification"):
        pass
    for url, kind in (("http://other", "identification"), ("http://one", "verification")):
        with pytest.raises(JournalRefused, match="another service or kind"):
            Journal(tmp_path / "j", url, kind)
    (tmp_path / "k").write_text("path,speaker\n")
    with pytest.raises(JournalRefused, match="no journal"):
        Journal(tmp_path / "k", "http://one", "identification")
