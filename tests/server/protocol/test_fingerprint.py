"""The short form of a key's fingerprint."""

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import fingerprint


def test_the_short_form_is_the_first_hundred_bits() -> None:
    """In Crockford's base32: all zeros, all ones, and one bit at either end of what counts."""
    assert fingerprint.short(bytes(32)) == "0000-0000-0000-0000-0000"
    assert fingerprint.short(b"\xff" * 32) == "zzzz-zzzz-zzzz-zzzz-zzzz"
    assert fingerprint.short(b"\x80" + bytes(31)) == "g000-0000-0000-0000-0000"
    assert fingerprint.short(bytes(12) + b"\x10" + bytes(19)) == "0000-0000-0000-0000-0001"
    assert fingerprint.short(bytes(12) + b"\x0f" + b"\xff" * 19) == "0000-0000-0000-0000-0000"


@given(st.binary(min_size=32, max_size=32))
def test_what_people_type_is_taken_as_it_is_meant(digest: bytes) -> None:
    """Capitals, blanks instead of hyphens, or none, and letters that look like digits."""
    short = fingerprint.short(digest)
    assert fingerprint.is_short(short)
    assert fingerprint.normal(short) == short
    typed = short.upper().replace("0", "O").replace("1", "I").replace("-", " ")
    assert fingerprint.normal(f" {typed}\n") == short
    assert fingerprint.normal(short.replace("1", "l").replace("-", "")) == short


@pytest.mark.parametrize(
    "text",
    ["", "k7qd", "k7qd-93mf-x2wp-08tz-hv4", "k7qd-93mf-x2wp-08tz-hv4n-0000", "k7qd-93mf-x2wp-08tz-hv4u", "k7qd-93mf\n"],
)
def test_what_is_no_short_form_is_none(text: str) -> None:
    """Too short, too long, or with a letter that is none of the digits."""
    assert not fingerprint.is_short(fingerprint.normal(text))


@given(st.text(max_size=40))
def test_normal_is_idempotent(text: str) -> None:
    """Whatever was typed."""
    assert fingerprint.normal(fingerprint.normal(text)) == fingerprint.normal(text)


def test_a_certificate_made_anew_for_the_same_key_has_the_same_fingerprint() -> None:
    """It is the key's, as OpenSSL's `pkey -pubin -outform DER | sha256` says it."""
    key = ec.generate_private_key(ec.SECP256R1())

    def certificate(name: str) -> bytes:
        called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        made = x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number(), now, now)
        return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    expected = hashlib.sha256(public).digest()
    assert {fingerprint.of_certificate(certificate(name)) for name in ("one", "two")} == {expected}
    with pytest.raises(ValueError, match=r"."):
        fingerprint.of_certificate(b"no certificate")
