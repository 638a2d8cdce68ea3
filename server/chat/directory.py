"""Rooms and memberships as the log's events made them: who may do what, decided the same way everywhere."""

from msgspec import Struct

from server.chat.events import GENERAL, Draft, Kind, decode_room
from server.protocol.errors import Code


class RoomRecord(Struct):
    """A room as its events made it."""

    id: int
    handle: str
    title: str


class Directory:
    """The state that judges an event. It is changed by events alone, in the order of their seq: no clock, no settings.

    Every copy that has applied the same events is the same; the log's writer owns one, later every node has one.
    """

    def __init__(self) -> None:
        self.rooms: dict[int, RoomRecord] = {}
        self._by_handle: dict[str, int] = {}
        self._members: dict[int, set[int]] = {}
        self._of_user: dict[int, dict[int, None]] = {}

    def add_room(self, room: RoomRecord) -> None:
        """Take in a room, from its event or from the archive."""
        self.rooms[room.id] = room
        self._by_handle[room.handle] = room.id
        self._members[room.id] = set()

    def add_member(self, room: int, user: int) -> None:
        """Take in a membership, from its event or from the archive."""
        self._members[room].add(user)
        self._of_user.setdefault(user, {})[room] = None

    def room_id(self, handle: str) -> int | None:
        """Return the room that has this handle."""
        return self._by_handle.get(handle)

    def rooms_of(self, user: int) -> list[int]:
        """Return the rooms a user is a member of, `general` first."""
        return [self._by_handle[GENERAL], *self._of_user.get(user, ())]

    def is_member(self, room: int, user: int) -> bool:
        """Say whether a user is a member of a room; everyone is one of `general`."""
        members = self._members.get(room)
        return members is not None and (user in members or self.rooms[room].handle == GENERAL)

    def judge(self, draft: Draft) -> Code | None:
        """Say why an event takes no effect, or None where it does. Nothing is changed."""
        if draft.kind is Kind.MESSAGE:
            return None if self.is_member(draft.room, draft.user) else Code.NOT_A_MEMBER
        if draft.kind is Kind.ROOM:
            return Code.BAD_ROOM if decode_room(draft.body).handle in self._by_handle else None
        if draft.room not in self.rooms:
            return Code.NO_SUCH_ROOM
        return None

    def apply(self, draft: Draft) -> None:
        """Let an event take effect that `judge` had nothing against."""
        if draft.kind is Kind.ROOM:
            body = decode_room(draft.body)
            self.add_room(RoomRecord(draft.seq, body.handle, body.title))
        elif draft.kind is Kind.MEMBER:
            if not self.is_member(draft.room, draft.user):
                self.add_member(draft.room, draft.user)
        elif draft.kind is Kind.UNMEMBER:
            self._members[draft.room].discard(draft.user)
            self._of_user.get(draft.user, {}).pop(draft.room, None)
