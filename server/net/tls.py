"""The server's key and certificate: its own, made at the first start, or one that it is given."""

import ipaddress
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from server.disk import write_private

YEARS: Final = 100
"""For which the server's own certificate is good: clients keep its key, and nothing else of it is asked."""


class TlsError(Exception):
    """A key or certificate can't be used. The text says why and what to do, on one line."""


def own(key: Path, certificate: Path) -> ssl.SSLContext:
    """Return the server's side of TLS by its own key; TlsError where that can't be had.

    The key is made once, and never anew: clients know the server by it. Of the certificate nothing is lost with it.
    """
    try:
        if not key.exists():
            write_private(key, _make_key(), durable=True)
        try:
            return context(key, certificate)
        except TlsError:  # a start that was cut short between the two, or another key than when it was made
            write_private(certificate, _make_certificate(key), durable=True)
    except OSError as error:
        raise TlsError(f"{error.filename} can't be used: {error.strerror}.") from error
    return context(key, certificate)


def context(key: Path, certificate: Path) -> ssl.SSLContext:
    """Return the server's side of TLS by these files, PEM both; TlsError where they can't be used."""
    for path in (key, certificate):
        try:
            path.read_bytes()
        except OSError as error:
            raise TlsError(f"{path} can't be read: {error.strerror}.") from error
    # TLS 1.2 at least, and what goes with it: these are Python's defaults.
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.num_tickets = 0  # chat connections are few and long: nothing to take up again
    try:
        # A passphrase would be asked for at a terminal that nobody may sit at.
        made.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsError(f"{key} is not the key of {certificate}. Give two files that belong together.") from error
        raise TlsError(
            f"{certificate} and {key} can't be used: give a certificate and its key without passphrase, both as PEM."
        ) from error
    return made


def der(certificate: Path) -> bytes:
    """Return a server's own certificate from a PEM file; TlsError where there is none in it."""
    end = "-----END CERTIFICATE-----"
    try:
        first, end, _ = certificate.read_text(encoding="ascii", errors="replace").partition(end)
        return ssl.PEM_cert_to_DER_cert(first[first.rindex("-----BEGIN CERTIFICATE-----") :] + end)
    except (OSError, ValueError) as error:
        raise TlsError(f"{certificate} holds no certificate that can be read.") from error


def _make_key() -> bytes:
    """Return a new P-256 key as PEM."""
    # Not at the top: the library takes 150 ms to load, and only a first start needs it.
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _make_certificate(path: Path) -> bytes:
    """Return a certificate as PEM that the key in this file has signed itself; TlsError where it holds none."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (TypeError, ValueError) as error:
        raise TlsError(
            f"{path} holds no key any more. Put the right one back: by its key clients know this server."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TlsError(f"{path} holds no key that this server has made. Use --tls-key and --tls-cert for your own.")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chat-server")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    host = socket.gethostname()
    if host.isascii() and host != "localhost":
        names.append(x509.DNSName(host))
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)
