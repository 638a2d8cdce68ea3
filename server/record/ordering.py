"""The order of a session's messages, and that none is taken twice."""

from enum import Enum
from typing import Final

from msgspec import Struct, field

HELD: Final = 4096
"""Refused ids remembered per session: far more than a client may have unanswered."""


class Verdict(Enum):
    """What to do with a numbered message."""

    NEW = 0
    REPEATED = 1
    """An id at or below the last: look up what it got."""
    HELD = 2
    """An earlier one was told to come again and has not: taking this one would break the order."""


class Numbering(Struct):
    """One session's counter."""

    last_id: int = 0
    """The highest id that was taken."""
    last_seq: int = 0
    """Its seq: the start of the chain of the session's events."""
    held: set[int] = field(default_factory=set)
    """The ids that were told to come again, all above `last_id`."""

    def judge(self, message_id: int) -> Verdict:
        """Say what to do with a message of this id. Nothing is changed."""
        if message_id <= self.last_id:
            return Verdict.REPEATED
        if self.held and message_id > min(self.held):
            return Verdict.HELD
        return Verdict.NEW

    def taken(self, message_id: int, seq: int) -> None:
        """Note that a message got its seq."""
        self.last_id = message_id
        self.last_seq = seq
        if self.held:
            self.held.discard(message_id)

    def again(self, message_id: int) -> None:
        """Note that a message was told to come again: no later one is taken before it, or before it is given up."""
        if message_id > self.last_id and len(self.held) < HELD:
            self.held.add(message_id)

    def given_up(self, message_id: int) -> None:
        """Note that a message won't come again: it was refused for good, or withdrawn."""
        self.held.discard(message_id)

    def restore(self, last_id: int, last_seq: int) -> None:
        """Go by what is stored, after a failure."""
        self.last_id, self.last_seq = last_id, last_seq
        self.held = {number for number in self.held if number > last_id}
