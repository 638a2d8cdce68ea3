"""Where the server is, and how things stand with it, as plain data."""

import os
import re
from enum import Enum, auto
from typing import NamedTuple

from chat_tui.config import DEFAULT_PORT

_LINE = r"(?:chat://)?(\[[0-9a-fA-F:.]+\]|[^\s/:\[\]@?#]+)(?::([0-9]{1,5}))?(?:/([^\s/]*))?(?:/([^\s/]*))?/?"

NO_TICKET = "The ticket is not whole: it has five blocks of four characters, like k7qd-93mf-x2wp-08tz-hv4n."
NEEDS_CONNECTION = "That needs a connection: try again once you are connected."


class Address(NamedTuple):
    """Where to go."""

    host: str
    port: int
    may_host: bool = False
    """Start a server where none answers."""
    share: bool = False
    """Start it for others in the network, too."""
    pin: str = ""
    """The short form of the key that the server must have; empty where nobody has told it."""
    ticket: str = ""
    """Secret: what one may sign up with; empty for none."""

    def __repr__(self) -> str:
        """Say all but the secret."""
        return f"Address({self.host!r}, {self.port}, pin={self.pin!r}, ticket={'…' if self.ticket else ''!r})"


def started_by() -> str:
    """Return how this program is started here: by its name, or as run.py says."""
    return os.environ.get("CHAT_TUI_COMMAND", "chat-tui")


def parse_invitation(line: str) -> Address:
    """Return where an invitation leads, as `invitation` writes one; ValueError with a sentence where it is none."""
    from server.protocol.fingerprint import is_short, normal  # most come without one

    found = re.fullmatch(_LINE, line.strip())
    if found is None:
        raise ValueError("This is no invitation. One looks like chat://chat.example:7373/k7qd-93mf-x2wp-08tz-hv4n")
    port = int(found[2] or DEFAULT_PORT)
    if not 0 < port < 65536:
        raise ValueError(f"{found[2]} is no port: 1 to 65535.")
    pin = normal(found[3] or "")
    if found[3] and not is_short(pin):
        raise ValueError(
            f"The server's key in this invitation is not whole: {found[3]} should be five blocks of four characters."
        )
    ticket = normal(found[4] or "")
    if found[4] and not is_short(ticket):
        raise ValueError(NO_TICKET)
    return Address(found[1].strip("[]"), port, pin=pin, ticket=ticket)


def invitation(host: str, port: int, pin: str = "", ticket: str = "") -> str:
    """Return the line by which others come to a server: `chat://host:port/key/ticket`.

    Where there is no key, because everyone can check the server's certificate, it is `chat://host:port`, with a ticket
    `chat://host:port//ticket`.
    """
    shown = f"[{host}]" if ":" in host else host
    port_shown = "" if port == DEFAULT_PORT else f":{port}"
    return f"chat://{shown}{port_shown}/{pin}/{ticket}".rstrip("/")


class Phase(Enum):
    """How things stand with the server."""

    CONNECTING = auto()
    ONLINE = auto()
    WAITING = auto()
    """Lost; tried again by itself in a while."""
    OFFLINE = auto()
    """Lost or never reached; tried again when somebody says so."""
    NAME = auto()
    """The server waits for another name."""
    TRUST = auto()
    """Nobody has been at this server yet: is its key the right one?"""
    DISTRUST = auto()
    """What answers is not who is known by this address: nothing was said to it."""
    LOGIN = auto()
    """The server wants to know that one is who one says: a password, or another way in."""
    ENDED = auto()
    """Who one was here is over: signed out from elsewhere, or erased."""
    STRANGER = auto()
    """The code of another device is not known: there is nobody to be here."""
    LEFT = auto()


class Link(NamedTuple):
    """How things stand, and in which words."""

    phase: Phase
    words: tuple[str, ...]
    """For the top line, in several lengths, the longest first."""
    problem: str = ""
    """What happened, as a sentence; empty where all is well."""
    way_out: str = ""
    """What to press then, as a sentence."""
