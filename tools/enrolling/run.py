"""One speaker after the other in each of several threads; one speaker's recordings in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Event, Lock

from tools.enrolling.journal import Journal
from tools.enrolling.manifest import Recording, Speaker
from tools.enrolling.service import ATTEMPTS, Answer, Service


@dataclass
class Progress:
    """``perhaps_empty``: profiles that may have been made although no answer came."""

    total: int
    enrolled: int = 0
    refused: int = 0
    perhaps_empty: int = 0
    lock: Lock = field(default_factory=Lock, repr=False)
    changed: Callable[[Progress], None] = field(default=lambda _: None, repr=False)

    def count(self, *, enrolled: int = 0, refused: int = 0, perhaps_empty: int = 0) -> None:
        with self.lock:
            self.enrolled += enrolled
            self.refused += refused
            self.perhaps_empty += perhaps_empty
            self.changed(self)


class Stopped(Exception):
    """Another thread could not go on."""


@dataclass(frozen=True)
class Run:
    service: Service
    journal: Journal
    progress: Progress
    stop: Event = field(default_factory=Event)

    def __call__(self, speakers: Sequence[Speaker], parallel: int) -> None:
        """Raises ``Unusable``, ``OSError``; what was done stands in the journal."""
        with ThreadPoolExecutor(parallel) as pool:
            futures = [pool.submit(self._speaker, one) for one in speakers]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                self.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
            problems = [one.exception() for one in futures if not one.cancelled()]
        for problem in problems:
            if problem is not None and not isinstance(problem, Stopped):
                raise problem

    def _speaker(self, speaker: Speaker) -> None:
        known = self.journal.known
        if all(one.name in known.enrolled or one.name in known.refused for one in speaker.recordings):
            return
        profile_id = speaker.profile_id or known.profiles.get(speaker.name) or self._created(speaker)
        if profile_id is None:
            return
        if not self._consented(speaker, profile_id):
            return
        answer = self.service.profile(profile_id)
        if not answer.good:
            self._refuse_all(speaker, answer)
            return
        count = int(answer.body["enrollmentsCount"])
        for recording in speaker.recordings:
            if self.stop.is_set():
                raise Stopped
            if recording.name not in known.enrolled and recording.name not in known.refused:
                count = self._recording(profile_id, recording, count)

    def _consented(self, speaker: Speaker, profile_id: str) -> bool:
        """Whether the consent that the list names is recorded; a refusal counts for all recordings of the speaker."""
        if not speaker.consent_statement or speaker.name in self.journal.known.consented:
            return True
        answer = self.service.consent(profile_id, speaker.consent_statement)
        if not answer.good:
            self._refuse_all(speaker, answer)
            return False
        self.journal.write({"consented": speaker.name})
        return True

    def _created(self, speaker: Speaker) -> str | None:
        """The new profile's id; None when the service refuses to make one."""
        if speaker.name in self.journal.known.creating:
            self.progress.count(perhaps_empty=1)  # an earlier run ended before the answer
        self.journal.write({"creating": speaker.name})
        for attempt in range(1, ATTEMPTS + 2):
            answer = self.service.create(speaker.locale)
            if answer.good:
                profile_id = str(answer.body["profileId"])
                self.journal.write({"speaker": speaker.name, "profile": profile_id})
                return profile_id
            if not answer.again:
                self._refuse_all(speaker, answer)
                return None
            if answer.status == 0:
                self.progress.count(perhaps_empty=1)
            self.service.wait(answer, attempt)
        raise AssertionError("unreachable")

    def _recording(self, profile_id: str, recording: Recording, count: int) -> int:
        """How many enrollments the profile has behind this. ``count`` is how many it has now."""
        before = self.journal.known.tried.get(recording.name)
        if before is not None and count > before:
            return self._taken(recording, count)  # an earlier run ended before the answer
        audio = recording.file.read_bytes()
        self.journal.write({"trying": recording.name, "enrollments": count})
        for attempt in range(1, ATTEMPTS + 2):
            answer = self.service.enroll(profile_id, audio)
            if answer.good:
                return self._taken(recording, count + 1)
            if not answer.again:
                self._refuse(recording, answer)
                return count
            self.service.wait(answer, attempt)
            if answer.unsure:
                now = self.service.profile(profile_id)
                if now.good and int(now.body["enrollmentsCount"]) > count:
                    return self._taken(recording, int(now.body["enrollmentsCount"]))
        raise AssertionError("unreachable")

    def _taken(self, recording: Recording, count: int) -> int:
        self.journal.write({"enrolled": recording.name})
        self.progress.count(enrolled=1)
        return count

    def _refuse_all(self, speaker: Speaker, answer: Answer) -> None:
        for recording in speaker.recordings:
            if recording.name not in self.journal.known.enrolled and recording.name not in self.journal.known.refused:
                self._refuse(recording, answer)

    def _refuse(self, recording: Recording, answer: Answer) -> None:
        code, message = answer.error
        self.journal.write({"refused": recording.name, "status": answer.status, "code": code, "message": message})
        self.progress.count(refused=1)
