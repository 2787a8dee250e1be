"""Where a long recording may be read from: what the operator lists, and a URL that is on the list.

A URL of this kind is signed: whoever reads it can read the recording. So it is in no message and no representation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from shared.domain.errors import RecordingUrlRefused

MAX_CHARACTERS: Final = 4_096
"""Our choice: a signed URL of the common storage services has 300 to 1,500."""

HTTPS_PORT: Final = 443
HOSTS_RULE: Final = "exact names as `host` or `host:port`, or `*.suffix` with a dot in the suffix, a comma list"

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_HOST: Final = rf"{_NAME}|\[[0-9a-f:.]{{2,45}}\]"
_EXACT: Final = re.compile(rf"(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?")
_WILDCARD: Final = re.compile(rf"\*(\.{_LABEL}(?:\.{_LABEL})+)")
_URL: Final = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?(?P<target>/[!-~]*)", re.IGNORECASE
)


@dataclass(frozen=True)
class RecordingUrl:
    """A URL that is on the list. ``target`` is its path and query.

    ``exact``: the entry writes the host out; ``with_port``: and its port. Which addresses the host may have depends on
    that (``shared/audio/sources/addresses.py``).
    """

    secure: bool
    host: str = field(repr=False)
    port: int
    target: str = field(repr=False)
    exact: bool
    with_port: bool


@dataclass(frozen=True)
class RecordingHosts:
    """``TIMBRE_RECORDING_HOSTS``: hosts with their ports, those whose entry writes the port, and suffixes."""

    ports: frozenset[tuple[str, int]] = frozenset()
    written_ports: frozenset[tuple[str, int]] = frozenset()
    suffixes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.ports or self.suffixes)

    @classmethod
    def parse(cls, setting: str) -> RecordingHosts:
        """``ValueError`` where an entry is neither form."""
        ports, written, suffixes = set(), set(), set()
        for entry in filter(None, (one.strip().lower() for one in setting.split(","))):
            if wildcard := _WILDCARD.fullmatch(entry):
                suffixes.add(wildcard[1])
                continue
            exact = _EXACT.fullmatch(entry)
            port = _port(exact["port"]) if exact else None
            if exact is None or port is None:
                raise ValueError(HOSTS_RULE)
            ports.add((exact["host"], port))
            if exact["port"]:
                written.add((exact["host"], port))
        return cls(frozenset(ports), frozenset(written), frozenset(suffixes))

    def admit(self, received: str) -> RecordingUrl:
        """Raises ``RecordingUrlRefused``, which says why and not what."""
        if not self:
            raise RecordingUrlRefused("This service reads no recordings from URLs: its operator has listed no hosts.")
        url = _URL.fullmatch(received) if len(received) <= MAX_CHARACTERS else None
        port = _port(url["port"]) if url else None
        if url is None or port is None or set("#\\") & set(received):
            raise RecordingUrlRefused(
                f"It must be an absolute https URL of at most {MAX_CHARACTERS:,} ASCII characters, without a user, "
                "a password or a fragment."
            )
        secure, host = url["scheme"].lower() == "https", url["host"].lower()
        if not secure and not url["port"]:
            port = 80
        exact, with_port = (host, port) in self.ports, (host, port) in self.written_ports
        if not exact and not (secure and port == HTTPS_PORT and host.endswith(tuple(self.suffixes))):
            raise RecordingUrlRefused("Its host and port are not among those that the operator has listed.")
        if not secure and not with_port:
            raise RecordingUrlRefused("It must begin with https.")
        return RecordingUrl(secure, host, port, url["target"], exact, with_port)


def _port(written: str | None) -> int | None:
    port = int(written or HTTPS_PORT)
    return port if 1 <= port <= 65_535 else None
