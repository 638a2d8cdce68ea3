"""Who is here, as clients take it: in rooms of few, in crowds, and while one becomes the other."""

import asyncio
from typing import Any

from hubs import FakeLink, enter, fake_archive, settle
from hypothesis import given, settings
from hypothesis import strategies as st

from server.chat.hub import Hub
from server.chat.presence import Presence
from server.chat.world import Peer, Person, Room
from server.protocol import frames
from server.protocol.codec import decode_server
from server.record.register import RoomRecord
from server.record.rights import Role

CROWD = 20
"""People of a crowd here: one besides moderators is told by name, and fewer than 15 are none."""


class Watcher:
    """A client that believes what it is told."""

    def __init__(self, hub: Hub, presence: Presence, name: str, user: int, room: Room) -> None:
        self.presence, self.room = presence, room
        self.peer, self.link = enter(hub, name, [room])
        self.peer.here.user = user
        presence.came(room, self.peer.here)
        self.known: dict[str, int] = {}
        self.away: dict[str, str] = {}
        self.roles: dict[str, str] = {}
        self.count = 0
        """0 while all are known."""
        self.heard: list[frames.ServerFrame] = []
        self._coming: list[frames.Roster] = []

    def hear(self) -> None:
        """Take in what was written since."""
        lines = b"".join(self.link.writes).splitlines()
        self.link.writes.clear()
        for line in lines:
            frame = decode_server(line)
            self.heard.append(frame)
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
                        self.known.pop(name, None)
                case frames.Renamed(old=old, new=new):
                    if old in self.known:
                        self.known[new] = self.known.pop(old)
                        if old in self.away:
                            self.away[new] = self.away.pop(old)
                case frames.Status(name=name, away=away, text=text):
                    if away:
                        self.away[name] = text
                    else:
                        self.away.pop(name, None)

    def _add(self, told: Any) -> None:
        self.known.update(zip(told.names, told.users, strict=True))
        for name in told.names:
            self.away.pop(name, None)
        self.away.update(told.away)
        self.roles.update(told.roles)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.integers(1, 15)),
        st.tuples(st.just("go"), st.integers(1, 15)),
        st.tuples(st.sampled_from(["rename", "away", "say"]), st.integers(0, 40)),
        st.tuples(st.sampled_from(["clog", "drain"]), st.integers(0, 2)),
        st.tuples(st.just("tell"), st.just(0)),
        st.tuples(st.just("turn"), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_who_is_known_is_here_and_the_count_is_right(steps: list[tuple[str, int]]) -> None:
    """However people come and go, across both bounds, and whoever is behind meanwhile."""

    async def run() -> None:
        hub = Hub(0, fake_archive())
        presence = Presence(hub, CROWD)
        room = hub.add_room(RoomRecord(1, "general", ""), {1003: Role.ADMIN})
        watchers = [Watcher(hub, presence, f"watcher{number}", number + 1, room) for number in range(3)]
        here: list[Person] = []
        spoke: set[int] = set()
        number = 1000
        for step, value in steps:
            somebody = here[value % len(here)] if here else None
            if step == "come":
                for _ in range(value):
                    number += 1
                    here.append(Person(f"P{number}", number, rooms={room.id: room}))
                    presence.came(room, here[-1])
            elif step == "go":
                for person in here[:value]:
                    presence.left(room, person.name, "quit")
                    spoke.discard(person.user)
                del here[:value]
            elif step == "say" and somebody is not None:
                presence.stands_out(room, somebody)
                spoke.add(somebody.user)
            elif step == "rename" and somebody is not None:
                old, somebody.name = somebody.name, f"{somebody.name}x"
                presence.renamed(somebody, old, somebody.name)
            elif step == "away" and somebody is not None:
                somebody.away = None if somebody.away is not None else "tea"
                presence.status(somebody)
            elif step == "clog":
                watchers[value].link.congested = True
                hub.fall_behind(watchers[value].peer)
            elif step == "drain":
                watchers[value].link.congested = False
                hub.go_on(watchers[value].peer)
            elif step == "tell":
                presence.flush()
            else:
                await asyncio.sleep(0)
        for watcher in watchers:
            watcher.link.congested = False
            hub.go_on(watcher.peer)
        presence.flush()
        await settle()
        everyone = {person.name: person.user for person in (*here, *(watcher.peer.here for watcher in watchers))}
        assert room.online == everyone
        assert (room.crowd is not None) >= (len(everyone) >= CROWD)
        assert (room.crowd is None) >= (len(everyone) < CROWD * 0.75)
        for watcher in watchers:
            watcher.hear()
            assert watcher.peer.live
            if room.crowd is None:
                assert (watcher.known, watcher.count) == (everyone, 0)
            else:
                assert watcher.known.items() <= everyone.items()
                assert watcher.count == len(everyone)
                assert not room.crowd.unnamed
            away = {person.name for person in here if person.away is not None}
            assert watcher.away.keys() & watcher.known.keys() == away & watcher.known.keys()
            assert watcher.peer.here.name in watcher.known
            assert {"P1003", "P1003x"} & everyone.keys() <= watcher.known.keys(), "who moderates is known"

    asyncio.run(run())


async def crowd_of(count: int) -> tuple[Hub, Presence, Room, Watcher]:
    """Return a room with a watcher and so many others, all told."""
    hub = Hub(0, fake_archive())
    presence = Presence(hub, CROWD)
    room = hub.add_room(RoomRecord(1, "general", ""))
    watcher = Watcher(hub, presence, "watcher", 1, room)
    for number in range(count):
        presence.came(room, Person(f"p{number:02}", 100 + number))
    presence.flush()
    await settle()
    watcher.hear()
    return hub, presence, room, watcher


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
