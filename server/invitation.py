"""How others come to this server: the line that they type, and the fingerprint that they compare."""

import contextlib
import ipaddress
import socket
from dataclasses import dataclass

from server.protocol import fingerprint


@dataclass(frozen=True, slots=True)
class Way:
    """How others come in."""

    host: str
    port: int
    pin: str
    """The short form of the server's fingerprint."""
    vouched: bool = False
    """A certificate authority vouches for the key: nobody needs the pin, and it would break when the key is renewed."""

    def line(self, ticket: str = "") -> str:
        """Return what others type: `chat-tui join chat://host:port/pin/ticket`.

        Args:
            ticket: secret: what somebody may sign up with.
        """
        pin = "" if self.vouched else self.pin
        return f"chat-tui join chat://{address(self.host, self.port)}/{pin}/{ticket}".rstrip("/")


def address(host: str, port: int) -> str:
    """Return host and port in one word."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reached_at(host: str, port: int) -> str:
    """Return the `host:port` by which others reach what listens there: an address of its own for all of a machine's."""
    return address(_for_others(host), port)


def way_in(host: str, port: int, certificate: bytes) -> Way:
    """Return how others come to the server that listens there. It takes some 100 ms: a library is loaded.

    Args:
        host: what it listens on.
        port: the same.
        certificate: its certificate, DER.
    """
    from cryptography import x509

    read = x509.load_der_x509_certificate(certificate)
    vouched = read.issuer != read.subject
    names: list[str] = []
    if vouched:
        with contextlib.suppress(x509.ExtensionNotFound):
            named = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = [name for name in named.get_values_for_type(x509.DNSName) if not name.startswith("*")]
    shown = names[0] if names else _for_others(host)
    return Way(shown, port, fingerprint.short(fingerprint.of_certificate(certificate)), vouched)


def _for_others(host: str) -> str:
    """Return the address by which others reach a server that listens on this one. Sends nothing."""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            return _own_address(address.version) or socket.gethostname()
    return host


def _own_address(version: int) -> str:
    """Return this machine's address in its network; empty where none is known."""
    family, far = (socket.AF_INET, "192.0.2.1") if version == 4 else (socket.AF_INET6, "2001:db8::1")
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
        # Connecting a datagram socket only chooses the way. The addresses are of those kept for documentation.
        sock.connect((far, 9))
        address = str(sock.getsockname()[0])
        if not ipaddress.ip_address(address).is_loopback and not ipaddress.ip_address(address).is_unspecified:
            return address
    return ""
