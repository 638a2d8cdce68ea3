"""The parts of what is shown."""

from enum import Flag, auto


class Changed(Flag):
    """What a batch of frames changed besides the log, which tells its own listeners."""

    NOTHING = 0
    PEOPLE = auto()
    NAME = auto()
    """My own name."""
    LINK = auto()
    """How things stand with the server."""
    RETURNED = auto()
    """A message was taken back: it is in `Chat.returned`."""
    DRAFT = auto()
    """What was being written earlier is known now."""
    ROOMS = auto()
    """Which rooms there are, or what is known of them."""
    MARKS = auto()
    """What is unread, or their order."""
    TYPING = auto()
    """Who writes something."""
    STATUS = auto()
    """Who is away."""
    SHOWN = auto()
    """Another room is shown, or another part of it: see `Room.shown`."""
