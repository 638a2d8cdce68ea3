"""Rooms, members and invitations as the log's events made them: who may do what, decided the same way everywhere."""

from typing import Protocol

from msgspec import UNSET, Struct, UnsetType

from server.chat.entries import Draft
from server.chat.events import (
    GENERAL,
    ChangeBody,
    DeleteBody,
    EditBody,
    InviteBody,
    Kind,
    MessageBody,
    PinBody,
    ReactBody,
    RoomBody,
    RoomKind,
)
from server.chat.rights import WHEN_ARCHIVED, Act, Role, Sort, may
from server.protocol import limits
from server.protocol.errors import Code
from server.protocol.frames import Before


class RoomRecord(Struct):
    """A room as its events made it."""

    id: int
    handle: str
    title: str
    kind: RoomKind = "public"
    before: Before = "all"
    owner: int = 0
    topic: str = ""
    archived: bool = False

    @property
    def sort(self) -> Sort:
        """Which column of the table of rights is this room's."""
        return GENERAL if self.handle == GENERAL else self.kind


class Said(Struct):
    """A message that was said, as it stands now."""

    room: int
    user: int
    sender: str
    text: str
    thread: int
    mentions: list[int]
    here: bool
    deleted: bool
    pinned: bool


class Facts(Protocol):
    """What the log holds of messages, as of the event that is judged."""

    def said(self, seq: int) -> Said | None:
        """Return a message; None where this is none, or its text was erased."""

    def reacted(self, seq: int) -> dict[str, set[int]]:
        """Return per emoji who reacted to a message."""

    def versions(self, seq: int) -> int:
        """Return how often a message was edited."""


class Directory:
    """The state that judges an event. It is changed by events alone, in the order of their seq: no clock, no settings.

    Every copy that has applied the same events is the same; the log's writer owns one, later every node has one.
    """

    def __init__(self) -> None:
        self.rooms: dict[int, RoomRecord] = {}
        self._by_handle: dict[str, int] = {}
        self._members: dict[int, dict[int, int]] = {}
        """Per room its members, each with the seq since which."""
        self._of_user: dict[int, dict[int, None]] = {}
        self._invited: dict[int, dict[int, int]] = {}
        """Per room who is invited, each with who invited."""

    def add_room(self, room: RoomRecord) -> None:
        """Take in a room, from its event or from the archive."""
        self.rooms[room.id] = room
        self._by_handle[room.handle] = room.id
        self._members[room.id] = {}
        self._invited[room.id] = {}

    def add_member(self, room: int, user: int, since: int) -> None:
        """Take in a membership, from its event or from the archive."""
        self._members[room][user] = since
        self._of_user.setdefault(user, {})[room] = None
        self._invited[room].pop(user, None)

    def add_invitation(self, room: int, user: int, by: int) -> None:
        """Take in an invitation, from its event or from the archive."""
        self._invited[room][user] = by

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

    def role(self, room: RoomRecord, user: int) -> Role:
        """Return how a user stands in a room."""
        if self.is_member(room.id, user):
            return Role.OWNER if room.owner == user and user else Role.MEMBER
        return Role.INVITED if user in self._invited[room.id] else Role.STRANGER

    def may(self, room: RoomRecord, user: int, act: Act) -> Code | None:
        """Say why a user may not do something in a room; None where they may."""
        role = self.role(room, user)
        if not may(role, act, room.sort):
            if role is Role.STRANGER:
                return Code.NOT_A_MEMBER if room.kind == "public" else Code.NO_SUCH_ROOM
            return Code.NOT_A_MEMBER if role is Role.INVITED else Code.NOT_ALLOWED
        return Code.ARCHIVED if room.archived and act not in WHEN_ARCHIVED else None

    def judge(self, draft: Draft, facts: Facts) -> Code | None:
        """Say why an event takes no effect, or None where it does, or where it is `idle`. Nothing else is changed."""
        if draft.kind is Kind.ROOM:
            if draft.about.handle in self._by_handle:
                return Code.ROOM_EXISTS
            return Code.TOO_MANY_ROOMS if any(map(self._is_full, draft.about.members)) else None
        room = self.rooms.get(draft.room)
        if room is None:
            return Code.NO_SUCH_ROOM
        match draft.about:
            case None if draft.kind is Kind.MESSAGE:
                return self.may(room, draft.user, Act.SAY)
            case MessageBody() as body:
                return self.may(room, draft.user, Act.SAY) or self._judge_words(draft, room, body, facts)
            case EditBody() | DeleteBody() | ReactBody() | PinBody():
                return self._judge_target(draft, room, facts)
            case ChangeBody() as body:
                return self._judge_change(draft, room, body)
            case InviteBody() as body:
                return self._judge_invitation(draft, room, body)
        member = self.is_member(room.id, draft.user)
        if draft.kind is Kind.MEMBER:
            draft.idle = member
            refused = self.may(room, draft.user, Act.ENTER)
            return refused or (Code.TOO_MANY_ROOMS if not member and self._is_full(draft.user) else None)
        return self.may(room, draft.user, Act.LEAVE)

    def apply(self, draft: Draft) -> None:
        """Let an event take effect that `judge` had nothing against."""
        match draft.about:
            case RoomBody() as body:
                self.add_room(
                    RoomRecord(draft.seq, body.handle, body.title, body.kind, body.before, draft.user, body.topic)
                )
                for user in body.members:
                    self.add_member(draft.seq, user, draft.seq)
            case ChangeBody() as body:
                change(self.rooms[draft.room], body)
            case InviteBody() as body:
                if body.on:
                    self.add_invitation(draft.room, body.who, draft.user)
                else:
                    self._invited[draft.room].pop(body.who, None)
        if draft.kind is Kind.MEMBER:
            if not self.is_member(draft.room, draft.user):
                self.add_member(draft.room, draft.user, draft.seq)
        elif draft.kind is Kind.UNMEMBER:
            self._members[draft.room].pop(draft.user, None)
            self._of_user.get(draft.user, {}).pop(draft.room, None)
            self._invited[draft.room].pop(draft.user, None)

    # How.

    def _is_full(self, user: int) -> bool:
        """Say whether a user is in as many rooms as fit their welcome, `general` included."""
        return len(self._of_user.get(user, ())) + 1 >= limits.ROOMS

    def _since(self, room: RoomRecord, user: int) -> int:
        """Return the seq after which a member may read."""
        return 0 if room.before == "all" else self._members[room.id].get(user, 0)

    def _judge_words(self, draft: Draft, room: RoomRecord, body: MessageBody | EditBody, facts: Facts) -> Code | None:
        """Say whether what is answered is there to be answered, and complete what the message says of itself."""
        if isinstance(body, MessageBody) and body.reply:
            said = facts.said(body.reply)
            if said is None or said.deleted or said.room != room.id or body.reply <= self._since(room, draft.user):
                return Code.NO_SUCH_MESSAGE
            body.thread = said.thread or body.reply
        body.mentions = [user for user in dict.fromkeys(body.mentions) if self.is_member(room.id, user)]
        body.here = body.here and self.may(room, draft.user, Act.CALL_ALL) is None
        return None

    def _judge_target(self, draft: Draft, room: RoomRecord, facts: Facts) -> Code | None:
        """Judge what is done to a message."""
        body: EditBody | DeleteBody | ReactBody | PinBody = draft.about
        refused = self.may(room, draft.user, Act.READ)
        if refused is not None:
            return refused
        said = facts.said(body.target)
        if said is None or said.room != room.id or body.target <= self._since(room, draft.user):
            return Code.NO_SUCH_MESSAGE
        own = said.user == draft.user
        match body:
            case EditBody():
                act = Act.EDIT
            case DeleteBody():
                act = Act.DELETE if own else Act.DELETE_OTHERS
            case ReactBody():
                act = Act.REACT
            case PinBody():
                act = Act.PIN
        refused = Code.NOT_ALLOWED if isinstance(body, EditBody) and not own else self.may(room, draft.user, act)
        if refused is not None:
            return refused
        if said.deleted:
            draft.idle = isinstance(body, DeleteBody)
            return None if draft.idle else Code.NO_SUCH_MESSAGE
        match body:
            case EditBody():
                self._judge_words(draft, room, body, facts)
                draft.idle = body.text == said.text
                return Code.TOO_MANY if not draft.idle and facts.versions(body.target) >= limits.VERSIONS else None
            case DeleteBody():
                body.author, body.thread = said.sender, said.thread
            case PinBody():
                draft.idle = said.pinned is body.on
            case ReactBody():
                reacted = facts.reacted(body.target)
                draft.idle = (draft.user in reacted.get(body.emoji, ())) is body.on
                fits = sum(map(len, reacted.values())) < limits.REACTIONS
                fits = fits and (body.emoji in reacted or len(reacted) < limits.EMOJI)
                return None if draft.idle or not body.on or fits else Code.TOO_MANY
        return None

    def _judge_change(self, draft: Draft, room: RoomRecord, body: ChangeBody) -> Code | None:
        wanted: tuple[tuple[str | bool | UnsetType, str | bool, Act], ...] = (
            (body.archived, room.archived, Act.ARCHIVE),
            (body.title, room.title, Act.RENAME),
            (body.topic, room.topic, Act.TOPIC),
        )
        refusals = [self.may(room, draft.user, act) for new, _, act in wanted if new is not UNSET]
        draft.idle = all(new is UNSET or new == old for new, old, _ in wanted)
        return next((code for code in refusals if code is not None), None)

    def _judge_invitation(self, draft: Draft, room: RoomRecord, body: InviteBody) -> Code | None:
        by = self._invited[room.id].get(body.who)
        if body.on:
            draft.idle = by is not None or self.is_member(room.id, body.who)
            return self.may(room, draft.user, Act.INVITE)
        draft.idle = by is None
        return self.may(room, draft.user, Act.REVOKE if by in (None, draft.user) else Act.REVOKE_OTHERS)


def change(room: RoomRecord, body: ChangeBody) -> None:
    """Let a CHANGE event take effect on what is known of a room."""
    if body.title is not UNSET:
        room.title = body.title
    if body.topic is not UNSET:
        room.topic = body.topic
    if body.archived is not UNSET:
        room.archived = body.archived
