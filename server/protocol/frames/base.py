"""What all frames share: their base, and the types of their fields."""

from typing import Annotated, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from server.protocol import limits

type_field = "type"

Seq = Annotated[int, Meta(ge=0, le=limits.SAFE_INTEGER)]
"""A position in the log: it only grows, over all rooms; gaps are allowed."""

MessageId = Annotated[int, Meta(ge=1, le=limits.SAFE_INTEGER)]
"""A client's number for a message, growing within its session."""

Name = Annotated[str, Meta(max_length=limits.NAME_CHARS * 4)]
RoomName = Annotated[str, Meta(max_length=limits.ROOM_CHARS * 4)]
"""A name as it comes: up to four characters become one in the normal form. That of a whole line of accents would take
a second to make."""

Ref = Annotated[str, Meta(max_length=limits.REF_CHARS)]
Reason = Annotated[str, Meta(max_length=limits.REASON_CHARS)]
Topic = Annotated[str, Meta(max_length=limits.TOPIC_CHARS * 4)]
Emoji = Annotated[str, Meta(pattern=r"^[a-z0-9_+-]{1,32}\Z")]
"""A reaction by its short name: `thumbsup`. What picture stands for it is the reader's terminal's business."""

Time = Annotated[str, Meta(max_length=40)]
"""RFC 3339."""

Before = Literal["all", "joined"]
"""What members may read of the time before they came in: all of it, or nothing."""

Level = Literal["all", "mentions", "none"]
"""What of a room someone wants to be told of."""

RoleName = Literal["guest", "member", "moderator", "admin", "owner"]
"""How someone stands in a room; in `general`: on the server. Each may do what those before may."""

Minutes = Annotated[int, Meta(ge=0, le=limits.MINUTES)]
"""For how long; 0: until it is taken back."""

Secret = Annotated[str, Meta(max_length=limits.SECRET_CHARS)]
"""A password or code. It travels over TLS alone; see `Code.TLS_REQUIRED`."""

SignUp = Literal["open", "invite", "closed"]
"""Who may get an account: everyone, who has a ticket, nobody."""


def without_secrets(struct: Struct, secret: frozenset[str]) -> str:
    """Return how a struct is shown to people, without these fields' values: it may get into a log."""
    fields = ((name, getattr(struct, name)) for name in struct.__struct_fields__)
    shown = (f"{name}={'…' if name in secret and value else repr(value)}" for name, value in fields)
    return f"{type(struct).__name__}({', '.join(shown)})"


class Frame(Struct, tag_field=type_field, tag=str.lower, omit_defaults=True):
    """One line."""

    secret: ClassVar[frozenset[str]] = frozenset({"password", "token", "ticket", "session"})
    """Fields that are shown to nobody, in no log."""

    def __repr__(self) -> str:
        return without_secrets(self, self.secret)


class Request(Frame, kw_only=True):
    """A frame that may carry a `ref`; its answer carries it back."""

    ref: Ref | UnsetType = UNSET


class Pong(Frame, kw_only=True):
    """The answer to a ping."""


class Ping(Frame, kw_only=True):
    """Are you there? From the server, `seq` says: you have been sent all up to here."""

    seq: Seq | UnsetType = UNSET
