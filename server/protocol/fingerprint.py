"""The fingerprint of a server's key: the same short form in the server's log, in an invitation and on the screen.

Short: the first 100 bits of the SHA-256 of the certificate's public key, in Crockford's base32, in five blocks of four:
`k7qd-93mf-x2wp-08tz-hv4n`. Two people can read it to each other; a second key with the same one takes 2^100 tries.
"""

import hashlib
import re
from typing import Final

DIGEST: Final = 32
"""Bytes of a whole fingerprint."""

_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's: without i, l and o, which look like digits, and u."""

_BLOCK, _BLOCKS = 4, 5
_CHARACTERS = _BLOCK * _BLOCKS
_SHORT = re.compile(rf"[{_DIGITS}]{{{_BLOCK}}}(?:-[{_DIGITS}]{{{_BLOCK}}}){{{_BLOCKS - 1}}}")
_MEANT: Final = str.maketrans({"o": "0", "i": "1", "l": "1", "-": None})


def of_certificate(der: bytes) -> bytes:
    """Return the SHA-256 of a certificate's SubjectPublicKeyInfo, DIGEST bytes; ValueError where it is none, or broken.

    It is the key's: a certificate that is made anew for the same key has the same one.

    Args:
        der: the certificate, as `ssl.SSLSocket.getpeercert(binary_form=True)` returns it.
    """
    # Not at the top: it takes 50 ms, and nothing needs it before there is a certificate.
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_der_x509_certificate

    key = load_der_x509_certificate(der).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def short(digest: bytes) -> str:
    """Return the short form of a fingerprint."""
    bits = int.from_bytes(digest, "big") >> (len(digest) * 8 - _CHARACTERS * 5)
    text = "".join(_DIGITS[bits >> 5 * place & 31] for place in reversed(range(_CHARACTERS)))
    return "-".join(text[start : start + _BLOCK] for start in range(0, _CHARACTERS, _BLOCK))


def normal(text: str) -> str:
    """Return what a person typed as a short form, as `short` writes it: capitals, o, i and l as they are meant.

    Blocks may stand together or apart. What can't be a short form comes back as something that is none: see `is_short`.
    """
    text = "".join(text.split()).lower().translate(_MEANT)
    return "-".join(text[start : start + _BLOCK] for start in range(0, len(text), _BLOCK))


def is_short(text: str) -> bool:
    """Say whether a text is a short form, as `short` and `normal` write it."""
    return _SHORT.fullmatch(text) is not None
