"""Create, enroll, verify, identify and delete, with Python's standard library alone.

TIMBRE_KEY=local-subscription-key python samples/python/speakers.py http://127.0.0.1:7071
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).resolve().parents[1]
BY_PHRASE = "verification/text-dependent"
AMONG_OTHERS = "identification/text-independent"


class Timbre:
    """The API of 2021-09-05. ``key`` may be a token. A call that is refused raises ``RuntimeError`` with the reason."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url.rstrip("/"), key

    def call(self, method: str, path: str, body: bytes | None = None, content_type: str = "audio/wav") -> Any:
        headers = {"Ocp-Apim-Subscription-Key": self.key, "Content-Type": content_type}
        request = urllib.request.Request(f"{self.url}/speaker-recognition/{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            error = json.loads(refused.read())["error"]
            raise RuntimeError(f"{refused.code} {error['code']}: {error['message']}") from None

    def create(self, kind: str, locale: str = "en-us") -> str:
        body = json.dumps({"locale": locale}).encode()
        return str(self.call("POST", f"{kind}/profiles", body, "application/json")["profileId"])

    def enroll(self, kind: str, profile_id: str, recording: bytes) -> Any:
        return self.call("POST", f"{kind}/profiles/{profile_id}/enrollments?ignoreMinLength=true", recording)

    def verify(self, kind: str, profile_id: str, recording: bytes) -> Any:
        return self.call("POST", f"{kind}/profiles/{profile_id}:verify", recording)

    def identify(self, profile_ids: list[str], recording: bytes) -> Any:
        query = f"profileIds={','.join(profile_ids)}&ignoreMinLength=true"
        return self.call("POST", f"{AMONG_OTHERS}/profiles:identifySingleSpeaker?{query}", recording)

    def delete(self, kind: str, profile_id: str) -> None:
        self.call("DELETE", f"{kind}/profiles/{profile_id}")


def main(url: str, key: str) -> None:
    timbre = Timbre(url, key)
    heard = {file.stem: file.read_bytes() for file in RECORDINGS.glob("*.wav")}
    own = timbre.create(BY_PHRASE)
    for take in ("passphrase-1", "passphrase-2", "passphrase-3"):
        enrolled = timbre.enroll(BY_PHRASE, own, heard[take])
        print(f"{take}: {enrolled['enrollmentStatus']}, {enrolled['remainingEnrollmentsCount']} to come")
    for take in ("passphrase-4", "other-speaker"):
        print(f"verify {take}: {timbre.verify(BY_PHRASE, own, heard[take])['recognitionResult']}")
    people = {timbre.create(AMONG_OTHERS): take for take in ("passphrase-1", "other-speaker")}
    for profile_id, take in people.items():
        timbre.enroll(AMONG_OTHERS, profile_id, heard[take])
    named = timbre.identify(list(people), heard["other-phrase"])["identifiedProfile"]["profileId"]
    print(f"identify other-phrase: the voice of {people.get(named, 'nobody')}")
    timbre.delete(BY_PHRASE, own)
    for profile_id in people:
        timbre.delete(AMONG_OTHERS, profile_id)


if __name__ == "__main__":
    main(sys.argv[1], os.environ["TIMBRE_KEY"])
