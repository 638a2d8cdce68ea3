"""What becomes of messages after they were said: edited, deleted, reacted to, pinned, answered in a thread."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from chat_tui.state.entries import ACTION, DELETED, EDITED, HERE, MENTION, PINNED, Entry, More, revision
from server.protocol.text import clean

if TYPE_CHECKING:
    from server.protocol import frames  # only named here: not loaded before the first paint

    Change = frames.Edited | frames.Deleted | frames.Reacted | frames.Pinned | frames.Message
    """An event that changes a message. A message in a thread does: it is one reply more."""

REMEMBERED: Final = 1000
"""Changes of a room that are remembered: far more than come while a page is on its way."""
TEXT: Final = 256 * 1024
"""Characters that they may hold together: there are many rooms, and who edits long texts is not to fill them all."""

Naming = Callable[[int, str, list[int], bool], int]
"""Called with (user, text, mentions, here): returns the flags of a message that names me, or everyone."""


class Changes:
    """The last changes of a room's messages.

    A page of history may have been read before changes that came ahead of it: these make it right.
    """

    def __init__(self) -> None:
        self.floor = 0
        """Changes up to this seq are not remembered: a page that is true as of an earlier one can't be made right."""
        self._last: deque[Change] = deque()
        self._text = 0

    def add(self, change: "Change") -> None:
        """Remember a change, as delivered: in the order of seq."""
        self._last.append(change)
        self._text += _text_of(change)
        while len(self._last) > REMEMBERED or self._text > TEXT:
            first = self._last.popleft()
            self.floor = first.seq
            self._text -= _text_of(first)

    def after(self, seq: int) -> "Iterator[Change]":
        """Yield the remembered changes after `seq`, in order."""
        return (change for change in self._last if change.seq > seq)

    def forget(self, floor: int) -> None:
        """Forget all: nothing is known of what happened up to `floor`."""
        self._last.clear()
        self._text = 0
        self.floor = floor


def _text_of(change: "Change") -> int:
    return len(getattr(change, "text", ""))


def target_of(change: "Change") -> int:
    """Return the seq of the message that a change is about."""
    from server.protocol import frames

    return change.thread if isinstance(change, frames.Message) else change.target


def alter(entry: Entry, change: "Change", naming: Naming) -> bool:
    """Apply a change to the message it is about; return whether the text is another one now.

    A change that is in the message already is told by `rev`, and is to be left out by who calls.
    """
    from server.protocol import frames

    if entry.more is None:
        entry.more = More()
    more = entry.more
    more.rev = change.seq
    match change:
        case frames.Message():
            more.replies += 1
        case frames.Edited():
            entry.text = shown(change.text)
            flags = naming(entry.user, entry.text, change.mentions, change.here)
            entry.flags = entry.flags & ~(MENTION | HERE) | EDITED | flags
            return True
        case frames.Deleted():
            entry.text = ""
            entry.flags = entry.flags & ~(MENTION | HERE | EDITED | PINNED | ACTION) | DELETED
            more.reply = 0
            more.reactions = {}
            return True
        case frames.Reacted():
            _react(more.reactions, change)
        case frames.Pinned():
            entry.flags = entry.flags | PINNED if change.on else entry.flags & ~PINNED
    return False


def is_news(entry: Entry, change: "Change") -> bool:
    """Return whether a change is not in the message yet."""
    return change.seq > revision(entry)


def _react(reactions: dict[str, list[int]], change: "frames.Reacted") -> None:
    users = reactions.get(change.emoji, [])
    if change.on and change.user not in users:
        reactions[change.emoji] = [*users, change.user]
    elif not change.on and change.user in users:
        left = [user for user in users if user != change.user]
        if left:
            reactions[change.emoji] = left
        else:
            del reactions[change.emoji]


def shown(text: str) -> str:
    """Return text as the log shows it: nothing that acts on a terminal, no tabs, no empty lines at its ends."""
    text = clean(text)
    return text.expandtabs(4).strip("\n") if not text.isprintable() else text
