"""What a text is, part by part, as it is shown."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple


class Look(Enum):
    """What a part of a text is."""

    BOLD = auto()
    ITALIC = auto()
    CODE = auto()
    LINK = auto()
    WHERE = auto()
    """Where the link before it leads, which its own words do not say."""
    NAME = auto()
    """Someone is named: @bob."""
    ROOM = auto()
    """A room is named: #dev."""


class Mark(NamedTuple):
    """A part of the shown text that is more than its characters."""

    start: int
    end: int
    look: Look
    target: str = ""
    """The address of a link in printable ASCII, a name without its @, a room without its #."""


class Kind(Enum):
    """What some lines of a text are together."""

    TEXT = auto()
    QUOTE = auto()
    ITEM = auto()
    """Of a list."""
    CODE = auto()


class Block(NamedTuple):
    """Some lines of the shown text. All blocks together, and a newline between any two, are the text."""

    start: int
    end: int
    kind: Kind = Kind.TEXT
    hang: int = 0
    """An item's characters up to its first word: its other rows begin below that."""
    language: str = ""
    """What code is written in, as its writer called it."""


class Marked(NamedTuple):
    """A text as it is shown."""

    text: str
    marks: Sequence[Mark]
    """In no order; one may lie within another."""
    blocks: Sequence[Block]
