"""Who is here, as clients take it: in rooms of few, in crowds, and while one becomes the other."""

import asyncio
from collections.abc import Callable
from typing import Any

from hubs import FakeLink, enter, fake_archive, settle
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.chat.crowd import Crowd
from server.chat.hub import Hub
from server.chat.presence import Presence
from server.chat.world import Peer, Person, Room
from server.protocol import frames
from server.protocol.codec import decode_server
from server.record.register import RoomRecord
from server.record.rights import Role

CROWD = 20
"""People of a crowd here: one besides moderators is told by name, and fewer than 15 are none."""
ADMIN = 1003
"""Who moderates, once they are here."""


class Watcher:
    """A client that believes what it is told of a room."""

    def __init__(self, link: FakeLink, room: Room) -> None:
        self._link, self._room = link, room
        self._read = 0
        self.known: dict[str, int] = {}
        self.away: dict[str, str] = {}
        self.roles: dict[str, str] = {}
        self.count = 0
        """0 while all are known."""
        self.heard: list[frames.ServerFrame] = []
        self._coming: list[frames.Roster] = []

    def hear(self) -> None:
        """Take in what was written since."""
        new = self._link.writes[self._read :]
        self._read += len(new)
        for line in b"".join(new).splitlines():
            frame = decode_server(line)
            if getattr(frame, "room", self._room.handle) == self._room.handle:
                self.heard.append(frame)
                self._take(frame)

    def _take(self, frame: frames.ServerFrame) -> None:
        match frame:
            case frames.Roster():
                self._coming.append(frame)
                if not frame.more:
                    self.known, self.away, self.roles, self.count = {}, {}, {}, frame.count
                    for part in self._coming:
                        self._add(part)
                    self._coming = []
            case frames.Joined():
                self._add(frame)
            case frames.Count():
                self.count = frame.count
                self._add(frame)
            case frames.Left():
                for name in frame.names:
                    self._forget(name)
            case frames.Renamed(old=old, new=new) if old in self.known:
                user, away, role = self.known[old], self.away.get(old), self.roles.get(old)
                self._forget(old)
                self._know(new, user, away, role)
            case frames.Status(name=name, away=away, text=text) if name in self.known:
                self._know(name, self.known[name], text if away else None, self.roles.get(name))

    def _add(self, told: Any) -> None:
        for name, user in zip(told.names, told.users, strict=True):
            self._know(name, user, told.away.get(name), told.roles.get(name))

    def _know(self, name: str, user: int, away: str | None, role: str | None) -> None:
        self._forget(name)
        self.known[name] = user
        if away is not None:
            self.away[name] = away
        if role is not None:
            self.roles[name] = role

    def _forget(self, name: str) -> None:
        for held in (self.known, self.away, self.roles):
            held.pop(name, None)


class Narrow(FakeLink):
    """A connection whose buffer is full with its next write, when the test says so."""

    narrow = False
    filled: Callable[[], None]

    def write(self, data: bytes) -> None:
        """Take a write. That it is the last for a while, a transport says before it returns."""
        super().write(data)
        if self.narrow:
            self.narrow, self.congested = False, True
            self.filled()


class House:
    """Two rooms, who comes and goes there, and those who watch both."""

    def __init__(self) -> None:
        self.hub = Hub(0, fake_archive())
        self.presence = Presence(self.hub, CROWD)
        general = self.hub.add_room(RoomRecord(1, "general", ""), {ADMIN: Role.ADMIN})
        self.rooms = [general, self.hub.add_room(RoomRecord(2, "dev", ""))]
        self.here: list[Person] = []
        self.peers: list[Peer] = []
        self.links: list[Narrow] = []
        self.number = 1000
        self.spoke: dict[Room, set[int]] = {room: set() for room in self.rooms}
        """Who has said something since a room is a crowd."""
        self.crowds = {room: room.crowd for room in self.rooms}

    def watch(self) -> dict[Room, Watcher]:
        """Let somebody in who believes what they are told."""
        link, number = Narrow(), len(self.peers) + 1
        peer, _ = enter(self.hub, f"watcher{number}", self.rooms, link=link)
        peer.here.user = number
        link.filled = lambda: self.hub.fall_behind(peer)
        self.peers.append(peer)
        self.links.append(link)
        self.come(peer.here)
        return {room: Watcher(link, room) for room in self.rooms}

    def come(self, person: Person) -> None:
        """Somebody comes into their rooms."""
        for room in person.rooms.values():
            self.presence.came(room, person)

    def go(self, person: Person) -> None:
        """Somebody leaves them."""
        for room in person.rooms.values():
            self.presence.left(room, person.name, "quit")

    def say(self, person: Person) -> None:
        """Somebody says something in all of them."""
        for room in person.rooms.values():
            self.presence.stands_out(room, person)
            if room.crowd is not None:
                self.spoke[room].add(person.user)

    def clog(self, number: int) -> None:
        """A watcher's buffer is full."""
        self.links[number].congested = True
        self.hub.fall_behind(self.peers[number])

    def drain(self, number: int) -> None:
        """It is free again."""
        self.links[number].congested = self.links[number].narrow = False
        self.hub.go_on(self.peers[number])

    async def step(self, step: str, value: int) -> None:
        """Have something happen."""
        somebody = self.here[value % len(self.here)] if self.here else None
        if step in ("come", "come to both"):
            rooms = {room.id: room for room in (self.rooms if step == "come to both" else self.rooms[:1])}
            for _ in range(value):
                self.number += 1
                self.here.append(Person(f"P{self.number}", self.number, rooms=rooms))
                self.come(self.here[-1])
        elif step == "go":
            for person in self.here[:value]:
                self.go(person)
            del self.here[:value]
        elif step == "again":
            for index, person in enumerate(self.here[:value]):
                self.go(person)
                self.here[index] = Person(person.name, person.user, rooms=person.rooms)
                self.come(self.here[index])
        elif step == "say" and somebody is not None:
            self.say(somebody)
        elif step == "rename" and somebody is not None:
            old, somebody.name = somebody.name, f"{somebody.name}x"
            self.presence.renamed(somebody, old, somebody.name)
        elif step == "away" and somebody is not None:
            somebody.away = None if somebody.away is not None else "tea"
            self.presence.status(somebody)
        elif step == "clog":
            self.clog(value)
        elif step == "fill":
            self.links[value].narrow = True
        elif step == "drain":
            self.drain(value)
        elif step == "tell":
            self.presence.flush()
        elif step == "turn":
            await asyncio.sleep(0)
        for room in self.rooms:
            if room.crowd is not self.crowds[room]:
                self.crowds[room] = room.crowd
                self.spoke[room].clear()

    async def rest(self) -> None:
        """Have all be told."""
        for number in range(len(self.peers)):
            self.drain(number)
        self.presence.flush()
        await settle()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["come", "come to both", "go", "again"]), st.integers(1, 15)),
        st.tuples(st.sampled_from(["rename", "away", "say"]), st.integers(0, 40)),
        st.tuples(st.sampled_from(["clog", "fill", "drain"]), st.integers(0, 2)),
        st.tuples(st.just("tell"), st.just(0)),
        st.tuples(st.just("turn"), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
@example([("come to both", 15), ("come to both", 15), ("tell", 0)])
@example([("come", 15), ("come", 15), ("fill", 0), ("tell", 0)])
@example([("come", 15), ("away", 0), ("tell", 0), ("again", 1)])
@example([("come", 15), ("come", 15)])
@settings(max_examples=200, deadline=None)
def test_who_is_known_is_here_and_the_count_is_right(steps: list[tuple[str, int]]) -> None:
    """However people come and go, across both bounds, in two rooms, and whoever is behind meanwhile."""

    async def run() -> None:
        house = House()
        watchers = [house.watch() for _ in range(3)]
        for step, value in steps:
            await house.step(step, value)
        await house.rest()
        assert all(peer.live for peer in house.peers)
        for room in house.rooms:
            people = [person for person in house.here if room.id in person.rooms]
            everyone = {person.name: person.user for person in (*people, *(peer.here for peer in house.peers))}
            assert room.online == everyone
            assert (room.crowd is not None) >= (len(everyone) >= CROWD)
            assert (room.crowd is None) >= (len(everyone) < CROWD * 0.75)
            for peer, watcher in zip(house.peers, watchers, strict=True):
                check(watcher[room], room, people, everyone)
                assert peer.here.name in watcher[room].known
            if room.crowd is not None:
                assert not room.crowd.unnamed
                spoke = house.spoke[room]
                assert spoke & set(everyone.values()) <= set(room.crowd.named.values()), (
                    "who spoke is told of when they go"
                )
                if len(spoke - {ADMIN}) <= room.crowd.most:  # so many are in every roster
                    for watcher in watchers:
                        assert spoke & set(everyone.values()) <= set(watcher[room].known.values())
        await newcomers(house)

    asyncio.run(run())


def check(watcher: Watcher, room: Room, people: list[Person], everyone: dict[str, int]) -> None:
    """See that what somebody was told of a room is so."""
    watcher.hear()
    if room.crowd is None:
        assert (watcher.known, watcher.count) == (everyone, 0)
    else:
        assert watcher.known.items() <= everyone.items()
        assert watcher.count == len(everyone)
    assert watcher.away == {
        person.name: person.away for person in people if person.away is not None and person.name in watcher.known
    }
    moderating = {name: "admin" for name, user in everyone.items() if user == ADMIN}
    assert watcher.roles == moderating, "who moderates is known"


async def newcomers(house: House) -> None:
    """See that who comes into a crowd is told of the last who spoke, also where others had been told of meanwhile."""
    talking = [person for person in house.here if person.user != ADMIN]
    if house.rooms[0].crowd is None or not talking:
        return
    for person in (talking[0], talking[-1], talking[0]):
        house.say(person)
        await house.rest()
        assert told_at_entering(house) == {person.name}
    await house.step("rename", house.here.index(talking[-1]))
    assert told_at_entering(house) == {talking[0].name}


def told_at_entering(house: House) -> set[str]:
    """Let somebody else in, and return whom they are told of, but moderators and themselves."""
    watcher = house.watch()[house.rooms[0]]
    watcher.hear()
    return watcher.known.keys() - watcher.roles.keys() - {house.peers[-1].here.name}


async def crowd_of(count: int) -> tuple[Hub, Presence, Room, Watcher]:
    """Return a room with a watcher and so many others, all told."""
    hub = Hub(0, fake_archive())
    presence = Presence(hub, CROWD)
    room = hub.add_room(RoomRecord(1, "general", ""))
    peer, link = enter(hub, "watcher", [room])
    peer.here.user = 1
    watcher = Watcher(link, room)
    presence.came(room, peer.here)
    for number in range(count):
        presence.came(room, Person(f"p{number:02}", 100 + number))
    presence.flush()
    await settle()
    watcher.hear()
    return hub, presence, room, watcher


def test_who_spoke_is_told_of_before_who_only_came() -> None:
    """Also where there was place for those who came."""
    crowd = Crowd(3, {"spoke": 1})
    assert crowd.came({"new": 2, "newer": 3, "too many": 4}) == {"new": 2, "newer": 3}
    crowd.named |= {"late": 5, "later": 6}
    assert [*crowd.few([])] == ["later", "late", "spoke"]
    crowd.renamed("late", "still late")
    assert [*crowd.few([])] == ["later", "still late", "spoke"]


async def test_a_crowd_becomes_one_and_none_at_different_counts() -> None:
    """At its least it begins, at three quarters of that it goes on; each change brings one roster."""
    _, presence, room, watcher = await crowd_of(CROWD - 2)
    assert len(watcher.known) == CROWD - 1
    presence.came(room, Person("last", 99))
    presence.flush()
    await settle()
    watcher.heard.clear()
    watcher.hear()
    assert [type(frame) for frame in watcher.heard] == [frames.Roster, frames.Roster]
    assert (len(watcher.known), watcher.count) == (1, CROWD)
    for number in range(5):
        presence.left(room, f"p{number + 10}", "quit")
    presence.flush()
    await settle()
    watcher.heard.clear()
    watcher.hear()
    assert [frame for frame in watcher.heard if not isinstance(frame, frames.Left)] == [
        frames.Count(room="general", count=15)
    ]
    presence.left(room, "last", "quit")
    presence.flush()
    await settle()
    watcher.hear()
    assert (watcher.known, watcher.count) == (room.online, 0)
    assert len(watcher.known) == 14


async def test_who_speaks_in_a_crowd_is_known_until_they_go() -> None:
    """They are told of with the count, once; who has gone before is not."""
    hub, presence, room, watcher = await crowd_of(30)
    p7, p8 = Person("p07", 107), Person("p08", 108)
    watcher.heard.clear()
    for person in (p7, p8, p7):
        presence.stands_out(room, person)
    presence.left(room, "p08", "quit")
    presence.flush()
    presence.stands_out(room, p7)
    presence.flush()
    watcher.hear()
    assert watcher.heard == [frames.Count(room="general", count=30, names=["p07"], users=[107])]
    _, late = enter(hub, "late", [room])
    assert b'"p07"' in b"".join(late.writes), "the last who spoke are told to newcomers"
    watcher.heard.clear()
    p7.rooms[room.id] = room
    presence.renamed(p7, "p07", "q07")
    presence.left(room, "q07", "bye")
    presence.left(room, "p09", "bye")
    presence.flush()
    watcher.hear()
    renamed, left, count = watcher.heard
    assert renamed == frames.Renamed(user=107, old="p07", new="q07")
    assert left == frames.Left(room="general", names=["q07"], reason="bye")
    assert count == frames.Count(room="general", count=28)


async def test_a_crowd_hears_of_few() -> None:
    """Nobody is told who writes there, nor of another name or of the state of one who is not known."""
    _, presence, room, watcher = await crowd_of(30)
    quiet = Person("p20", 120, rooms={room.id: room})
    peer, own = enter(presence._hub, "p20", [])
    quiet.peers = (peer,)
    peer.live = True
    watcher.heard.clear()
    assert room.page("p20", "", 5) == ({"p20": 120}, False)
    presence.writes(room, quiet)
    presence.renamed(quiet, "p20", "q20")
    quiet.name, quiet.away = "q20", "tea"
    presence.status(quiet)
    presence.flush()
    watcher.hear()
    assert watcher.heard == []
    assert own.writes[-2:] == [
        b'{"type":"renamed","user":120,"old":"p20","new":"q20"}\n',
        b'{"type":"status","user":120,"name":"q20","away":true,"text":"tea"}\n',
    ], "but all of their own"
    assert room.page("q", "", 5) == ({"q20": 120}, False)


async def test_pages_of_names_are_all_of_them() -> None:
    """By case-folded name, from anywhere on, and of those that begin alike."""
    _, presence, room, _ = await crowd_of(30)
    presence.came(room, Person("P10b", 500))
    presence.flush()
    found: dict[str, int] = {}
    more, after = True, ""
    while more:
        people, more = room.page("", after, 7)
        assert len(people) <= 7
        found |= people
        after = list(people)[-1].casefold()
    assert found == room.online
    assert list(found) == sorted(room.online, key=str.casefold)
    assert room.page("p1", "", 3) == ({"p10": 110, "P10b": 500, "p11": 111}, True)
    assert room.page("p1", "p18", 3) == ({"p19": 119}, False)
    assert room.page("x", "", 3) == ({}, False)
    assert room.page("p1", "p30", 3) == ({}, False)


def test_a_crowd_is_told_no_names_at_once() -> None:
    """Thousands who come in one moment are one small roster to each, in turns; nothing is told of all to all."""

    async def run() -> None:
        hub = Hub(0, fake_archive())
        presence = Presence(hub, 300)
        room = hub.add_room(RoomRecord(1, "general", ""))
        everyone: list[tuple[Peer, FakeLink]] = []
        for number in range(600):
            everyone.append(enter(hub, f"person{number}", [room]))
            presence.came(room, everyone[-1][0].here)
        presence.flush()
        await settle()
        assert all(peer.live for peer, _ in everyone)
        written = [b"".join(link.writes) for _, link in everyone]
        assert max(map(len, written)) < 1500
        assert all(b'"count":600' in data for data in written)

    asyncio.run(run())
