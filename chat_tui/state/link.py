"""Where the server is, and how things stand with it, as plain data."""

from enum import Enum, auto
from typing import NamedTuple


class Address(NamedTuple):
    """Where to go."""

    host: str
    port: int
    may_host: bool = False
    """Start a server where none answers."""
    share: bool = False
    """Start it for others in the network, too."""


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
