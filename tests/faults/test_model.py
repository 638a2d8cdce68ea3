"""The whole protocol against a model: any order of what clients, the network and the disk may do.

The sessions, the rules, the log and the archive are the real ones, on a real file; only the sockets are played. After
each step every answer, every delivered message, its order and every roster is what the model says.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import apsw
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import UnsetType
from support import PATIENCE

from server.archive.reader import ThreadedArchive
from server.archive.search import SearchIndex
from server.chat.chat import Chat
from server.chat.limits import Limits
from server.identity.passwords import ArgonPasswords
from server.log.sqlite import SqliteLog
from server.net.session import Session
from server.net.sessions import Sessions
from server.protocol import frames
from server.protocol.codec import decode_server, encode
from server.record.entries import Entry
from server.record.events import FOREVER

NAMES = {"alice": 0, "ALICE": 0, "аlice": 0, "bob": 1, "Bob": 1, "carol": 2, "dave": 3}
"""Names, and which look alike: the third begins with a Cyrillic letter."""

ROOMS = ["general", "dev", "ops"]

Log = list[tuple[int, str, int, int, str, str]]
"""Seq, room, user, id (0 for none), sender and text of each message."""


class Socket(asyncio.Transport):
    """The server's end of a connection whose other end the test plays."""

    def __init__(self) -> None:
        super().__init__()
        self.session: Session
        self.frames: list[frames.ServerFrame] = []
        self.slow = False
        self.full = False
        self.closed = False

    def write(self, data: Any) -> None:
        """Take what is written; where the reader is slow, that fills the buffer."""
        if not self.closed:
            self.frames += [decode_server(line) for line in bytes(data).split(b"\n")[:-1]]
            if self.slow and not self.full:
                self.full = True
                self.session.pause_writing()

    def drain(self) -> None:
        """The reader has taken all."""
        self.slow = False
        if self.full:
            self.full = False
            self.session.resume_writing()

    def close(self) -> None:
        """Both ends are told."""
        self.end(None)

    abort = close

    def end(self, error: Exception | None) -> None:
        """The connection ends, by an error or in order."""
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.session.connection_lost, error)

    def is_closing(self) -> bool:
        """Whether it has ended."""
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """It comes from this machine."""
        return ("127.0.0.1", 1) if name == "peername" else default

    def get_write_buffer_size(self) -> int:
        """Nothing is kept here."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """How much is too much is the test's to say."""

    def pause_reading(self) -> None:
        """The test says one thing at a time."""

    def resume_reading(self) -> None:
        """The same."""


class House:
    """The server, but for its sockets."""

    def __init__(self, path: Path) -> None:
        self.log = SqliteLog(path)
        index = SearchIndex(path, path.with_name("search.db"), lambda _seqs: None)
        self.archive = ThreadedArchive(path, index)
        self.chat = Chat(
            self.log,
            self.archive,
            self.log.open(),
            "test",
            replace(Limits.off(), grace=3600),
            passwords=ArgonPasswords(),
        )
        self.sessions = Sessions()
        self.fails = False
        self._write = self.log._writer.write
        self.log._writer.write = self._write_or_fail  # type: ignore[method-assign]
        self.log.start(self.chat.committed)

    def _write_or_fail(self, entries: list[Entry]) -> None:
        if self.fails:
            self.fails = False
            raise apsw.FullError("database or disk is full")
        self._write(entries)

    async def connect(self) -> Socket:
        """Take a connection."""
        socket = Socket()
        socket.session = Session(self.chat, self.sessions)
        socket.session.connection_made(socket)
        return socket

    async def settle(self) -> None:
        """Wait until nothing moves any more."""
        calm = 0
        async with asyncio.timeout(PATIENCE):
            while calm < 5:
                peers = [cast(Session, session)._peer for session in self.sessions]
                waiting = any(peer.pages and not peer.link.congested for peer in peers)
                reading = any(peer.reading or peer.paging for peer in peers)
                busy = self.log._queued > self.log._back or self.log._tick or self.chat.hub._turns or waiting or reading
                calm = 0 if busy else calm + 1
                await asyncio.sleep(0.0005 if busy else 0)
                if calm == 2:
                    self.chat.presence.flush()

    async def close(self) -> None:
        """End it as a server ends."""
        self.chat.stop_taking()
        await self.log.close()
        await self.archive.close()
        self.chat.shut_down(list(self.sessions), "end")
        await asyncio.wait_for(self.sessions.empty.wait(), PATIENCE)


@dataclass(eq=False)
class Client:
    """One user with one session, as the model knows them."""

    user: int
    token: str
    name: str
    resumes: bool
    socket: Socket | None
    start: int
    """The seq after which this connection is sent everything."""
    cursors: list[tuple[str, int]]
    here: bool = True
    """Others see them: connected, or expected back."""
    absences: dict[str, int] = field(default_factory=dict)
    """Rooms that were left and entered again after the position that this connection came back with: up to when."""
    gaps: dict[str, int] = field(default_factory=dict)
    """What it was told of that."""
    looked: int = 0
    seen: Log = field(default_factory=list)
    rosters: dict[str, set[str]] = field(default_factory=dict)
    more: bool = False
    me: str = ""
    """The name that this connection was told."""
    last_id: int = 0
    held: set[int] = field(default_factory=set)
    taken: dict[int, tuple[int, str, str]] = field(default_factory=dict)
    """Per id the seq, room and text."""

    def take(self) -> None:
        """Take in what the connection has brought."""
        assert self.socket is not None
        for frame in self.socket.frames[self.looked :]:
            if isinstance(frame, frames.Message):
                number = 0 if isinstance(frame.id, UnsetType) else frame.id
                self.seen.append((frame.seq, frame.room, frame.user, number, frame.sender, frame.text))
            elif isinstance(frame, frames.Gap):
                self.gaps[frame.room] = frame.before - 1
            elif isinstance(frame, frames.Roster):
                known = self.rosters.get(frame.room, set()) if self.more else set()
                self.rosters[frame.room] = known | set(frame.names)
                self.more = frame.more
            elif isinstance(frame, frames.Joined):
                self.rosters[frame.room] |= set(frame.names)
            elif isinstance(frame, frames.Left) and self.me in frame.names:
                self.rosters.pop(frame.room, None)
            elif isinstance(frame, frames.Left):
                self.rosters[frame.room] -= set(frame.names)
            elif isinstance(frame, frames.Renamed):
                if frame.user == self.user:
                    self.me = frame.new
                for names in self.rosters.values():
                    if frame.old in names:
                        names.remove(frame.old)
                        names.add(frame.new)
        self.looked = len(self.socket.frames)


some = st.integers(0, 5)
rooms = st.sampled_from([*ROOMS, "nowhere"])
texts = st.sampled_from(["hi", "there", "again"])


class Protocol(RuleBasedStateMachine):
    """What clients, the network and the disk may do."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.house = self.run(self._open())
        self.clients: list[Client] = []
        self.log: Log = []
        self.head = 0
        self.members: dict[str, dict[int, list[tuple[int, int]]]] = {"general": {}}
        self.refs = 0

    async def _open(self) -> House:
        return House(self.folder / "chat.db")

    def run(self, work: Any) -> Any:
        """Let the server work on something until nothing moves."""
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        """End the server."""
        self.run(self.house.close())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.folder)

    # What the model knows.

    def spans(self, room: str, client: Client) -> list[tuple[int, int]]:
        """Return the spans of the log in which someone is a member."""
        return [(0, FOREVER)] if room == "general" else self.members.get(room, {}).get(client.user, [])

    def inside(self, room: str, client: Client) -> bool:
        """Say whether someone is a member now."""
        spans = self.spans(room, client)
        return bool(spans) and spans[-1][1] == FOREVER

    def taken(self, name: str, client: Client | None) -> bool:
        """Say whether a name is, or looks like, someone else's."""
        return any(other.here and other is not client and NAMES[other.name] == NAMES[name] for other in self.clients)

    def new(self, seq: int) -> int:
        """Take in the seq of a new event."""
        assert seq > self.head
        self.head = seq
        return seq

    def who(self, number: int, holds: Callable[[Client], bool]) -> Client | None:
        """Return one of those for whom something holds."""
        fitting = [client for client in self.clients if holds(client)]
        return fitting[number % len(fitting)] if fitting else None

    def talker(self, number: int) -> Client | None:
        """Return one who is connected and reads."""
        return self.who(number, lambda client: client.socket is not None and not client.socket.slow)

    # Requests and answers.

    def ask(self, socket: Socket, **fields: Any) -> Any:
        """Say something and return its one answer."""
        self.refs += 1
        ref = f"r{self.refs}"
        kinds = {"history": frames.HistoryRequest, "hello": frames.Hello, "join": frames.Join, "leave": frames.Leave}
        kinds |= {"send": frames.Send, "withdraw": frames.Withdraw, "nick": frames.Nick, "quit": frames.Quit}
        line = encode(kinds[fields.pop("type")](ref=ref, **fields))

        async def say() -> None:
            socket.session.data_received(line)
            await self.house.settle()

        self.run(say())
        answers = [frame for frame in socket.frames if getattr(frame, "ref", None) == ref]
        assert len(answers) == 1, answers
        return answers[0]

    def refused(self, answer: Any, code: str) -> None:
        """Check that something was refused for this reason."""
        assert isinstance(answer, frames.Error), answer
        assert answer.code == code

    # Coming.

    @initialize(dave=st.booleans())
    def begin(self, dave: bool) -> None:
        """There are some already, who have said something in two rooms."""
        for name in ("alice", "bob", "dave") if dave else ("alice", "bob"):
            self.come(name, True)
        for number in range(len(self.clients)):
            self.join(number, "dev", False)
            for room in ("general", "dev"):
                self.send(number, room, "hi", "next", 0, False)

    @precondition(lambda self: len(self.clients) < 5)
    @rule(name=st.sampled_from(list(NAMES)), resumes=st.booleans())
    def come(self, name: str, resumes: bool) -> None:
        """Someone new says hello."""
        socket = self.run(self.house.connect())
        answer = self.ask(socket, type="hello", name=name, resumes=resumes, backlog=0)
        if self.taken(name, None):
            self.refused(answer, "name_taken")
            self.lose(socket)
            return
        assert (answer.name, answer.rooms, answer.resumed) == (name, ["general"], False)
        assert answer.seq >= self.head
        cursor = (answer.epoch, answer.seq)
        client = Client(answer.user, answer.session, name, resumes, socket, answer.seq, [cursor], me=name)
        assert client.user not in {other.user for other in self.clients}
        self.clients.append(client)

    @precondition(lambda self: self.clients)
    @rule(
        number=some,
        how=st.sampled_from(["last", "last", "older", "session", "future", "epoch", "secret"]),
        name=st.sampled_from([None, None, None, *NAMES]),
        resumes=st.booleans(),
        which=some,
    )
    def come_back(self, number: int, how: str, name: str | None, resumes: bool, which: int) -> None:
        """Someone resumes: while still connected, within the grace time, long after, or after a restart."""
        client = self.clients[number % len(self.clients)]
        name = name or client.name
        epoch, seq = client.cursors[which % len(client.cursors)] if how == "older" else client.cursors[-1]
        if how == "future":
            epoch, seq = self.house.log.epoch, self.house.log.head + 1
        if how == "epoch":
            epoch = "0" * 16
        if how == "session":
            epoch, seq = "", 0
        token = "0" * 32 if how == "secret" else client.token
        socket = self.run(self.house.connect())
        resume = frames.Resume(token, epoch, seq)
        answer = self.ask(socket, type="hello", name=name, resumes=resumes, backlog=0, resume=resume)
        refusal = {"future": "diverged", "epoch": "diverged", "secret": "no_such_session"}.get(how)
        if refusal is None and self.taken(name, client):
            refusal = "name_taken"
        if refusal:
            self.refused(answer, refusal)
            self.lose(socket)
            return
        assert (answer.user, answer.name, answer.resumed) == (client.user, name, how != "session")
        assert set(answer.rooms) == {room for room in self.members if self.inside(room, client)}
        if client.socket is not None:
            assert client.socket.closed
            last = client.socket.frames[-1]
            assert isinstance(last, frames.Error)
            assert last.code == "replaced"
        client.socket, client.start = socket, answer.seq if how == "session" else seq
        client.here, client.name, client.me, client.resumes = True, name, name, resumes
        client.looked, client.seen, client.rosters, client.more, client.gaps = 0, [], {}, False, {}
        spans = {room: self.spans(room, client) for room in answer.rooms}
        client.absences = {room: of[-1][0] for room, of in spans.items() if len(of) > 1 and of[-1][0] > client.start}
        client.cursors.append((answer.epoch, client.start))

    # Going.

    def lose(self, socket: Socket, error: Exception | None = None) -> None:
        """A connection ends."""

        async def end() -> None:
            socket.end(error)
            await self.house.settle()

        self.run(end())

    def gone(self, client: Client, *, here: bool) -> None:
        """Note that someone is connected no more."""
        client.socket, client.here = None, here
        client.held.clear()  # who comes back sends again what was refused, in order

    @precondition(lambda self: any(client.socket for client in self.clients))
    @rule(number=some)
    def cut(self, number: int) -> None:
        """A connection is lost; its name is kept for a while."""
        if client := self.who(number, lambda client: client.socket is not None):
            assert client.socket is not None
            self.lose(client.socket, ConnectionResetError())
            self.gone(client, here=True)

    @precondition(lambda self: self.talker(0))
    @rule(number=some)
    def end_of_file(self, number: int) -> None:
        """A client says no more: it has left, if it does not keep its session."""
        if client := self.talker(number):
            assert client.socket is not None
            socket = client.socket

            async def end() -> None:
                socket.session.eof_received()
                await self.house.settle()

            self.run(end())
            assert socket.closed
            self.gone(client, here=client.resumes)

    @precondition(lambda self: self.talker(0))
    @rule(number=some)
    def leave_for_good(self, number: int) -> None:
        """Someone quits."""
        if client := self.talker(number):
            assert client.socket is not None
            assert isinstance(self.ask(client.socket, type="quit"), frames.Ok)
            assert client.socket.closed
            self.gone(client, here=False)

    @precondition(lambda self: any(client.here and client.socket is None for client in self.clients))
    @rule(number=some)
    def grace_is_over(self, number: int) -> None:
        """Someone did not come back in time."""
        if client := self.who(number, lambda client: client.here and client.socket is None):
            person = self.house.chat.entrance.people[client.user]

            async def fire() -> None:
                assert person.grace is not None
                person.grace.cancel()
                self.house.chat.entrance._gone(person, "connection lost")
                await self.house.settle()

            self.run(fire())
            client.here = False

    @rule()
    def restart(self) -> None:
        """The server ends and starts again on the same file."""
        self.run(self.house.close())
        self.house = self.run(self._open())
        for client in self.clients:
            self.gone(client, here=False)

    # Reading.

    @precondition(lambda self: self.talker(0))
    @rule(
        number=some,
        turns=st.lists(st.tuples(some, st.sampled_from(["general", "dev"])), min_size=1, max_size=5),
        name=st.sampled_from([None, *NAMES]),
        then=st.sampled_from(["", "drain", "drain", "cut"]),
    )
    def read_slowly(self, number: int, turns: list[tuple[int, str]], name: str | None, then: str) -> None:
        """Someone takes nothing for a while, others talk on and change, and it takes all now or later, or is cut."""
        if client := self.talker(number):
            assert client.socket is not None
            client.socket.slow = True
            self.talk(turns)
            if name:
                self.come_back(number + 1, "last", name, True, 0)
                self.talk(turns)
            else:
                self.leave_for_good(number + 1)
            self.everyone_has_what_is_theirs()
            if then == "drain":
                self.drain_one(client)
            elif then == "cut":
                self.lose(client.socket, ConnectionResetError())
                self.gone(client, here=True)

    @precondition(lambda self: any(client.socket and client.socket.slow for client in self.clients))
    @rule(number=some)
    def drain(self, number: int) -> None:
        """Someone takes all again."""
        if client := self.who(number, lambda client: client.socket is not None and client.socket.slow):
            self.drain_one(client)

    def drain_one(self, client: Client) -> None:
        """Someone takes all that waits for them."""

        async def take(socket: Socket) -> None:
            socket.drain()
            await self.house.settle()

        assert client.socket is not None
        self.run(take(client.socket))

    @precondition(lambda self: self.talker(0))
    @rule(
        number=some,
        room=rooms,
        bound=st.sampled_from(["", "before", "after", "around"]),
        at=st.integers(0, 60),
        limit=st.sampled_from([1, 2, 3, 500]),
    )
    def read_a_page(self, number: int, room: str, bound: str, at: int, limit: int) -> None:
        """Someone asks for history."""
        client = self.talker(number)
        if client is None:
            return
        assert client.socket is not None
        answer = self.ask(client.socket, type="history", room=room, limit=limit, **({bound: at} if bound else {}))
        if room not in self.members:
            self.refused(answer, "no_such_room")
        elif not self.inside(room, client):
            self.refused(answer, "not_a_member")
        else:
            seqs = [message[0] for message in self.log if message[1] == room]
            if bound == "after":
                page = [seq for seq in seqs if seq > at][:limit]
            elif bound == "around":
                older, newer = [seq for seq in seqs if seq <= at], [seq for seq in seqs if seq > at]
                half = limit // 2
                page = older[-half - 1 :] + newer[: limit - half]
            else:
                page = [seq for seq in seqs if not bound or seq < at][-limit:]
            assert [message.seq for message in answer.messages] == page
            if page:
                assert (answer.more, answer.more_after) == (seqs[0] < page[0], seqs[-1] > page[-1])

    # Rooms.

    @precondition(lambda self: self.talker(0))
    @rule(number=some, room=st.sampled_from(ROOMS), fails=st.booleans())
    def join(self, number: int, room: str, fails: bool) -> None:
        """Someone makes or enters a room."""
        client = self.talker(number)
        if client is None:
            return
        assert client.socket is not None
        inside = self.inside(room, client)
        self.house.fails = fails and not inside
        answer = self.ask(client.socket, type="join", room=room, backlog=0)
        if fails and not inside:
            self.refused(answer, "try_again")
            return
        assert isinstance(answer, frames.Ok)
        if not inside:
            assert isinstance(answer.seq, int)
            self.members.setdefault(room, {}).setdefault(client.user, []).append((self.new(answer.seq), FOREVER))

    @precondition(lambda self: self.talker(0))
    @rule(number=some, room=rooms, fails=st.booleans())
    def leave(self, number: int, room: str, fails: bool) -> None:
        """Someone stops being a member."""
        client = self.talker(number)
        if client is None:
            return
        assert client.socket is not None
        inside = room != "general" and self.inside(room, client)
        self.house.fails = fails and inside
        answer = self.ask(client.socket, type="leave", room=room)
        if room not in self.members:
            self.refused(answer, "no_such_room")
        elif not inside:
            self.refused(answer, "bad_room" if room == "general" else "not_a_member")
        elif fails:
            self.refused(answer, "try_again")
        else:
            spans = self.members[room][client.user]
            spans[-1] = (spans[-1][0], self.new(answer.seq))

    @precondition(lambda self: self.talker(0))
    @rule(number=some, name=st.sampled_from(list(NAMES)), fails=st.booleans())
    def nick(self, number: int, name: str, fails: bool) -> None:
        """Someone takes another name."""
        client = self.talker(number)
        if client is None:
            return
        assert client.socket is not None
        taken = self.taken(name, client)
        self.house.fails = fails and not taken and name != client.name
        failing = self.house.fails
        answer = self.ask(client.socket, type="nick", name=name)
        if taken:
            self.refused(answer, "name_taken")
        elif failing:
            self.refused(answer, "try_again")
        else:
            assert isinstance(answer, frames.Ok)
            client.name = name

    # Saying.

    @precondition(lambda self: self.talker(0))
    @rule(
        number=some,
        room=rooms,
        text=texts,
        how=st.sampled_from(["next", "next", "next", "skip", "held", "again", "lower", "none"]),
        which=some,
        fails=st.sampled_from([False, False, True]),
    )
    def send(self, number: int, room: str, text: str, how: str, which: int, fails: bool) -> None:
        """Someone says something, for the first time or again; now and then it can't be written."""
        client = self.talker(number)
        if client is None:
            return
        assert client.socket is not None
        top = max([client.last_id, *client.held])
        number = {"next": top + 1, "skip": top + 3, "lower": max(1, client.last_id - 1), "none": 0}.get(how, top + 1)
        if how == "held" and client.held:
            number = sorted(client.held)[which % len(client.held)]
        if how == "again" and client.taken:
            number = sorted(client.taken)[which % len(client.taken)]
            if which % 2:
                _, room, text = client.taken[number]
        self.house.fails = fails
        answer = self.ask(client.socket, type="send", room=room, text=text, **({"id": number} if number else {}))
        untried, self.house.fails = self.house.fails, False
        if room not in self.members or not self.inside(room, client):
            self.refused(answer, "not_a_member" if room in self.members else "no_such_room")
            client.held.discard(number)
        elif fails:
            assert not untried
            self.refused(answer, "try_again")
            if number > client.last_id:
                client.held.add(number)
        elif number in client.taken:
            seq, *same = client.taken[number]
            if same == [room, text]:
                assert (answer.seq, answer.id) == (seq, number)
            else:
                self.refused(answer, "id_reused")
        elif number and number <= client.last_id:
            self.refused(answer, "id_order")
        elif number and client.held and number > min(client.held):
            self.refused(answer, "try_again")
            client.held.add(number)
        else:
            assert isinstance(answer, frames.Ok), answer
            assert isinstance(answer.seq, int)
            self.log.append((self.new(answer.seq), room, client.user, number, client.name, text))
            if number:
                client.last_id = number
                client.held.discard(number)
                client.taken[number] = (answer.seq, room, text)

    @precondition(lambda self: self.talker(0))
    @rule(turns=st.lists(st.tuples(some, st.sampled_from(["general", "dev"])), min_size=2, max_size=8))
    def talk(self, turns: list[tuple[int, str]]) -> None:
        """Several say something, one after the other."""
        for number, room in turns:
            self.send(number, room, "hi", "next", 0, False)

    @precondition(lambda self: self.talker(0))
    @rule(number=some, more=st.integers(1, 3), how=st.sampled_from(["held", "next", "withdraw", "lost"]))
    def talk_while_the_disk_is_full(self, number: int, more: int, how: str) -> None:
        """One message can't be written; later ones wait until it comes again or is withdrawn."""
        self.send(number, "general", "hi", "next", 0, True)
        for _ in range(more):
            self.send(number, "general", "there", "next", 0, False)
        for _ in range(more):
            if how == "withdraw":
                self.withdraw(number, 5)
            else:
                self.send(number, "general", "again", how, 0, how == "lost")

    @precondition(lambda self: self.talker(0))
    @rule(number=some, turns=st.lists(st.tuples(some, st.just("dev")), min_size=1, max_size=4), which=some)
    def go_and_return(self, number: int, turns: list[tuple[int, str]], which: int) -> None:
        """Someone leaves a room, others talk there, it returns, and comes back from an older position."""
        if client := self.talker(number):
            self.join(number, "dev", False)
            self.leave(number, "dev", False)
            self.talk(turns)
            self.join(number, "dev", False)
            self.talk(turns)
            self.everyone_has_what_is_theirs()
            self.come_back(self.clients.index(client), "older", None, True, which)

    @precondition(lambda self: self.talker(0))
    @rule(number=some, which=some)
    def withdraw(self, number: int, which: int) -> None:
        """Someone takes back what may have been taken."""
        client = self.talker(number)
        if client is None:
            return
        assert client.socket is not None
        known = sorted({*client.held, *client.taken}) or [1]
        number = known[which % len(known)]
        answer = self.ask(client.socket, type="withdraw", id=number)
        assert isinstance(answer, frames.Ok)
        assert answer.id == number
        assert (answer.seq or 0) == client.taken.get(number, (0,))[0]
        client.held.discard(number)

    # What must hold after each step.

    @invariant()
    def everyone_has_what_is_theirs(self) -> None:
        """Each connection was sent its rooms' messages, once and in order; at the head also who is here."""
        for client in self.clients:
            if client.socket is None:
                continue
            client.take()
            expected = [
                message
                for message in self.log
                if message[0] > max(client.start, client.absences.get(message[1], 0))
                and any(since < message[0] <= until for since, until in self.spans(message[1], client))
            ]
            assert client.gaps == client.absences
            if client.socket.full:
                assert client.seen == expected[: len(client.seen)]
                continue
            assert client.seen == expected
            if client.seen:
                client.cursors.append((self.house.log.epoch, client.seen[-1][0]))
            assert client.rosters == {
                room: {other.name for other in self.clients if other.here and self.inside(room, other)}
                for room in self.members
                if self.inside(room, client)
            }

    @invariant()
    def who_is_connected_is_known(self) -> None:
        """Nobody else is, nobody less."""
        connected = {peer.here.user for peer in self.house.chat.entrance.peers()}
        assert connected == {client.user for client in self.clients if client.socket is not None}
        assert set(self.house.chat.entrance.people) == {client.user for client in self.clients if client.here}


def test_the_protocol_is_what_the_model_says() -> None:
    """Whatever the order: see the rules."""
    run_state_machine_as_test(
        Protocol,
        settings=settings(
            max_examples=14,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
