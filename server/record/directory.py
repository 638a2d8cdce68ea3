"""Who may do what, decided the same way everywhere: one place judges every event and request, by one table."""

from typing import Any

from msgspec import UNSET

from server.protocol import limits
from server.protocol.errors import Code
from server.record.bans import Ban
from server.record.entries import Checking, Draft, Entry, Registering
from server.record.events import (
    SERVER,
    AppointBody,
    BanBody,
    ChangeBody,
    DeleteBody,
    EditBody,
    EraseBody,
    ForgetBody,
    InviteBody,
    KickBody,
    Kind,
    MessageBody,
    PinBody,
    RangeBody,
    ReactBody,
    ReportBody,
    RoomBody,
    SettingsBody,
    SettleBody,
)
from server.record.register import Facts, Register, RoomRecord
from server.record.rights import ROLES, WHEN_ARCHIVED, WHEN_SILENCED, Act, Role, may

Refusal = Code | None

_CHANGES: tuple[tuple[str, Act], ...] = (
    ("archived", Act.ARCHIVE),
    ("title", Act.RENAME),
    ("topic", Act.TOPIC),
    ("read_only", Act.PACE),
    ("slow", Act.PACE),
    ("keep_days", Act.KEEP),
    ("keep_count", Act.KEEP),
)
"""What may be changed of a room, and the right that it takes."""


_ABOUT_MESSAGES = frozenset({Kind.MESSAGE, Kind.EDIT, Kind.DELETE, Kind.REACT, Kind.PIN})
"""Kinds of events by which nobody's rights change."""


class Directory(Register):
    """The state that judges an event.

    Every copy that has applied the same events is the same; the log's writer owns one, later every node has one. What
    is judged has the time at which it came: whether a ban has ended is a matter of that, and not of a clock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.free: set[tuple[int, int]] = set()
        """Rooms, each with a user who has said something there, since when nothing has changed: a plain message of
        theirs need not be judged. A short way to what `judge` finds, for what is judged most: the log's writer looks
        here before it asks. Bans and silences only end by themselves; slow mode and blocks, which may begin to matter
        without an event, don't go this way."""

    def apply(self, draft: Draft) -> None:
        """Let an event take effect that was judged to, and has its seq."""
        super().apply(draft)
        if draft.kind not in _ABOUT_MESSAGES:
            self.free.clear()

    def may(self, room: RoomRecord, user: int, act: Act) -> Refusal:
        """Say why a user may not do something in a room, by the table alone; None where they may."""
        role = self.role(room, user)
        if not may(role, act, room.sort):
            if role is Role.STRANGER:
                return Code.NOT_A_MEMBER if room.kind == "public" else Code.NO_SUCH_ROOM
            return Code.NOT_A_MEMBER if role is Role.INVITED else Code.NOT_ALLOWED
        return Code.ARCHIVED if room.archived and act not in WHEN_ARCHIVED else None

    def judge(self, draft: Draft, facts: Facts) -> Refusal:
        """Say why an event takes no effect, or None where it does, or where it is `idle`.

        Nothing else is changed, but for what the event says of itself: it is completed. MUST have its `time`.
        """
        if (draft.room, draft.user) in self.free and draft.about is None and draft.kind is Kind.MESSAGE:
            return None
        if self.is_erased(draft.user):
            return Code.ERASED
        if draft.user != SERVER and self._keeps_out(draft, self.banned(draft.user, draft.time)):
            return Code.BANNED
        if self.is_erased(getattr(draft.about, "who", SERVER)):
            return Code.NO_SUCH_PERSON
        if draft.kind is Kind.ROOM:
            return self._judge_room(draft, draft.about, facts)
        room = self.rooms.get(draft.room)
        if room is None:
            return Code.NO_SUCH_ROOM
        if draft.kind in (Kind.MEMBER, Kind.UNMEMBER):
            return self._judge_coming(draft, room)
        match draft.about:
            case None if draft.kind is Kind.MESSAGE:
                refused = self._judge_saying(draft, room, facts)
                if refused is None and not room.slow and room.kind != "direct":
                    self.free.add((room.id, draft.user))
                return refused
            case MessageBody() as body:
                return self._judge_saying(draft, room, facts) or self._judge_words(draft, room, body, facts)
            case EditBody() | DeleteBody() | ReactBody() | PinBody():
                return self._judge_target(draft, room, facts)
            case ChangeBody() as body:
                return self._judge_change(draft, room, body)
            case InviteBody() as body:
                return self._judge_invitation(draft, room, body, facts)
            case AppointBody() | KickBody() | BanBody():
                return self._judge_act_on(draft, room, draft.about)
        return self._judge_server(draft, room, facts)

    def check(self, checking: Checking) -> Refusal:
        """Say why someone may not do what is no event. MUST have its `time`."""
        room = self.rooms.get(checking.room)
        if room is None:
            return Code.NO_SUCH_ROOM
        if checking.user != SERVER and self._keeps_out(checking, self.banned(checking.user, checking.time)):
            return Code.BANNED
        return self._allow(checking, room, checking.user, checking.act, checking.time)

    def looks(self, draft: Draft) -> bool:
        """Say whether judging an event looks at what was said before it."""
        return draft.about is not None or bool(draft.room in self.rooms and self.rooms[draft.room].slow)

    # How.

    def _keeps_out(self, entry: Entry, ban: Ban | None) -> bool:
        """Note on an entry how a ban refuses it; False where there is none."""
        if ban is not None:
            ban.refuse(entry)
        return ban is not None

    def _allow(self, entry: Entry, room: RoomRecord, user: int, act: Act, time: int) -> Refusal:
        """Say why a user may not do something in a room: by the table, or because they may only read there."""
        refused = self.may(room, user, act)
        if refused is None and user != SERVER and act not in WHEN_SILENCED:
            silence = self.silenced(user, time, room.id)
            if self._keeps_out(entry, silence):
                return Code.SILENCED
        return refused

    def _draft(self, draft: Draft, room: RoomRecord, act: Act) -> Refusal:
        return self._allow(draft, room, draft.user, act, draft.time)

    def _is_full(self, user: int) -> bool:
        """Say whether a user is in as many rooms as fit their welcome, `general` included."""
        return len(self._of_user.get(user, ())) + 1 >= limits.ROOMS

    def _judge_room(self, draft: Draft, body: RoomBody, facts: Facts) -> Refusal:
        """Judge the making of a room. The server makes `general`, and is in no room itself."""
        if draft.user != SERVER:
            act = Act.MAKE_DIRECT if body.kind == "direct" else Act.MAKE
            refused = self._draft(draft, self.general, act)
            if refused is not None:
                return refused
        others = [user for user in body.members if user != draft.user]
        if SERVER in body.members:
            return Code.NOT_ALLOWED
        if any(map(self.is_erased, body.members)):
            return Code.NO_SUCH_PERSON
        if body.kind == "direct" and len(others) == 1 and facts.blocked(others[0], draft.user):
            return Code.NOT_ALLOWED
        if body.handle in self._by_handle:
            return Code.ROOM_EXISTS
        return Code.TOO_MANY_ROOMS if any(map(self._is_full, body.members)) else None

    def _judge_coming(self, draft: Draft, room: RoomRecord) -> Refusal:
        """Judge entering and leaving."""
        if draft.user == SERVER:
            return Code.NOT_ALLOWED
        if draft.kind is Kind.UNMEMBER:
            return self._draft(draft, room, Act.LEAVE)
        member = self.is_member(room.id, draft.user)
        refused = self._draft(draft, room, Act.ENTER)
        if refused is None and self._keeps_out(draft, self.banned(draft.user, draft.time, room.id)):
            return Code.KEPT_OUT
        draft.idle = member
        return refused or (Code.TOO_MANY_ROOMS if not member and self._is_full(draft.user) else None)

    def _judge_saying(self, draft: Draft, room: RoomRecord, facts: Facts) -> Refusal:
        """Judge that something is said, whatever it is."""
        refused = self._draft(draft, room, Act.SAY)
        if refused is not None:
            return refused
        if (room.read_only or room.slow) and self.may(room, draft.user, Act.SAY_ALWAYS) is not None:
            if room.read_only:
                return Code.READ_ONLY
            last = facts.last_said(room.id, draft.user, draft.time - room.slow * 1000)
            wait = last + room.slow * 1000 - draft.time if last else 0
            if wait > 0:
                draft.wait_ms = wait
                return Code.SLOW_MODE
        return Code.NOT_ALLOWED if self._is_blocked(room, draft.user, facts) else None

    def _is_blocked(self, room: RoomRecord, user: int, facts: Facts) -> bool:
        """Say whether the only other one in a direct room has hidden a user from themselves."""
        others = self.others(room.id, user) if room.kind == "direct" else []
        return len(others) == 1 and facts.blocked(others[0], user)

    def _judge_words(self, draft: Draft, room: RoomRecord, body: MessageBody | EditBody, facts: Facts) -> Refusal:
        """Say whether what is answered is there to be answered, and complete what the message says of itself."""
        if isinstance(body, MessageBody) and body.reply:
            said = facts.said(body.reply)
            if said is None or said.deleted or said.room != room.id or body.reply <= self.since(room, draft.user):
                return Code.NO_SUCH_MESSAGE
            body.thread = said.thread or body.reply
        body.mentions = [user for user in dict.fromkeys(body.mentions) if self.is_member(room.id, user)]
        body.here = body.here and self.may(room, draft.user, Act.CALL_ALL) is None
        return None

    def _judge_target(self, draft: Draft, room: RoomRecord, facts: Facts) -> Refusal:
        """Judge what is done to a message."""
        body: EditBody | DeleteBody | ReactBody | PinBody = draft.about
        refused = self.may(room, draft.user, Act.READ)
        if refused is not None:
            return refused
        said = facts.said(body.target)
        if said is None or said.room != room.id or body.target <= self.since(room, draft.user):
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
        refused = Code.NOT_ALLOWED if isinstance(body, EditBody) and not own else self._draft(draft, room, act)
        if refused is not None:
            return refused
        if said.deleted:
            draft.idle = isinstance(body, DeleteBody)
            return None if draft.idle else Code.NO_SUCH_MESSAGE
        match body:
            case EditBody():
                if room.read_only and self.may(room, draft.user, Act.SAY_ALWAYS) is not None:
                    return Code.READ_ONLY
                if self._is_blocked(room, draft.user, facts):
                    return Code.NOT_ALLOWED
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

    def _judge_change(self, draft: Draft, room: RoomRecord, body: ChangeBody) -> Refusal:
        wanted = [(name, act) for name, act in _CHANGES if getattr(body, name) is not UNSET]
        draft.idle = all(getattr(body, name) == getattr(room, name) for name, _ in wanted)
        if not wanted:
            return self._draft(draft, room, Act.READ)
        refusals = (self._draft(draft, room, act) for _, act in wanted)
        return next((code for code in refusals if code is not None), None)

    def _judge_invitation(self, draft: Draft, room: RoomRecord, body: InviteBody, facts: Facts) -> Refusal:
        by = self._invited[room.id].get(body.who)
        if not body.on:
            draft.idle = by is None
            return self._draft(draft, room, Act.REVOKE if by in (None, draft.user) else Act.REVOKE_OTHERS)
        draft.idle = by is not None or self.is_member(room.id, body.who)
        refused = self._draft(draft, room, Act.INVITE)
        if refused is None and not draft.idle:
            unwanted = self.banned(body.who, draft.time, room.id) or facts.blocked(body.who, draft.user)
            return Code.NOT_ALLOWED if unwanted else None
        return refused

    def _judge_act_on(self, draft: Draft, room: RoomRecord, body: AppointBody | KickBody | BanBody) -> Refusal:
        """Judge what is done to somebody: only to those of a lower role, there and on the server."""
        match body:
            case AppointBody():
                act = Act.APPOINT
            case KickBody():
                act = Act.KICK
            case BanBody():
                act = Act.SILENCE if draft.kind is Kind.SILENCE else Act.BAN
        refused = self._draft(draft, room, act)
        if refused is not None:
            return refused
        if isinstance(body, AppointBody):
            return self._judge_appointing(draft, room, body)
        if not self._outranks(draft.user, room, body.who):
            return Code.NOT_ALLOWED
        if isinstance(body, KickBody):
            return None if self.is_member(room.id, body.who) else Code.NO_SUCH_PERSON
        known = (self._silences if draft.kind is Kind.SILENCE else self._bans)[room.id]
        draft.idle = not body.on and body.who not in known
        return None

    def _judge_appointing(self, draft: Draft, room: RoomRecord, body: AppointBody) -> Refusal:
        wanted, own = ROLES[body.role], self.rank(room, draft.user)
        without = Role.MEMBER if self.has_account(body.who) else Role.GUEST
        if wanted <= Role.MEMBER:
            wanted = without
            body.role = "member" if without is Role.MEMBER else "guest"
        if body.who == draft.user:  # stepping down
            if wanted >= own:
                return Code.NOT_ALLOWED
        elif not self._outranks(draft.user, room, body.who) or (wanted >= own and own is not Role.OWNER):
            return Code.NOT_ALLOWED
        if room is self.general and not self.has_account(body.who):
            return Code.NO_ACCOUNT
        if not self.is_member(room.id, body.who):
            return Code.NO_SUCH_PERSON
        draft.idle = self._roles[room.id].get(body.who, without) is wanted
        return None

    def _outranks(self, user: int, room: RoomRecord, other: int) -> bool:
        """Say whether a user stands above another, in a room and on the server. Nobody does above the server itself."""
        if SERVER in (user, other):
            return other != SERVER
        return self.rank(room, user) > self.rank(room, other)

    def _judge_server(self, draft: Draft, room: RoomRecord, facts: Facts) -> Refusal:
        """Judge what is done on the server as a whole."""
        body: Any = draft.about
        match body:
            case ForgetBody():
                draft.idle = body.upto <= room.forgotten
                return None if draft.user == SERVER else Code.NOT_ALLOWED
            case EraseBody():
                if body.who == draft.user != SERVER:
                    return None
                refused = self._draft(draft, room, Act.ERASE_OTHERS)
                return refused or (None if self._outranks(draft.user, room, body.who) else Code.NOT_ALLOWED)
            case RangeBody():
                draft.idle = not body.on and body.range not in self._ranges
                refused = self._draft(draft, room, Act.BAN_RANGE)
                full = body.on and body.range not in self._ranges and self.ranges(draft.time) >= limits.RANGES
                return refused or (Code.TOO_MANY if full else None)
            case ReportBody():
                return self._judge_report(draft, body, facts)
            case SettleBody():
                refused = self._draft(draft, room, Act.SEE_REPORTS)
                return refused or (None if facts.unsettled(body.report) else Code.NO_SUCH_MESSAGE)
            case SettingsBody():
                given = [name for name in ("guests", "sign_up") if getattr(body, name) is not UNSET]
                draft.idle = all(getattr(body, name) == getattr(self.settings, name) for name in given)
                return self._draft(draft, room, Act.SET)
        return self._judge_account(draft)

    def _judge_report(self, draft: Draft, body: ReportBody, facts: Facts) -> Refusal:
        """Judge a report: of what they may read, once."""
        said = facts.said(body.target)
        room = self.rooms.get(said.room) if said is not None else None
        if said is None or room is None or self.may(room, draft.user, Act.READ) is not None:
            return Code.NO_SUCH_MESSAGE
        if said.deleted or body.target <= self.since(room, draft.user):
            return Code.NO_SUCH_MESSAGE
        draft.idle = facts.reported(body.target, draft.user)
        return self._draft(draft, room, Act.REPORT)

    def _judge_account(self, draft: Draft) -> Refusal:
        """Judge an account's first name, or its next. Who may sign up, the log sees: it takes a ticket, perhaps."""
        name, user = draft.about.name, draft.user
        if user == SERVER:
            return Code.NOT_ALLOWED
        if self.holders(name) - {user}:
            return Code.NAME_TAKEN
        names = self._accounts.get(user)
        if names is None:
            return None if isinstance(draft, Registering) else Code.NO_ACCOUNT
        draft.idle = names[-1] == name
        return Code.TOO_MANY if name not in names and len(names) >= limits.NAMES else None
