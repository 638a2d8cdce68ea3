"""The order of a session's messages, and that none is taken twice."""

from enum import Enum

from msgspec import Struct


class Verdict(Enum):
    """What to do with a numbered message."""

    NEW = 0
    REPEATED = 1
    """An id at or below the last: look up what it got."""
    HELD = 2
    """An earlier one was refused and has not come again: taking this one would break the order."""


class Numbering(Struct):
    """One session's counter."""

    last_id: int = 0
    """The highest id that was taken."""
    last_seq: int = 0
    """Its seq: the start of the chain of the session's events."""
    held: int = 0
    """The id that was refused and must come again first; 0 for none."""

    def judge(self, message_id: int) -> Verdict:
        """Say what to do with a message of this id. Nothing is changed."""
        if message_id <= self.last_id:
            return Verdict.REPEATED
        if self.held and message_id > self.held:
            return Verdict.HELD
        return Verdict.NEW

    def taken(self, message_id: int, seq: int) -> None:
        """Note that a message got its seq."""
        self.last_id, self.last_seq = message_id, seq
        if message_id >= self.held:
            self.held = 0

    def refused(self, message_id: int) -> None:
        """Note that a message must come again before any later one is taken."""
        if message_id > self.last_id and (not self.held or message_id < self.held):
            self.held = message_id
