"""A managed identity, and servers over TLS, for what reaches Azure without a key: real sockets, no Azure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.storage.backend import account
from tests.azure.certificates import Certificate, certificate
from tests.azure.identity import SHORT_SECONDS, Identity
from tests.azure.vault import NAME

SILENCE_SECONDS, PAUSE_SECONDS = 1.0, 0.1
"""As short as a busy machine lets a healthy answer be on time."""

BOUND_SECONDS = 10.0
"""Three attempts of silence with their pauses are 3.2 s; the rest is a busy machine's."""


@pytest.fixture(scope="session")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("certificate"), NAME)


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch, own_certificate: Certificate) -> Iterator[Identity]:
    """The one of this process; every request asks it for a token. Silence and pauses are short."""
    running = Identity(lifetime=SHORT_SECONDS)
    for name, value in running.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(own_certificate.bundle))
    monkeypatch.setattr(account, "READ_SECONDS", SILENCE_SECONDS)
    monkeypatch.setattr(account, "MAX_BACKOFF_SECONDS", PAUSE_SECONDS)
    yield running
    running.front.close()
