"""What clients did and saw, as it happened: the material that the checker judges. No I/O but `read_archive`.

A client is a user, over all its connections; here a session has a user of its own, so a message is known by its user
and the client's number for it. Per message there are only numbers in arrays: what was said is kept once, however many
were shown it.
"""

import math
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import apsw
import msgspec

from server.record.events import FOREVER, GENERAL, Kind, MessageBody, RoomBody


class Said(NamedTuple):
    """A message."""

    room: str
    user: int
    id: int
    text: str


class Gap(NamedTuple):
    """The server said that between these two nothing of a room is shown."""

    room: str
    after: int
    before: int


Spans = list[tuple[int, int]]
"""After which seq, and up to which, someone is a member of a room."""


@dataclass(slots=True)
class Connection:
    """What one connection was shown, in order."""

    cursor: int
    """What lies after this seq is to be shown: the cursor of a `resume`, or the welcome's seq of who is new."""
    position: int
    """All up to here was shown, as the server said by a message or a ping."""
    seqs: "array[int]" = field(default_factory=lambda: array("q"))
    said: "array[int]" = field(default_factory=lambda: array("q"))
    """What stood at each seq, as its number in `History.said`."""
    gaps: list[Gap] = field(default_factory=list)


class Client:
    """One client's record. Times are seconds of one clock that never steps.

    Args:
        history: where it belongs to.
        user: the number that the server gave it.
    """

    def __init__(self, history: "History", user: int) -> None:
        self.user = user
        self.history = history
        self.connections: list[Connection] = []
        self.ids = array("q")
        self.said = array("q")
        self.starts = array("d")
        """Its sends, each once, however often it was sent again."""
        self.acked_ids = array("q")
        self.acked_seqs = array("q")
        self.acked_at = array("d")
        """Its acks: each `ok` and each own message that came back."""
        self.failed: list[int] = []
        """Ids that were refused for good."""
        self.joins: list[tuple[str, int]] = []
        self.leaves: list[tuple[str, int]] = []
        """Rooms entered and left, as the answers said, each with its seq."""
        self.resets: list[str] = []
        """Why the server would not go on with what this client held."""
        self.until: int | None = None
        """It was there to be shown all up to this seq; None where that is not known."""

    def send(self, id: int, room: str, text: str, at: float) -> None:
        """It sends a message. Called before the first byte goes; sending again is nothing new."""
        if self.ids and id <= self.ids[-1]:
            return
        self.ids.append(id)
        self.said.append(self.history.number(Said(room, self.user, id, text)))
        self.starts.append(at)

    def ack(self, id: int, seq: int, at: float) -> None:
        """It was told that a message is durable."""
        self.acked_ids.append(id)
        self.acked_seqs.append(seq)
        self.acked_at.append(at)

    def fail(self, id: int) -> None:
        """It was told that a message is not taken, and never will be."""
        self.failed.append(id)

    def connect(self, cursor: int) -> None:
        """It is welcomed, and what comes after this seq is to be shown."""
        self.connections.append(Connection(cursor, cursor))

    def show(self, seq: int, room: str, user: int, id: int, text: str) -> None:
        """It is shown a message."""
        connection = self.connections[-1]
        connection.seqs.append(seq)
        connection.said.append(self.history.number(Said(room, user, id, text)))
        connection.position = max(connection.position, seq)

    def reach(self, seq: int) -> None:
        """It is told that all up to a seq was shown."""
        self.connections[-1].position = max(self.connections[-1].position, seq)

    def gap(self, room: str, after: int, before: int) -> None:
        """It is told of a gap."""
        self.connections[-1].gaps.append(Gap(room, after, before))

    def join(self, room: str, seq: int) -> None:
        """It was told that it is a member of a room."""
        self.joins.append((room, seq))

    def leave(self, room: str, seq: int) -> None:
        """It was told that it is a member no more."""
        self.leaves.append((room, seq))

    def reset(self, why: str) -> None:
        """It was told that what it holds can't be gone on with; what follows is another client's record."""
        self.resets.append(why)


@dataclass
class Archive:
    """All messages as they stand in the end, ascending, and who was a member of what."""

    seqs: "array[int]" = field(default_factory=lambda: array("q"))
    said: "array[int]" = field(default_factory=lambda: array("q"))
    times: "array[int]" = field(default_factory=lambda: array("q"))
    """Milliseconds since 1970."""
    members: dict[int, dict[str, Spans]] = field(default_factory=dict)
    """By user; `general` is everyone's and not here."""

    def add(self, seq: int, said: int, time: int) -> None:
        """Take in a message."""
        self.seqs.append(seq)
        self.said.append(said)
        self.times.append(time)


class History:
    """The record of all clients."""

    def __init__(self) -> None:
        self.clients: dict[int, Client] = {}
        self.said: list[Said] = []
        """What was said by whomever, or was told to have been, by number."""
        self.archive = Archive()
        self._numbers: dict[Said, int] = {}

    def client(self, user: int) -> Client:
        """Return the record of a user."""
        if user not in self.clients:
            self.clients[user] = Client(self, user)
        return self.clients[user]

    def number(self, said: Said) -> int:
        """Return the number of what was said."""
        number = self._numbers.setdefault(said, len(self.said))
        if number == len(self.said):
            self.said.append(said)
        return number

    @property
    def acked(self) -> int:
        """Messages whose sender was told that they are durable."""
        return sum(len(set(client.acked_ids)) for client in self.clients.values())

    @property
    def shown(self) -> int:
        """Messages that were shown, each for each who was shown it."""
        return sum(len(connection.seqs) for client in self.clients.values() for connection in client.connections)


def read_archive(history: History, path: Path) -> None:
    """Read all messages and memberships straight from the database's file into `history.archive`."""
    archive = history.archive = Archive()
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        database.execute("BEGIN")
        body = msgspec.json.Decoder(MessageBody)
        room = msgspec.json.Decoder(RoomBody)
        rooms: dict[int, str] = {}
        for seq, made in database.execute("SELECT seq, body FROM events WHERE kind = ?", (Kind.ROOM,)):
            rooms[seq] = room.decode(made).handle
        query = "SELECT seq, room, user, id, body, time FROM events WHERE kind = ? ORDER BY seq"
        for seq, place, user, id, said, time in database.execute(query, (Kind.MESSAGE,)):
            archive.add(seq, history.number(Said(rooms[place], user, id, body.decode(said).text)), time)
        query = "SELECT seq, room, user, kind FROM events WHERE kind IN (?, ?) ORDER BY seq"
        for seq, place, user, kind in database.execute(query, (Kind.MEMBER, Kind.UNMEMBER)):
            spans = archive.members.setdefault(user, {}).setdefault(rooms[place], [])
            inside = bool(spans) and spans[-1][1] == FOREVER
            if kind == Kind.MEMBER and not inside:
                spans.append((seq, FOREVER))
            elif kind == Kind.UNMEMBER and inside:
                spans[-1] = (spans[-1][0], seq)
    finally:
        database.close()


def spans_of(archive: Archive, user: int) -> dict[str, Spans]:
    """Return in which rooms a user was a member, and when."""
    return {GENERAL: [(0, FOREVER)], **archive.members.get(user, {})}


NEVER = math.inf
"""When what was not acked was acked."""
