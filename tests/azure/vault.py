"""A key vault: the emulator of ``../shared/key-vault``, behind a front that has trouble when asked to."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import azure_host
from tests.azure.certificates import PASSWORD, Certificate
from tests.azure.front import Asked, Front, Given
from tests.azure.identity import Identity

NAME = "timbre.vault.azure.net"
KEY = "key-encryption"
START = azure_host.START.parents[1] / "key-vault" / "start"
START_SECONDS = 60.0


def missing() -> str | None:
    """Why there is no vault here, in one line; ``None`` where there is."""
    for needed in (START, azure_host.START):
        if not needed.exists():
            return f"needs the key vault emulator, and the host whose .NET it runs on: there is no {needed}"
    return None


@dataclass
class Vault:
    """``emulator_port`` is the emulator's own; clients come by the port of ``front``."""

    certificate: Certificate
    emulator_port: int
    identity: Identity

    def __post_init__(self) -> None:
        self.front = Front(self._pass_on, self.certificate.of_server())

    @property
    def key_uri(self) -> str:
        return f"https://{NAME}/keys/{KEY}"

    def rotate(self) -> str:
        """A new version of the key, as infra/modules/key-vault.bicep makes it; gives its id."""
        wanted = {"kty": "RSA", "key_size": 3072, "key_ops": ["wrapKey", "unwrapKey"]}
        return str(self._call(f"/keys/{KEY}/create", wanted)["key"]["kid"])

    def wrap(self, key_id: str, data_key: bytes) -> bytes:
        return self._use(key_id, "wrapkey", data_key)

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        return self._use(key_id, "unwrapkey", wrapped)

    def _use(self, key_id: str, operation: str, content: bytes) -> bytes:
        value = urlsafe_b64encode(content).decode().rstrip("=")
        path = f"{key_id.removeprefix(f'https://{NAME}')}/{operation}"
        answer = str(self._call(path, {"alg": "RSA-OAEP-256", "value": value})["value"])
        return urlsafe_b64decode(answer + "=" * (-len(answer) % 4))

    def _call(self, path: str, body: object) -> Any:
        token, _ = self.identity.token("https://vault.azure.net")
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}", "host": NAME}
        given = self._pass_on(Asked("POST", f"{path}?api-version=7.4", headers, json.dumps(body).encode()))
        assert given.status == 200, given
        return json.loads(given.body)

    def _pass_on(self, asked: Asked) -> Given:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.emulator_port, timeout=30, context=self.certificate.of_client()
        )
        headers = {name: value for name, value in asked.headers.items() if name != "connection"}
        try:
            connection.request(asked.method, asked.path, asked.body or None, headers)
            answer = connection.getresponse()
            kept = ("content-type", "www-authenticate")
            headers_kept = [(name, value) for name, value in answer.getheaders() if name.lower() in kept]
            return Given(answer.status, _public(answer.read()), headers_kept)
        finally:
            connection.close()


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in azure_host.KEPT if name in os.environ}


def _public(body: bytes) -> bytes:
    """Without the private numbers of a key, which the emulator gives away: the SDK would unwrap with them by itself."""
    if b'"key"' not in body:
        return body
    value = json.loads(body)
    value["key"] = {name: part for name, part in value["key"].items() if name in ("kid", "kty", "key_ops", "n", "e")}
    return json.dumps(value).encode()


@contextmanager
def running_vault(folder: Path, certificate: Certificate, identity: Identity) -> Iterator[Vault]:
    """With the key that the deployment names, in memory."""
    port = azure_host.free_port()
    with (folder / "vault.log").open("wb") as output:
        process = subprocess.Popen(
            [str(START), str(port), str(certificate.pfx), PASSWORD],
            env={**_kept(), "Logging__LogLevel__Default": "Warning", "Logging__LogLevel__Microsoft": "Warning"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    vault = Vault(certificate, port, identity)
    try:
        _wait_until_ready(vault, process)
        key_id = vault.rotate()
        assert vault.unwrap(key_id, vault.wrap(key_id, b"warm")) == b"warm"  # the emulator compiles at the first use
        yield vault
    finally:
        vault.front.close()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(vault: Vault, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", vault.emulator_port, timeout=5, context=vault.certificate.of_client()
            )
            connection.connect()
            connection.close()
            return
        except OSError:
            assert process.poll() is None, f"the key vault emulator ended with code {process.returncode}"
            assert time.monotonic() < deadline, f"no key vault within {START_SECONDS:.0f} s"
            time.sleep(0.1)
