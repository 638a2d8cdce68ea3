"""Bans and silences: until when, why, and how that is said."""

from datetime import datetime

from msgspec import Struct

from server.record.entries import Entry
from server.record.events import FOREVER, time_text


class Ban(Struct, frozen=True):
    """Someone is kept out, or may only read."""

    until: int
    """Milliseconds since 1970; FOREVER where it is for good."""
    reason: str = ""

    @property
    def words(self) -> str:
        """Until when and why, for people: one or two sentences."""
        end = self.end[:16].replace("T", " ")
        when = f"It lasts until {end} UTC." if end else "It is for good."
        return f"{when} {because(self.reason)}".strip()

    @property
    def end(self) -> str:
        """When it ends, RFC 3339; empty where it is for good."""
        return "" if self.until == FOREVER else time_text(self.until).decode()

    def refuse(self, entry: Entry) -> None:
        """Note on an entry that this is why it is refused."""
        entry.why, entry.ends = self.words, self.end


def because(reason: str) -> str:
    """Return a reason as a sentence; nothing where none was given."""
    if not reason:
        return ""
    return f"Reason: {reason}" if reason.endswith((".", "!", "?", "…")) else f"Reason: {reason}."


def moment(until: str) -> int:
    """Return the end that a body names, in milliseconds since 1970; FOREVER where it names none."""
    return round(datetime.fromisoformat(until).timestamp() * 1000) if until else FOREVER


def lasting(ban: Ban | None, time: int) -> Ban | None:
    """Return a ban while it lasts; None after that, and where there is none."""
    return ban if ban is not None and ban.until > time else None
