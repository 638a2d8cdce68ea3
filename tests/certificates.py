"""Servers' certificates for tests, and TLS with them."""

import datetime
import ipaddress
import ssl
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from server.protocol import fingerprint


class Certificate(NamedTuple):
    """A key, and what vouches for it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def digest(self) -> bytes:
        """The fingerprint of its key."""
        return fingerprint.of_certificate(self.certificate.public_bytes(Encoding.DER))

    @property
    def short(self) -> str:
        """The same as people compare it."""
        return fingerprint.short(self.digest)

    def write(self, folder: Path) -> Path:
        """Write certificate and key into one file; return it."""
        path = folder / f"{self.digest.hex()[:8]}.pem"
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM) + key)
        return path

    def context(self, folder: Path) -> ssl.SSLContext:
        """Return TLS as a server with this certificate speaks it; `folder` for a moment holds the key."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.write(folder))
        return made


def make(host: str = "localhost", by: Certificate | None = None, *, authority: bool = False) -> Certificate:
    """Return a new certificate of a host, signed by itself or by an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.certificate.subject if by else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(by.key if by else key, hashes.SHA256())
    )
    return Certificate(made, key)


@cache
def authority() -> Certificate:
    """Return a certificate authority; nobody knows it who is not told to."""
    return make("An authority of the tests", authority=True)
