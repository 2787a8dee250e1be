"""A certificate for the names of a test, and the files that make clients trust it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from requests.utils import DEFAULT_CA_BUNDLE_PATH

PASSWORD = "for-a-test"


@dataclass(frozen=True)
class Certificate:
    """Files: ``pem`` and ``key`` for a server, ``pfx`` with ``PASSWORD`` for .NET, ``bundle`` for clients."""

    pem: Path
    key: Path
    pfx: Path
    bundle: Path

    def of_server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem, self.key)
        return context

    def of_client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.pem))


def certificate(folder: Path, *names: str) -> Certificate:
    """Valid for an hour, for these names and for 127.0.0.1. The bundle holds it beside the usual authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Timbre's tests")])
    alternatives = [x509.DNSName(name) for name in names]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([*alternatives, x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(*(folder / name for name in ("own.pem", "own.key", "own.pfx", "bundle.pem")))
    pem = made.public_bytes(serialization.Encoding.PEM)
    plain, protected = serialization.NoEncryption(), serialization.BestAvailableEncryption(PASSWORD.encode())
    files.pem.write_bytes(pem)
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    files.pfx.write_bytes(pkcs12.serialize_key_and_certificates(b"timbre", key, made, None, protected))
    files.bundle.write_bytes(pem + Path(DEFAULT_CA_BUNDLE_PATH).read_bytes())
    return files
