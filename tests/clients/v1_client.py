"""The calls of Microsoft's Python scripts for v1.0, byte for byte: uploads are chunked, whole answers are compared.

Written from ``docs/contract.md`` (facts 3, 4, 10 and 11); Microsoft's scripts are not part of this
repository. http.client chunks a file that it is given without a length, as those scripts do.
"""

from __future__ import annotations

import http.client
import io
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit


class CallFailed(Exception):
    """Any other status than 200, or 202 for what becomes an operation."""


@dataclass(frozen=True)
class PythonScripts:
    url: str
    key: str = field(repr=False)

    def create(self, family: str) -> str:
        body = json.dumps({"locale": "en-us"})
        answer, _ = self._send("POST", f"/{family}Profiles", body, "application/json")
        return str(answer[f"{family}ProfileId"])

    def enroll_verification(self, profile_id: str, recording: bytes) -> Any:
        return self._upload(f"/verificationProfiles/{quote(profile_id)}/enroll", recording)[0]

    def verify(self, profile_id: str, recording: bytes) -> Any:
        return self._upload(f"/verify?verificationProfileId={quote(profile_id)}", recording)[0]

    def enroll_identification(self, profile_id: str, recording: bytes) -> Any:
        path = f"/identificationProfiles/{quote(profile_id)}/enroll?shortAudio=True"
        return self._poll(self._upload(path, recording)[1])

    def identify(self, profile_ids: list[str], recording: bytes) -> Any:
        path = f"/identify?identificationProfileIds={quote(','.join(profile_ids))}&shortAudio=True"
        return self._poll(self._upload(path, recording)[1])

    def delete(self, family: str, profile_id: str) -> None:
        self._send("DELETE", f"/{family}Profiles/{quote(profile_id)}", "", "application/json")

    def _poll(self, operation_location: str) -> Any:
        """The scripts keep only the address and the path of the operation's URL."""
        location = urlsplit(operation_location)
        answer, _ = self._send("GET", location.path, "", "application/json", address=location.netloc, prefix="")
        if answer["status"] != "succeeded":
            raise CallFailed(answer)
        return answer["processingResult"]

    def _upload(self, path: str, recording: bytes) -> tuple[Any, str]:
        return self._send("POST", path, io.BytesIO(recording), "application/octet-stream")

    def _send(
        self,
        method: str,
        path: str,
        body: str | io.BytesIO,
        content_type: str,
        address: str = "",
        prefix: str = "/spid/v1.0",
    ) -> tuple[Any, str]:
        connection = http.client.HTTPConnection(address or urlsplit(self.url).netloc, timeout=60)
        headers = {"Content-Type": content_type, "Ocp-Apim-Subscription-Key": self.key}
        try:
            connection.request(method, prefix + path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 202):
            raise CallFailed(f"{answer.status} {content.decode()}")
        return (json.loads(content) if content else None), answer.getheader("Operation-Location", "")
