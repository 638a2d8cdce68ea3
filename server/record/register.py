"""What is so, as the log's events made it: rooms, who is in them, accounts, roles, bans, settings."""

from typing import Final, Protocol

from msgspec import UNSET, Struct

from server.protocol.frames import Before, SignUp
from server.protocol.text import name_keys
from server.record.addresses import ranges_of
from server.record.bans import Ban, lasting, moment
from server.record.entries import Draft
from server.record.events import (
    GENERAL,
    SERVER,
    AccountBody,
    AppointBody,
    BanBody,
    ChangeBody,
    EraseBody,
    ForgetBody,
    InviteBody,
    KickBody,
    Kind,
    RangeBody,
    RoomBody,
    RoomKind,
    SettingsBody,
)
from server.record.rights import ROLES, Role, Sort

CHANGEABLE: Final = ("title", "topic", "archived", "read_only", "slow", "keep_days", "keep_count")
"""What a CHANGE event may change of a room: the same names in both."""


class RoomRecord(Struct):
    """A room as its events made it."""

    id: int
    handle: str
    title: str
    kind: RoomKind = "public"
    before: Before = "all"
    owner: int = 0
    """Who made it. What they may do in it stands in its roles."""
    topic: str = ""
    archived: bool = False
    read_only: bool = False
    slow: int = 0
    """Seconds between two messages of one person; 0 for none."""
    keep_days: int = 0
    keep_count: int = 0
    forgotten: int = 0
    """Messages up to this seq are gone."""

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
    """What the log holds of messages, as of the event that is judged, and what people want of each other."""

    def said(self, seq: int) -> Said | None:
        """Return a message; None where this is none, or its text was erased."""

    def reacted(self, seq: int) -> dict[str, set[int]]:
        """Return per emoji who reacted to a message."""

    def versions(self, seq: int) -> int:
        """Return how often a message was edited."""

    def last_said(self, room: int, user: int, since: int) -> int:
        """Return when someone said something in a room last, in milliseconds since 1970; 0 where not since then."""

    def reported(self, target: int, user: int) -> bool:
        """Say whether someone has reported a message, and that is not settled."""

    def unsettled(self, report: int) -> bool:
        """Say whether this is a report that is not settled."""

    def blocked(self, user: int, who: int) -> bool:
        """Say whether a user has hidden another from themselves."""


class Settings(Struct):
    """How the server takes people."""

    guests: bool = True
    sign_up: SignUp = "open"


class Register:
    """What the events have made. It is changed by them alone, in the order of their seq: no clock, no settings."""

    def __init__(self) -> None:
        self.rooms: dict[int, RoomRecord] = {}
        self.settings = Settings()
        self._general = 0
        """The number of `general`, once there is one."""
        self._by_handle: dict[str, int] = {}
        self._members: dict[int, dict[int, int]] = {}
        """Per room its members, each with the seq since which."""
        self._of_user: dict[int, tuple[int, ...]] = {}
        """Per user their rooms: a tuple each, since most are in few."""
        self._invited: dict[int, dict[int, int]] = {}
        """Per room who is invited, each with who invited."""
        self._accounts: dict[int, list[str]] = {}
        """Per user all names that their account had, the present one last."""
        self._holders: dict[str, int] = {}
        """Whose account has a name that looks like this: by `name_keys`."""
        self._roles: dict[int, dict[int, Role]] = {}
        """Per room who was appointed to what; its owner was by making it."""
        self._bans: dict[int, dict[int, Ban]] = {}
        self._silences: dict[int, dict[int, Ban]] = {}
        self._ranges: dict[str, Ban] = {}
        self._erased: set[int] = set()

    # Taken in from events, or from the archive.

    def add_room(self, room: RoomRecord) -> None:
        """Take in a room."""
        self.rooms[room.id] = room
        self._by_handle[room.handle] = room.id
        if room.handle == GENERAL:
            self._general = room.id
        for table in (self._members, self._invited, self._roles, self._bans, self._silences):
            table[room.id] = {}

    def add_member(self, room: int, user: int, since: int) -> None:
        """Take in a membership."""
        if user not in self._members[room]:
            self._of_user[user] = (*self._of_user.get(user, ()), room)
        self._members[room][user] = since
        self._invited[room].pop(user, None)

    def add_invitation(self, room: int, user: int, by: int) -> None:
        """Take in an invitation."""
        self._invited[room][user] = by

    def add_account(self, user: int, name: str) -> None:
        """Take in that an account has this name from now on."""
        names = self._accounts.setdefault(user, [])
        if name in names:
            names.remove(name)
        names.append(name)
        for key in name_keys(name):
            self._holders[key] = user

    def add_role(self, room: int, user: int, role: Role) -> None:
        """Take in what someone was appointed to."""
        self._roles[room][user] = role

    def add_ban(self, room: int, user: int, ban: Ban, *, silence: bool) -> None:
        """Take in that someone is kept out, or may only read."""
        (self._silences if silence else self._bans)[room][user] = ban

    def add_range(self, network: str, ban: Ban) -> None:
        """Take in that an address range is kept out."""
        self._ranges[network] = ban

    def add_erased(self, user: int) -> None:
        """Take in that a user is gone for good."""
        self._erased.add(user)

    # What is so.

    @property
    def general(self) -> RoomRecord:
        """The room that stands for the server."""
        return self.rooms[self._general]

    def room_id(self, handle: str) -> int | None:
        """Return the room that has this handle."""
        return self._by_handle.get(handle)

    def rooms_of(self, user: int) -> list[int]:
        """Return the rooms a user is a member of, `general` first."""
        return [self._general, *self._of_user.get(user, ())]

    def is_invited(self, room: int, user: int) -> bool:
        """Say whether a user is invited to a room."""
        return user in self._invited[room]

    def is_member(self, room: int, user: int) -> bool:
        """Say whether a user is a member of a room; everyone is one of `general`."""
        members = self._members.get(room)
        return members is not None and (user in members or self.rooms[room].handle == GENERAL)

    def others(self, room: int, user: int) -> list[int]:
        """Return the other members of a room."""
        return [member for member in self._members[room] if member != user]

    def since(self, room: RoomRecord, user: int) -> int:
        """Return the seq after which a member may read."""
        entered = 0 if room.before == "all" else self._members[room.id].get(user, 0)
        return max(entered, room.forgotten)

    def is_erased(self, user: int) -> bool:
        """Say whether a user is gone for good."""
        return user in self._erased

    def has_account(self, user: int) -> bool:
        """Say whether a user has an account."""
        return user in self._accounts

    def account_name(self, user: int) -> str:
        """Return the name of a user's account; empty where they have none."""
        return self._accounts[user][-1] if user in self._accounts else ""

    def holders(self, name: str) -> set[int]:
        """Return whose accounts have, or had, this name or one that looks like it.

        Several may: a capital I looks like an l and is an i, while `lan` and `ian` look like nothing but themselves.
        """
        return {self._holders[key] for key in name_keys(name) if key in self._holders}

    def appointed(self) -> dict[int, dict[int, Role]]:
        """Return per room who was appointed to what. A copy."""
        return {room: dict(roles) for room, roles in self._roles.items()}

    def owners(self) -> list[int]:
        """Return who owns the server."""
        return [user for user, role in self._roles[self.general.id].items() if role is Role.OWNER]

    def server_role(self, user: int) -> Role:
        """Return how a user stands on the server."""
        return self.rank(self.general, user)

    def rank(self, room: RoomRecord, user: int) -> Role:
        """Return how a user stands in a room, or would if they were in it: what counts between two people."""
        if user == SERVER:
            return Role.OWNER
        role = self._roles[room.id].get(user, Role.MEMBER if user in self._accounts else Role.GUEST)
        on_server = self._roles[self._general].get(user, Role.GUEST)
        return max(role, on_server) if room.kind != "direct" else role

    def role(self, room: RoomRecord, user: int) -> Role:
        """Return how a user stands in a room."""
        if user == SERVER or self.is_member(room.id, user):
            return self.rank(room, user)
        return Role.INVITED if user in self._invited[room.id] else Role.STRANGER

    def banned(self, user: int, time: int, room: int = 0) -> Ban | None:
        """Return how a user is kept out of a room, without one of the server; None where they are not.

        Args:
            user: who.
            time: as of when, in milliseconds since 1970.
            room: its id.
        """
        return lasting(self._bans[room or self._general].get(user), time)

    def silenced(self, user: int, time: int, room: int) -> Ban | None:
        """Return how a user may only read in a room, there or on the whole server; None where they may speak."""
        there, on_server = self._silences[room].get(user), self._silences[self._general].get(user)
        if there is None and on_server is None:  # nearly always
            return None
        found = (lasting(there, time), lasting(on_server, time))
        return max((ban for ban in found if ban is not None), key=lambda ban: ban.until, default=None)

    def ranges(self, time: int) -> int:
        """Return how many address ranges are kept out."""
        return sum(lasting(ban, time) is not None for ban in self._ranges.values())

    def kept_out(self, address: str, time: int) -> Ban | None:
        """Return how an address is kept out, by a range that it lies in; None where it is not."""
        if not self._ranges:  # nearly always
            return None
        bans = (lasting(self._ranges[network], time) for network in ranges_of(address, self._ranges))
        return next((ban for ban in bans if ban is not None), None)

    # What an event does.

    def apply(self, draft: Draft) -> None:
        """Let an event take effect that was judged to, and has its seq."""
        match draft.about:
            case None:
                pass
            case RoomBody() as body:
                self._apply_room(draft, body)
            case ChangeBody() as body:
                change(self.rooms[draft.room], body)
            case InviteBody() as body:
                if body.on:
                    self.add_invitation(draft.room, body.who, draft.user)
                else:
                    self._invited[draft.room].pop(body.who, None)
            case AppointBody() as body:
                role = ROLES[body.role]
                if role > Role.MEMBER:
                    self.add_role(draft.room, body.who, role)
                else:
                    self._roles[draft.room].pop(body.who, None)
            case BanBody() as body:
                silence = draft.kind is Kind.SILENCE
                if not body.on:
                    (self._silences if silence else self._bans)[draft.room].pop(body.who, None)
                else:
                    self.add_ban(draft.room, body.who, Ban(moment(body.until), body.reason), silence=silence)
                    if not silence:
                        self._put_out(draft.room, body.who)
            case KickBody() as body:
                self._put_out(draft.room, body.who)
            case RangeBody() as body:
                if body.on:
                    self._ranges = {known: ban for known, ban in self._ranges.items() if lasting(ban, draft.time)}
                    self.add_range(body.range, Ban(moment(body.until), body.reason))
                else:
                    self._ranges.pop(body.range, None)
            case AccountBody() as body:
                self.add_account(draft.user, body.name)
            case SettingsBody() as body:
                set_up(self.settings, body)
            case ForgetBody() as body:
                self.rooms[draft.room].forgotten = body.upto
            case EraseBody() as body:
                self._erase(body.who)
        if draft.kind is Kind.MEMBER:
            if not self.is_member(draft.room, draft.user):
                self.add_member(draft.room, draft.user, draft.seq)
        elif draft.kind is Kind.UNMEMBER:
            self._put_out(draft.room, draft.user)

    def _apply_room(self, draft: Draft, body: RoomBody) -> None:
        self.add_room(RoomRecord(draft.seq, body.handle, body.title, body.kind, body.before, draft.user, body.topic))
        for user in body.members:
            self.add_member(draft.seq, user, draft.seq)
        if draft.user != SERVER and body.kind != "direct":
            self.add_role(draft.seq, draft.user, Role.OWNER)

    def _put_out(self, room: int, user: int) -> None:
        """End a membership or an invitation. A role stays: it counts again once they are back."""
        if self._members[room].pop(user, None) is not None:
            self._of_user[user] = tuple(other for other in self._of_user[user] if other != room)
        self._invited[room].pop(user, None)

    def _erase(self, user: int) -> None:
        """Let nothing of a user be known any more."""
        for number, room in self.rooms.items():
            self._put_out(number, user)
            for table in (self._roles, self._bans, self._silences):
                table[number].pop(user, None)
            if room.owner == user:
                room.owner = 0
        self._of_user.pop(user, None)
        for name in self._accounts.pop(user, ()):
            for key in name_keys(name):
                self._holders.pop(key, None)
        self.add_erased(user)


def change(room: RoomRecord, body: ChangeBody) -> None:
    """Let a CHANGE event take effect on what is known of a room."""
    for name in CHANGEABLE:
        if (value := getattr(body, name)) is not UNSET:
            setattr(room, name, value)


def set_up(settings: Settings, body: SettingsBody) -> None:
    """Let a SETTINGS event take effect on what is known of the server."""
    if body.guests is not UNSET:
        settings.guests = body.guests
    if body.sign_up is not UNSET:
        settings.sign_up = body.sign_up
