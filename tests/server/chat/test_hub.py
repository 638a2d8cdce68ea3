"""Delivery, against a model: what each connection is written is what its person was to read."""

import asyncio
from typing import Any

import pytest
from hubs import enter, fake_archive, settle
from hypothesis import given, settings
from hypothesis import strategies as st

from server.chat.hub import Hub
from server.chat.presence import Presence
from server.chat.ring import Ring
from server.chat.world import Person
from server.record.register import RoomRecord

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.lists(st.integers(0, 2), min_size=1, max_size=6)),
        st.tuples(st.just("clog"), st.integers(0, 3)),
        st.tuples(st.just("drain"), st.integers(0, 3)),
        st.tuples(st.just("turn"), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_everyone_gets_all_of_their_rooms_once_and_in_order(steps: list[tuple[str, Any]]) -> None:
    """However connections clog and drain, and whether the ring or the archive has it, nothing is lost or doubled."""

    async def run() -> None:
        archive = fake_archive()
        hub = Hub(0, archive)
        hub._ring = Ring(0, capacity=30)  # a few events: the archive is needed, too
        rooms = [hub.add_room(RoomRecord(number + 1, f"r{number}", "")) for number in range(3)]
        members = [[0], [0, 1], [0, 1, 2], [2]]
        here = [enter(hub, f"p{n}", [rooms[r] for r in which]) for n, which in enumerate(members)]
        await settle()
        seq = 0
        for step, value in steps:
            if step == "say":
                for number in value:
                    seq += 1
                    line = b"e%d\n" % seq
                    archive.all.append((seq, rooms[number].id, line))
                    hub.event(rooms[number], seq, line)
                before = [len(link.writes) for _, link in here]
                hub.deliver()
                for (_peer, link), count in zip(here, before, strict=True):
                    assert len(link.writes) - count <= 1, "one write a member and tick"
            elif step == "clog":
                here[value][1].congested = True
                hub.fall_behind(here[value][0])
            elif step == "drain":
                here[value][1].congested = False
                hub.go_on(here[value][0])
            else:
                await asyncio.sleep(0)
        for peer, link in here:
            link.congested = False
            hub.go_on(peer)
        await settle()
        for (peer, link), which in zip(here, members, strict=True):
            assert peer.live
            assert link.seqs == [number for number, room, _ in archive.all if room in {rooms[r].id for r in which}]

    asyncio.run(run())


async def test_rosters_larger_than_any_buffer_are_sent_once() -> None:
    """Room by room, and not again where nobody came or went meanwhile."""
    hub = Hub(0, fake_archive())
    rooms = [hub.add_room(RoomRecord(number + 1, f"r{number}", "")) for number in range(200)]
    for room in rooms:
        room.online = {f"{room.handle}-person-{number}": number + 2 for number in range(300)}
    peer, link = enter(hub, "narrow", rooms)
    write = link.write

    def full(data: bytes) -> None:
        write(data)
        link.congested = True
        hub.fall_behind(peer)

    link.write = full  # type: ignore[method-assign]
    for _ in range(200):
        await settle()
        link.congested = False
        hub.go_on(peer)
    await settle()
    assert peer.live
    written = b"".join(link.writes)
    assert all(written.count(b'"r%d-person-7"' % number) == 1 for number in range(200))
    assert max(map(len, link.writes)) < 128 * 1024


async def test_a_storm_of_people_is_one_line_to_each() -> None:
    """Ninety who come in within one hold are told in one line; a newcomer has them in the roster or in that line."""
    hub = Hub(0, fake_archive())
    presence = Presence(hub)
    room = hub.add_room(RoomRecord(1, "general", ""))
    _, watcher = enter(hub, "watcher", [room])
    await settle()
    watcher.writes.clear()
    for number in range(90):
        presence.came(room, Person(f"p{number}", number))
    presence.left(room, "p7", "quit")
    presence.flush()
    assert len(watcher.writes) == 1
    (line,) = watcher.writes[0].splitlines()
    assert line.count(b'"p') == 89
    _, late = enter(hub, "late", [room])
    await settle()
    assert b"".join(late.writes).count(b'"p') == 89
    presence.left(room, "p1", "quit")
    presence.came(room, Person("p1", 1))
    presence.flush()
    assert len(watcher.writes) == 1, "who was gone for less than the hold was never gone"


async def test_a_storm_in_a_crowd_is_told_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The more are told, the longer it is held while people keep coming. Fewer are told with them, but who types."""
    monkeypatch.setattr("server.chat.presence.HOLD", 0.01)
    monkeypatch.setattr("server.chat.presence.LOOK", 0.01)
    monkeypatch.setattr("server.chat.presence.EACH", 0.009)
    hub = Hub(0, fake_archive())
    presence = Presence(hub)
    rooms = [hub.add_room(RoomRecord(number, name, "")) for number, name in ((1, "general"), (2, "few"), (3, "other"))]
    crowd, few, other = rooms
    _, watcher = enter(hub, "watcher", [crowd, few])
    _, reader = enter(hub, "reader", [other])
    for number in range(900):  # some eight seconds' worth
        enter(hub, f"more{number}", [crowd])
    await settle()
    watcher.writes.clear()
    reader.writes.clear()
    number = 0
    while not reader.writes:  # who types is seen while the storm lasts
        presence.came(crowd, Person(f"p{number}", number))
        presence.came(few, Person(f"p{number}", number))
        presence.writes(other, Person("typist", 1))
        number += 1
        await asyncio.sleep(0)
    assert b'"typing"' in reader.writes[0]
    assert not watcher.writes, "who keeps coming is told together"
    while not watcher.writes:  # noqa: ASYNC110 - the next look tells it
        await asyncio.sleep(0)
    assert len(few.online) == len(crowd.online) == number
    assert [line.count(b'"p') for line in watcher.writes] == [number, number], "one of each room, in one turn"
    assert b'"few"' in watcher.writes[0]
