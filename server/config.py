"""The settings of a server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import platformdirs

from server.chat.limits import DEFAULTS, Limits

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 7373


def default_data() -> Path:
    """Return where a user's server keeps its data."""
    return platformdirs.user_data_path("chat-tui", appauthor=False) / "server"


@dataclass(frozen=True, slots=True)
class Sso:
    """The OpenID Connect provider by which people may sign in."""

    issuer: str
    """Its address, as it names itself."""
    client: str
    """The id that it has given to this server."""
    secret_file: Path | None = None
    """Where the secret to that id is; None for a public client, which has none."""
    name: str = ""
    """How people call it; empty for its host."""


@dataclass(frozen=True, slots=True)
class Config:
    """What `chat-server` was told."""

    data: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    """0 picks a free one."""
    limits: Limits = DEFAULTS
    hosted: bool = False
    """End when standard input has ended and nobody is connected: a terminal program started this server."""
    log_format: Literal["text", "json"] = "text"
    log_file: Path | None = None
    """Where the log goes instead of standard output."""
    tls_cert: Path | None = None
    """A certificate (PEM, with those that vouch for it), with `tls_key`; without them the server makes its own."""
    tls_key: Path | None = None
    sso: Sso | None = None
