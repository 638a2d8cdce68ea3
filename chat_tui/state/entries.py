"""One line of talk as the log holds it, and the sentences of its notices."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

HEAD: Final = 1
"""Starts a group: time and name are shown."""
DAY: Final = 2
"""The first of its day: a separator stands above it."""
MINE: Final = 4
MENTION: Final = 8
"""Names me."""
ACTION: Final = 16
"""Said with /me."""
NOTICE: Final = 32
"""Not said by anyone: came in, left, answers of commands. Quiet, unless one of the next two is set."""
INFO: Final = 64
ERROR: Final = 128
SENDING: Final = 256
FAILED: Final = 512
UNSURE: Final = 2048
"""Failed, but may have been sent all the same."""
RETURNING: Final = 1024
"""Taken back; whether it came too late, the server has yet to say."""
DELETED: Final = 4096
"""A message that is gone: its text is empty."""
EDITED: Final = 8192
PINNED: Final = 16384
HERE: Final = 32768
"""Names everyone in the room."""
PARTLY: Final = 65536
"""An own message of which only its place is known: what the server made of the rest is still to come."""
HIDDEN: Final = 131072
"""Said by someone I have blocked: it is there, but not shown."""

GROUP: Final = 5 * 60
"""Seconds in which the messages of one sender share one time and name."""


class More(Struct, gc=False):
    """What most messages have nothing of."""

    rev: int = 0
    """The seq of the last event that changed the message; what is not later is in it already. 0 where none did."""
    reply: int = 0
    """The message that it answers; 0 for none."""
    thread: int = 0
    """The message out of which the thread grew that it belongs to; 0 for none."""
    replies: int = 0
    """Messages in the thread that grew out of it."""
    reactions: dict[str, list[int]] = {}
    """Per emoji's short name the users who reacted with it, the first one first."""


class Entry(Struct, gc=False):
    """What the log holds of one message or notice: nothing that a room with 100,000 of them could not afford."""

    seq: int
    """A message's place in the log. A notice has that of the message before it, so that a list stays sorted."""
    time: int
    """Seconds since 1970."""
    name: str
    """Who said it; empty for a notice."""
    text: str
    flags: int = 0
    since: int = 0
    """When the group it belongs to began: the time of its head."""
    user: int = 0
    """Who said it, whatever they were called; 0 for a notice."""
    more: More | None = None
    """None for a message that answers none, and that nothing has changed."""


class Waiting(Entry, gc=False):
    """An own message that the server has not confirmed."""

    id: int = 0
    """The number it was sent with."""
    raw: str = ""
    """Its text as it was sent: `text` is how it is shown."""
    reason: str = ""
    """Why it failed, for people."""


def revision(entry: Entry) -> int:
    """Return the seq of the last event that changed a message; 0 where none did."""
    return entry.more.rev if entry.more is not None else 0


def thread_of(entry: Entry) -> int:
    """Return the message out of which the thread grew that this one belongs to; 0 for none."""
    return entry.more.thread if entry.more is not None else 0


def reply_of(entry: Entry) -> int:
    """Return the message that this one answers; 0 for none."""
    return entry.more.reply if entry.more is not None else 0


def names_in_words(names: Iterable[str]) -> str:
    """Return `bob`, `bob and carol`, `bob, carol and dave` or, from four on, `bob, carol and 14 others`."""
    some = list(names)
    if len(some) > 3:
        return f"{some[0]}, {some[1]} and {len(some) - 2} others"
    *first, last = some
    return f"{', '.join(first)} and {last}" if first else last


def left_in_words(names: Iterable[str], reason: str) -> str:
    """Return who left and why, where the reason says more than that they left."""
    some = list(names)
    who = names_in_words(some)
    match reason:
        case "" | "quit":
            return f"{who} left"
        case "left":
            return f"{who} left the room"
        case "connection lost":
            return f"{who} left: connection lost"
        case "kicked" | "banned":
            return f"{who} {'was' if len(some) == 1 else 'were'} put out"
        case "erased":
            return f"{who} left for good"
        case "shutdown":
            return f"{who} left: the server is shutting down"
        case _:
            return f"{who} left: {reason}"
