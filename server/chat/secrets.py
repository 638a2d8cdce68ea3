"""Secrets that the server gives out. It keeps their SHA-256 alone."""

import hashlib
import secrets

from server.protocol import fingerprint


def new_session() -> str:
    """Return a session's secret: 128 random bits, for programs."""
    return secrets.token_hex(16)


def new_code() -> str:
    """Return a code that people can read out and type: 100 random bits."""
    return fingerprint.short(secrets.token_bytes(fingerprint.DIGEST))


def hashed(secret: str) -> bytes:
    """Return what is kept of a session's secret."""
    return hashlib.sha256(secret.encode()).digest()


def hashed_code(typed: str) -> bytes:
    """Return what is kept of a code, however it was typed."""
    return hashed(fingerprint.normal(typed))
