"""What is known of a room: what it is, which rules it has, and how I stand in it."""

from typing import TYPE_CHECKING, Literal

from msgspec import UNSET

from chat_tui.state import deeds

if TYPE_CHECKING:
    from server.protocol import frames  # only named here: not loaded before the first paint
    from server.protocol.frames import RoleName


class About:
    """What the server says of a room, but for who is in it, and what was said.

    Args:
        handle: its name on the wire.
    """

    def __init__(self, handle: str) -> None:
        self.handle = handle
        self.title = handle
        self.topic = ""
        # A direct room shows it by its handle, before anything else is known of it.
        self.kind: Literal["public", "private", "direct"] = "direct" if handle.startswith("@") else "public"
        self.owner = 0
        self.archived = False
        self.read_only = False
        """Only moderators say something."""
        self.slow = 0
        """Seconds between two messages of one person; 0 for none."""
        self.keep_days = 0
        """After so many days messages are erased; 0: the server's rule."""
        self.keep_count = 0
        """Only so many of the latest messages are kept; 0: the server's rule."""
        self.role: RoleName = "guest"
        """My own there; in `general`: on the server."""
        self.silenced = ""
        """I may only read there until then, RFC 3339; `forever` where it is for good; empty for no."""
        self.next_at = 0.0
        """In slow mode: when I may say the next thing, as `Chat.clock` has it."""
        self._told = 0
        """As of which seq it is known."""

    def is_news(self, seq: int) -> bool:
        """Say whether what the server has told of this room is from before an event."""
        return seq > self._told

    def changed(self, frame: "frames.Changed", me: int | None = None) -> list[str]:
        """Take in what is known of it now; return what that is, in words."""
        if not self.is_news(frame.seq):
            return []
        words = []
        if frame.title is not UNSET:
            self.title = frame.title or self.handle
            words.append(f"{frame.sender} renamed the room: {self.title}")
        if frame.topic is not UNSET:
            self.topic = frame.topic
            words.append(f"{frame.sender} {f'set the topic: {self.topic}' if self.topic else 'took the topic away'}")
        if frame.archived is not UNSET:
            self.archived = frame.archived
            words.append(f"{frame.sender} {'archived the room' if self.archived else 'opened the room again'}")
        for rule in ("read_only", "slow", "keep_days", "keep_count"):
            if getattr(frame, rule) is not UNSET:
                setattr(self, rule, getattr(frame, rule))
        return words + deeds.changed(frame, me)

    def _take_in(self, info: "frames.RoomInfo", as_of: int) -> None:
        """Take in what the server says of it, true as of a seq."""
        self.title, self.kind, self.owner = info.title or self.handle, info.kind, info.owner
        self.topic, self.archived = info.topic, info.archived
        self.read_only, self.slow = info.read_only, info.slow
        self.keep_days, self.keep_count = info.keep_days, info.keep_count
        if info.member:  # else nothing is told of it
            self.role, self.silenced = info.role, info.silenced
        self._told = max(self._told, as_of)
