"""Every operation by everyone in every kind of room, as the log judges it: done where the table of rights says so.

What is expected is worked out here, from the table and from what docs/protocol.md says of it; never by what judges.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

import pytest

from server.protocol.errors import Code
from server.protocol.frames import RoleName
from server.record.bans import Ban
from server.record.directory import Directory
from server.record.entries import Checking, Draft, Registering
from server.record.events import (
    FOREVER,
    SERVER,
    AccountBody,
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
from server.record.register import RoomRecord, Said
from server.record.rights import LEAST, ON_PEOPLE, ROLES, WHEN_ARCHIVED, WHEN_SILENCED, Act, Role, Sort

NOW: Final = 1_000_000
GENERAL, ROOM, ELSEWHERE = 1, 2, 3
"""`general`; the room that is looked at, where it is another one; a public room that nobody is in."""

STANDINGS: Final = [*Role]
"""How somebody may stand in the room."""

ON_SERVER: Final = [Role.GUEST, Role.MEMBER, Role.MODERATOR, Role.ADMIN, Role.OWNER]
"""And on the server: a guest has no account."""

CONDITIONS: Final = ["fine", "banned", "banned before", "silenced", "silenced there", "silenced before"]


@dataclass(frozen=True)
class Actor:
    """Somebody who tries."""

    user: int
    standing: Role
    server: Role
    condition: str

    def role(self, place: "Place", *, inside: bool = False) -> Role:
        """Return how they stand in a room, as it is documented; `inside`: were they in it."""
        if place.sort == "general":
            return self.server
        if self.standing <= Role.INVITED and not inside:
            return self.standing
        appointed = self.standing if self.standing >= Role.MODERATOR and place.sort != "direct" else Role.STRANGER
        served = self.server if self.server <= Role.MEMBER or place.sort != "direct" else Role.MEMBER
        return max(appointed, served)

    def gagged(self, place: "Place") -> bool:
        """Say whether they may only read there."""
        return self.condition == "silenced" or (self.condition == "silenced there" and place.sort != "general")


@dataclass(frozen=True)
class Place:
    """A kind of room."""

    sort: Sort
    archived: bool = False
    read_only: bool = False

    @property
    def room(self) -> int:
        """Its number."""
        return GENERAL if self.sort == "general" else ROOM

    def __str__(self) -> str:
        return self.sort + " archived" * self.archived + " read-only" * self.read_only


PLACES: Final = [
    Place("general"),
    Place("general", read_only=True),
    *[
        Place(sort, archived, only)
        for sort in ("public", "private")
        for archived in (False, True)
        for only in (False, True)
    ],
    Place("direct"),
]
HOST: Final = Actor(SERVER, Role.OWNER, Role.OWNER, "fine")
ACTORS: Final = [
    HOST,
    *[
        Actor(number, *kind)
        for number, kind in enumerate(product(STANDINGS, ON_SERVER, CONDITIONS), 10)
        if kind[0] is not Role.MEMBER  # in a room one is appointed, or not: GUEST stands for that
    ],
]
TARGETS: Final = [actor for actor in ACTORS if actor.condition == "fine" and actor.user]


class Facts:
    """Everyone has said something in the room, by the number of their user; and nothing else is known."""

    def __init__(self, room: int) -> None:
        self.room = room

    def said(self, seq: int) -> Said:
        """Return what a user has said."""
        return Said(self.room, seq - NOW, "x", "x", 0, [], here=False, deleted=False, pinned=False)

    def reacted(self, _seq: int) -> dict[str, set[int]]:
        """Nobody has."""
        return {}

    def versions(self, _seq: int) -> int:
        """None."""
        return 0

    def last_said(self, _room: int, _user: int, _since: int) -> int:
        """Nothing lately."""
        return 0

    def reported(self, _target: int, _user: int) -> bool:
        """Nothing is."""
        return False

    def unsettled(self, report: int) -> bool:
        """Say whether a report is open: one is."""
        return report == 1

    def blocked(self, _user: int, _who: int) -> bool:
        """Nobody is."""
        return False


def stage(place: Place) -> Directory:
    """Return a server with everyone in it, and a room of a kind."""
    made = Directory()
    made.add_room(RoomRecord(GENERAL, "general", "general"))
    made.add_room(RoomRecord(ELSEWHERE, "elsewhere", "elsewhere"))
    if place.sort != "general":
        made.add_room(RoomRecord(ROOM, "room", "room", place.sort))
    for actor in ACTORS[1:]:
        if actor.server >= Role.MEMBER:
            made.add_account(actor.user, f"name{actor.user}")
        if actor.server >= Role.MODERATOR:
            made.add_role(GENERAL, actor.user, actor.server)
        if place.sort != "general":
            if actor.standing >= Role.GUEST:
                made.add_member(ROOM, actor.user, 5)
            if actor.standing is Role.INVITED:
                made.add_invitation(ROOM, actor.user, SERVER)
            if actor.standing >= Role.MODERATOR and place.sort != "direct":
                made.add_role(ROOM, actor.user, actor.standing)
        until = NOW if actor.condition.endswith("before") else FOREVER
        if actor.condition.startswith("banned"):
            made.add_ban(GENERAL, actor.user, Ban(until), silence=False)
        if actor.condition in ("silenced", "silenced before"):
            made.add_ban(GENERAL, actor.user, Ban(until), silence=True)
        if actor.condition == "silenced there" and place.sort != "general":
            made.add_ban(ROOM, actor.user, Ban(until), silence=True)
    made.rooms[place.room].archived, made.rooms[place.room].read_only = place.archived, place.read_only
    return made


def allowed(actor: Actor, place: Place, act: Act) -> bool:
    """Say whether the table, and what is written beside it, lets somebody do something."""
    least = LEAST[act][place.sort]
    if least is None or actor.role(place) < least:
        return False
    if place.archived and act not in WHEN_ARCHIVED:
        return False
    if actor is HOST:
        return True
    if actor.condition == "banned" or (actor.gagged(place) and act not in WHEN_SILENCED):
        return False
    talks = act in (Act.SAY, Act.EDIT)
    return not (talks and place.read_only) or allowed(actor, replace(place, read_only=False), Act.SAY_ALWAYS)


Made = Callable[[Actor, Place], Draft]


def draft(kind: Kind, body: Callable[[Actor], Any], room: int = 0) -> Made:
    """Return how an event of a kind is made, for someone in a room."""
    return lambda actor, place: Draft(kind=kind, room=room or place.room, user=actor.user, about=body(actor), time=NOW)


def own(actor: Actor) -> int:
    """Return something that they have said."""
    return NOW + actor.user


def others(actor: Actor) -> int:
    """Return something that somebody else has said."""
    return NOW + actor.user + 1


IN_A_ROOM: Final[list[tuple[Act, Made]]] = [
    (Act.SAY, draft(Kind.MESSAGE, lambda _: None)),
    (Act.SAY, draft(Kind.MESSAGE, lambda actor: MessageBody("x", "x", reply=others(actor)))),
    (Act.EDIT, draft(Kind.EDIT, lambda actor: EditBody("x", own(actor), "new"))),
    (Act.DELETE, draft(Kind.DELETE, lambda actor: DeleteBody("x", own(actor)))),
    (Act.DELETE_OTHERS, draft(Kind.DELETE, lambda actor: DeleteBody("x", others(actor)))),
    (Act.REACT, draft(Kind.REACT, lambda actor: ReactBody("x", others(actor), "tada"))),
    (Act.PIN, draft(Kind.PIN, lambda actor: PinBody("x", others(actor)))),
    (Act.TOPIC, draft(Kind.CHANGE, lambda _: ChangeBody("x", topic="new"))),
    (Act.RENAME, draft(Kind.CHANGE, lambda _: ChangeBody("x", title="new"))),
    (Act.ARCHIVE, draft(Kind.CHANGE, lambda _: ChangeBody("x", archived=True))),
    (Act.ARCHIVE, draft(Kind.CHANGE, lambda _: ChangeBody("x", archived=False))),
    (Act.PACE, draft(Kind.CHANGE, lambda _: ChangeBody("x", read_only=True))),
    (Act.PACE, draft(Kind.CHANGE, lambda _: ChangeBody("x", slow=10))),
    (Act.KEEP, draft(Kind.CHANGE, lambda _: ChangeBody("x", keep_days=1))),
    (Act.KEEP, draft(Kind.CHANGE, lambda _: ChangeBody("x", keep_count=1))),
    (Act.INVITE, draft(Kind.INVITE, lambda _: InviteBody("x", 9, "x", "x"))),
    (Act.REVOKE, draft(Kind.INVITE, lambda _: InviteBody("x", 9, "x", "x", on=False))),
    (Act.LEAVE, draft(Kind.UNMEMBER, lambda _: None)),
    (Act.ENTER, draft(Kind.MEMBER, lambda _: None)),
    (Act.REPORT, draft(Kind.REPORT, lambda actor: ReportBody("x", others(actor)), GENERAL)),
]
"""What is done in the room: the right that it takes, and the event."""

OF_THE_SERVER: Final[list[tuple[Act, Made]]] = [
    (Act.MAKE, draft(Kind.ROOM, lambda actor: RoomBody("new", "new", members=[actor.user]))),
    (Act.MAKE_DIRECT, draft(Kind.ROOM, lambda actor: RoomBody("@1", "", "direct", members=[actor.user, 9]))),
    (Act.BAN_RANGE, draft(Kind.RANGE, lambda _: RangeBody("x", "203.0.113.0/24"), GENERAL)),
    (Act.BAN_RANGE, draft(Kind.RANGE, lambda _: RangeBody("x", "203.0.113.0/24", on=False), GENERAL)),
    (Act.SEE_REPORTS, draft(Kind.SETTLE, lambda _: SettleBody("x", 1), GENERAL)),
    (Act.SET, draft(Kind.SETTINGS, lambda _: SettingsBody("x", guests=False), GENERAL)),
    (Act.SET, draft(Kind.SETTINGS, lambda _: SettingsBody("x", sign_up="closed"), GENERAL)),
]
ON_SOMEBODY: Final[dict[Act, list[Callable[[Actor], tuple[Kind, Any]]]]] = {
    Act.KICK: [lambda target: (Kind.KICK, KickBody("x", target.user, "x"))],
    Act.BAN: [
        lambda target: (Kind.BAN, BanBody("x", target.user, "x")),
        lambda target: (Kind.BAN, BanBody("x", target.user, "x", on=False)),
    ],
    Act.SILENCE: [
        lambda target: (Kind.SILENCE, BanBody("x", target.user, "x")),
        lambda target: (Kind.SILENCE, BanBody("x", target.user, "x", on=False)),
    ],
}


def done(directory: Directory, place: Place, event: Draft) -> bool:
    """Say whether the log takes an event; a refusal is never of another kind than one of rights."""
    code = directory.judge(event, Facts(place.room))
    assert code in (
        None,
        Code.NOT_ALLOWED,
        Code.NOT_A_MEMBER,
        Code.NO_SUCH_ROOM,
        Code.NO_SUCH_MESSAGE,
        Code.ARCHIVED,
        Code.BANNED,
        Code.SILENCED,
        Code.READ_ONLY,
    ), event
    return code is None


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_in_a_room_everyone_does_what_the_table_says(place: Place) -> None:
    """Also the host, who may do everything, but is in no room itself: it neither enters nor leaves."""
    directory = stage(place)
    for (act, made), actor in product(IN_A_ROOM, ACTORS):
        expected = allowed(actor, place, act) and not (actor is HOST and act in (Act.ENTER, Act.LEAVE))
        assert done(directory, place, made(actor, place)) is expected, (act, actor)


def test_on_the_server_everyone_does_what_the_table_says() -> None:
    """What concerns all of it. The host makes no rooms: it would be in them."""
    place = Place("general")
    directory = stage(place)
    for (act, made), actor in product(OF_THE_SERVER, ACTORS):
        expected = allowed(actor, place, act) and not (actor is HOST and act in (Act.MAKE, Act.MAKE_DIRECT))
        assert done(directory, place, made(actor, place)) is expected, (act, actor)


@pytest.mark.parametrize("act", [act for act in Act if act not in ON_PEOPLE])
def test_what_is_only_seen_is_judged_the_same_way(act: Act) -> None:
    """By an entry that is no event."""
    for place in PLACES:
        directory = stage(place)
        for actor in ACTORS:
            checking = Checking(user=actor.user, room=place.room, act=act, time=NOW)
            expected = allowed(actor, replace(place, read_only=False), act)
            assert (directory.check(checking) is None) is expected, (act, place, actor)


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_acts_on_people_are_on_those_below(place: Place) -> None:
    """Of everyone on everyone: whoever acts stands above, in the room and on the server."""
    directory = stage(place)
    for act, bodies in ON_SOMEBODY.items():
        for actor, target in product(ACTORS, TARGETS):
            below = actor is HOST or target.role(place, inside=True) < actor.role(place)
            for body in bodies:
                kind, about = body(target)
                event = Draft(kind=kind, room=place.room, user=actor.user, about=about, time=NOW)
                code = directory.judge(event, Facts(place.room))
                gone = act is Act.KICK and place.sort != "general" and target.standing <= Role.INVITED
                expected = allowed(actor, place, act) and below
                assert (code in (None, Code.NO_SUCH_PERSON)) is expected, (act, actor, target)
                assert code is not Code.NO_SUCH_PERSON or gone
                assert code is not None or not gone


@pytest.mark.parametrize("place", [place for place in PLACES if not place.read_only], ids=str)
def test_roles_are_given_below_ones_own(place: Place) -> None:
    """Owners make owners; one steps down by oneself; on the server it takes an account."""
    directory = stage(place)
    for actor, target in product(ACTORS, TARGETS):
        own_role, theirs = actor.role(place), target.role(place, inside=True)
        for name, role in ROLES.items():
            wanted = max(role, Role.GUEST) if role > Role.MEMBER else min(Role.MEMBER, target.server)
            if actor == target:
                fits = wanted < own_role
            else:
                fits = (actor is HOST or theirs < own_role) and (wanted < own_role or own_role is Role.OWNER)
            there = place.sort == "general" or target.standing >= Role.GUEST
            known = place.sort != "general" or target.server >= Role.MEMBER
            code = directory.judge(appointing(actor, target, name, place), Facts(place.room))
            expected = allowed(actor, place, Act.APPOINT) and fits
            assert (code is None) is (expected and there and known), (actor, target, name, code)
            if expected and not (there and known):
                assert code is (Code.NO_SUCH_PERSON if known else Code.NO_ACCOUNT)


def appointing(actor: Actor, target: Actor, role: RoleName, place: Place) -> Draft:
    """Return the event that gives somebody a role."""
    about = AppointBody("x", target.user, "x", role)
    return Draft(kind=Kind.APPOINT, room=place.room, user=actor.user, about=about, time=NOW)


def test_only_owners_and_the_host_erase_others_and_each_themselves() -> None:
    """And nobody whom they do not stand above; a banned one has to ask the host."""
    place = Place("general")
    directory = stage(place)
    for actor, target in product(ACTORS, TARGETS):
        event = Draft(kind=Kind.ERASE, room=GENERAL, user=actor.user, about=EraseBody("x", target.user), time=NOW)
        below = actor is HOST or target.server < Role.OWNER
        expected = (allowed(actor, place, Act.ERASE_OTHERS) and below) or actor == target
        assert done(directory, place, event) is expected, (actor, target)


def test_only_the_server_forgets() -> None:
    """What is kept no longer goes by itself, not by anybody's wish."""
    for place in PLACES:
        directory = stage(place)
        for actor in ACTORS:
            event = Draft(kind=Kind.FORGET, room=place.room, user=actor.user, about=ForgetBody("x", 1), time=NOW)
            assert done(directory, place, event) is (actor is HOST)


def test_an_account_is_had_by_registering_and_named_by_its_own() -> None:
    """A new name of an account takes one; a first one takes whatever else the log looks at."""
    place = Place("general")
    directory = stage(place)
    for actor in ACTORS[1:]:
        values: dict[str, Any] = {"kind": Kind.ACCOUNT, "room": GENERAL, "user": actor.user, "time": NOW}
        body = AccountBody(f"other{actor.user}")
        fine = actor.condition != "banned"
        named = directory.judge(Draft(about=body, **values), Facts(GENERAL))
        assert (named is None) is (fine and actor.server >= Role.MEMBER)
        assert (directory.judge(Registering(about=body, **values), Facts(GENERAL)) is None) is fine
        taken = Registering(about=AccountBody(f"NAME{TARGETS[-1].user}"), **values)
        assert directory.judge(taken, Facts(GENERAL)) is not None or actor == TARGETS[-1]


def kinds() -> Iterator[Kind]:
    """Yield the kinds of all events that are tried here."""
    for _, made in [*IN_A_ROOM, *OF_THE_SERVER]:
        yield made(HOST, Place("general")).kind
    for bodies in ON_SOMEBODY.values():
        yield from (body(HOST)[0] for body in bodies)
    yield from (Kind.APPOINT, Kind.ERASE, Kind.FORGET, Kind.ACCOUNT)


def test_nothing_is_left_out() -> None:
    """A new kind of event, or act, has to come here, too."""
    assert set(kinds()) == set(Kind)
    tried = {act for act, _ in [*IN_A_ROOM, *OF_THE_SERVER]} | ON_SOMEBODY.keys() | {Act.APPOINT, Act.ERASE_OTHERS}
    seen = {Act.READ, Act.SEE_BANS, Act.SEE_AUDIT, Act.SEE_ACCOUNTS, Act.GIVE_TICKETS}
    beside = {Act.SAY_ALWAYS, Act.CALL_ALL, Act.REVOKE_OTHERS}  # shown by others: what is said, named, taken back
    assert tried | seen | beside == set(Act)
