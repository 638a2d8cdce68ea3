"""What tests of delivery share: a hub's connections and archive, played."""

import asyncio
import re
from typing import Any

from server.chat.hub import Hub
from server.chat.world import Peer, Person, Room
from server.record.events import Share


class FakeLink:
    """A connection whose buffer is full when the test says so."""

    def __init__(self) -> None:
        self.address = self.host = "test"
        self.secure = False
        self.congested = False
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Take a write."""
        self.writes.append(data)

    def ready(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing to end."""

    def abort(self) -> None:
        """Nothing to end."""

    @property
    def seqs(self) -> list[int]:
        """The events that were written, in order."""
        return [int(number) for number in re.findall(rb"e(\d+)\n", b"".join(self.writes))]


class FakeArchive:
    """All events there ever were."""

    def __init__(self) -> None:
        self.all: list[tuple[int, int, bytes]] = []

    async def missed(self, share: Share, after: int, upto: int, most: int) -> tuple[list[int], int]:
        """Never too much here."""
        return [], after

    async def events(
        self, share: Share, handles: dict[int, bytes], after: int, upto: int, size: int
    ) -> tuple[bytes, int]:
        """Return slices of at most two events."""
        await asyncio.sleep(0)
        wanted = [entry for entry in self.all if entry[0] > after and entry[0] <= upto and entry[1] in share.spans][:2]
        return b"".join(line for _, _, line in wanted), wanted[-1][0] if len(wanted) == 2 else upto


def fake_archive() -> Any:
    """Return one: a hub asks for nothing else."""
    return FakeArchive()


def enter(
    hub: Hub, name: str, rooms: list[Room], position: int | None = None, link: FakeLink | None = None
) -> tuple[Peer, FakeLink]:
    """Let someone in who is a member of these rooms."""
    link = link or FakeLink()
    person = Person(name)
    person.rooms = {room.id: room for room in rooms}
    for room in rooms:
        person.stay(room.id, 0)
    peer = Peer(link, person=person, position=hub.head if position is None else position)
    person.peers = (*person.peers, peer)
    hub.follow(peer)
    return peer, link


async def settle() -> None:
    """Let everything that is due run."""
    for _ in range(200):
        await asyncio.sleep(0)
