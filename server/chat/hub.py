"""Delivery: what has happened reaches each connection once, in order, in one write a tick.

Who owns what: all of this runs on the event loop, in one thread. A connection is a position in the log. At the head it
is *live*: it stands in the `live` of each of its rooms and gets what the tick brought. Behind the head it gets slices,
one a turn, whenever its buffer has room, and is live again when a slice ends at the head.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from msgspec import UNSET

from server.chat.ports import Archive
from server.chat.ring import Line, Ring
from server.chat.world import NOTHING, Peer, Room, Send
from server.protocol import limits
from server.protocol.codec import encode
from server.protocol.errors import ProtocolError
from server.protocol.frames import Error, Gap
from server.record.events import GENERAL, Share, covers
from server.record.register import RoomRecord
from server.record.rights import Role

GAP: Final = 10_000
"""Events of one room that are delivered to one who comes back or is slow: of more, nobody reads each."""

FEW: Final = 1000
"""Names in the rosters that one who comes in is told at once, some 16 KB: of more, in a turn of their own."""

LOOKED: Final = 16
"""Bytes that could be written in the time that looking at an event takes."""

SLICE: Final = limits.LINE
"""Bytes that one who is behind gets in one turn: enough to be quick, little enough to keep turns short."""


class Hub:
    """Rooms, and the way from an event to those who read it."""

    def __init__(self, head: int, archive: Archive) -> None:
        self.head = head
        """All up to this seq has been delivered to every live connection."""
        self.rooms: dict[int, Room] = {}
        self.by_handle: dict[str, Room] = {}
        self.gapped: Callable[[Peer, Room], None] = lambda _peer, _room: None
        """Called when a connection was told that it won't get all it missed of a room."""
        self._queued = head
        self._archive = archive
        self._ring = Ring(head)
        self._fresh: list[Line] = []
        """Events of this tick, which the ring takes in when they are delivered."""
        self._dirty: dict[Room, None] = {}
        self._answered: dict[Peer, None] = {}
        self._turns: dict[Peer, None] = {}
        self._turn: asyncio.Handle | None = None
        """The next turn, while there is to be one."""
        self._on_server: dict[int, Role] = {}
        """Who was appointed to what on the server: the roles of `general`."""
        self._tasks: set[asyncio.Task[None]] = set()

    def add_room(self, record: RoomRecord, roles: dict[int, Role] | None = None) -> Room:
        """Take in a room, and who was appointed to what in it."""
        room = Room(record, roles=roles or {})
        if room.handle == GENERAL:
            self._on_server.update(room.roles)
            room.roles = self._on_server
        elif record.kind != "direct":
            room.on_server = self._on_server
        self.rooms[room.id] = room
        self.by_handle[room.handle] = room
        return room

    @property
    def general(self) -> Room:
        """The room that everyone is in, and that stands for the server."""
        return self.by_handle[GENERAL]

    # What a tick brings.

    def event(self, room: Room, seq: int, line: bytes, of: int = 0) -> None:
        """Queue an event's line for the members of its room. MUST be called in the order of seq.

        Args:
            room: which.
            seq: the event's.
            line: its frame.
            of: the message that it is of, where it is only for those who were members when that was said.
        """
        happened = (seq, room.id, line, of)
        self._fresh.append(happened)
        if of and not all(covers(peer.here.spans, room.id, of) for peer in room.live):
            self.deliver()  # what came before goes before, and who can't take it is not live any more
            for peer in room.live:
                if covers(peer.here.spans, room.id, of):
                    peer.answer(line)
                    self._answered[peer] = None
        else:
            room.lines.append(happened)
            self._dirty[room] = None
        room.last = self._queued = seq

    def drop_lines(self, seq: int) -> None:
        """Keep no line of what came before this seq: some of it is gone. Who is behind reads it from the archive."""
        self.deliver()
        self._ring.clear(seq - 1)

    def notice(self, room: Room, line: bytes) -> None:
        """Queue a line that is no event for those who are live in a room."""
        room.lines.append((self.head, room.id, line, 0))
        self._dirty[room] = None

    def notice_once(self, rooms: Iterable[Room], line: bytes, peers: Iterable[Peer]) -> None:
        """Queue a line for everyone who is live in any of these rooms, and for these connections, once."""
        for peer in {peer: None for room in rooms for peer in room.live} | dict.fromkeys(peers):
            peer.answer(line)
            self._answered[peer] = None

    def answered(self, peer: Peer) -> None:
        """Note that a connection has answers which are to leave with this tick's write."""
        self._answered[peer] = None

    def deliver(self, head: int = 0) -> None:
        """Write what was queued: one write a connection, with its own answers before the shared bytes.

        MUST follow the last `event` of a tick without a turn of the loop between: whoever is live has seen the head.

        Args:
            head: the seq up to which the log has come, where what came last is not an event for anyone.
        """
        self.head = max(self.head, self._queued, head)
        if self._fresh:
            self._ring.add(self._fresh)
            self._fresh.clear()
        rooms, answered = self._dirty, self._answered
        if answered:
            self._answered = {}
        if rooms:
            self._dirty = {}
        for peers, data in _addressed(rooms) if rooms else ():  # often in a storm nothing is for a room
            if answered and (own := answered.keys() & peers.keys()):
                for peer in own:
                    del answered[peer], peers[peer]
                    peer.answer(data)
                    peer.flush()
            for send in peers.values():
                send(data)
        for room in rooms:
            room.lines.clear()
        for peer in answered:
            peer.flush()

    # Positions.

    def follow(self, peer: Peer) -> None:
        """Let a connection go on from its `position`. MUST follow a delivery of what came up to the head.

        Where that is the head, and few are to be told of, it arrives at once: all it is told at first is one write.
        """
        peer.live = False
        rooms = peer.here.rooms.values()
        if peer.position < self.head or peer.link.congested or sum(room.listed for room in rooms) > FEW:
            self._take_turn(peer)
            return
        for room in rooms:
            peer.answer(room.roster(peer.here))
        self._arrive(peer, b"")

    def fall_behind(self, peer: Peer) -> None:
        """A connection's buffer is full: it has been sent all up to the head and now waits at this position."""
        if peer.live:
            peer.live = False
            peer.position = self.head
            peer.told = {number: room.version for number, room in peer.here.rooms.items()}
            self._unlist(peer)

    def tell_anew(self, room: Room) -> None:
        """Have all who are in a room be told anew who is here, each in turn. MUST follow a delivery."""
        for peer in list(room.live):
            self.fall_behind(peer)
            self._take_turn(peer)
        room.version += 1  # after that: who fell behind before, by this delivery or another room, is told as well

    def go_on(self, peer: Peer) -> None:
        """A connection's buffer has room again."""
        if not peer.live and peer.person is not None:
            self._take_turn(peer)

    def forget(self, peer: Peer) -> None:
        """A connection is gone."""
        peer.gone = True
        peer.live = False
        self._unlist(peer)

    def cut_off(self, peer: Peer, why: ProtocolError) -> None:
        """End a connection now: nothing reaches it any more but, where its buffer is free, why.

        What was delivered before may still arrive; nothing that comes after does.
        """
        if peer.gone:
            return
        self.forget(peer)
        peer.out = None
        if peer.link.congested:
            peer.link.abort()  # it may never read what waits, so it would never learn why either
        else:
            peer.link.write(encode(Error(code=why.code, message=why.message, until=why.until or UNSET)))
            peer.link.close()

    def _unlist(self, peer: Peer) -> None:
        if peer.person is not None:
            for room in peer.person.rooms.values():
                room.live.pop(peer, None)

    def _take_turn(self, peer: Peer) -> None:
        self._turns[peer] = None
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._next_turn)

    def _next_turn(self) -> None:
        """Give those who wait for it their next slices, as many as are one slice together: turns stay short."""
        size = 0
        try:
            while self._turns and size < SLICE:
                peer = next(iter(self._turns))
                del self._turns[peer]
                if not (peer.gone or peer.live or peer.reading or peer.link.congested):
                    size += self._advance(peer)
        finally:
            self._turn = None
            if self._turns:
                self._turn = asyncio.get_running_loop().call_soon(self._next_turn)
            else:
                self._turns = {}  # emptied, it would still be as large as it ever was

    def _advance(self, peer: Peer) -> int:
        """Give one who is behind its next slice: first who is here now, room by room, then what was said.

        Returns:
            What it took of the turn, in bytes written: looking through what is others' counts as well.
        """
        if self.head - peer.position > GAP and self.head - peer.surveyed > GAP:
            peer.surveyed = self.head
            self._read(peer, self._survey)
            return 0
        rosters, size = [], 0
        peer.told = told = dict(peer.told)
        for number, room in peer.here.rooms.items():
            if told.get(number) != room.version:
                rosters.append(room.roster(peer.here))
                size += len(rosters[-1])
                told[number] = room.version
                if size >= SLICE:
                    break
        if size >= SLICE:
            peer.link.write(b"".join(rosters))
            self._take_turn(peer)
            return size
        for roster in rosters:
            peer.answer(roster)
        if peer.position < self._ring.start:
            self._read(peer, self._slice)
            return size
        size += (self.head - peer.position) * LOOKED
        data, reached = self._ring.slice(_share(peer), peer.position, SLICE)
        if reached is None:
            peer.position = self.head
            self._arrive(peer, data)
            peer.link.ready()
        else:
            peer.position = reached
            peer.answer(data)
            peer.flush()
            self._take_turn(peer)
        return size + len(data)

    def _arrive(self, peer: Peer, data: bytes) -> None:
        """At the head: the last slice, then live, before anything else can come between."""
        peer.live = True
        peer.told = peer.gaps = NOTHING
        for room in peer.here.rooms.values():
            room.live[peer] = peer.send
        peer.answer(data)
        peer.flush()

    def _read(self, peer: Peer, reading: Callable[[Peer], Coroutine[Any, Any, None]]) -> None:
        """Read for a connection, off the event loop; then it is its turn again."""

        async def read() -> None:
            try:
                await reading(peer)
            except OSError:
                # What was missed can't be read now: the client keeps its position and may come back with it.
                peer.link.close()
                return
            finally:
                peer.reading = False
            if not peer.gone:
                self._take_turn(peer)

        peer.reading = True
        task = asyncio.get_running_loop().create_task(read())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _slice(self, peer: Peer) -> None:
        """Write the next slice from the archive."""
        share = _share(peer)
        handles = {number: self.rooms[number].json for number in share.spans}
        data, reached = await self._archive.events(share, handles, peer.position, self.head, SLICE)
        if not peer.gone:
            peer.position = reached
            if data:
                peer.link.write(data)

    async def _survey(self, peer: Peer) -> None:
        """Look how much is missed, and tell where it is too much: from there on it goes on at the head."""
        after, upto = peer.position, self.head
        many, start = await self._archive.missed(_share(peer), after, upto, GAP)
        if peer.gone or not many:
            return
        peer.position = start
        for number in many:
            room = self.rooms[number]
            gap = Gap(room=room.handle, after=max(after, peer.gaps.get(number, 0)), before=upto + 1)
            peer.link.write(encode(gap))
            peer.gaps = {**peer.gaps, number: upto}
            self.gapped(peer, room)


def _share(peer: Peer) -> Share:
    """Return what of the log is to be sent to one who is behind. A copy: the archive reads by it in its thread."""
    return Share(peer.here.spans, dict(peer.gaps))


def _addressed(rooms: Iterable[Room]) -> list[tuple[dict[Peer, Send], bytes]]:
    """Return the live members of these rooms, each once, with their bytes: shared by all who are in the same of them.

    All at once, before the first is written to: who falls behind by that has been sent all up to the head.
    """
    rooms = [room for room in rooms if room.lines]
    if len(rooms) == 1:
        return [(rooms[0].live.copy(), _joined(rooms))]
    if len({}.fromkeys(chain.from_iterable(room.live for room in rooms))) == sum(len(room.live) for room in rooms):
        return [(room.live.copy(), _joined([room])) for room in rooms]  # nobody is in two of them, as nearly always
    of_peer: dict[Peer, tuple[Room, ...]] = {}
    for room in rooms:
        alone = (room,)
        for peer in room.live:
            of_peer[peer] = of_peer[peer] + alone if peer in of_peer else alone
    together: dict[tuple[Room, ...], dict[Peer, Send]] = {}
    for peer, several in of_peer.items():
        together.setdefault(several, {})[peer] = peer.send
    return [(peers, _joined(several)) for several, peers in together.items()]


def _joined(rooms: Sequence[Room]) -> bytes:
    """Return what these rooms say in this tick, in the order in which it was said."""
    lines = rooms[0].lines if len(rooms) == 1 else sorted(chain.from_iterable(room.lines for room in rooms), key=_seq)
    return lines[0][2] if len(lines) == 1 else b"".join([line for _, _, line, _ in lines])


_seq: Final = itemgetter(0)
