"""Clients that talk and take down what happens to them: the project's own, and a thin one for many messages."""

import asyncio
import contextlib
import json
import math
import random
from collections import Counter
from time import monotonic
from typing import Final

from faults.record import Client as Record
from faults.record import History
from msgspec import UNSET

from chat_tui.client import Client as ChatClient
from chat_tui.errors import ClientError, Refused
from server.protocol import codec, frames
from server.protocol.errors import Code

WAITS: Final = (0.01, 0.1)
"""Seconds before the next try to come back: some time between these."""

SILENCE: Final = 15.0
"""Seconds without a byte after which a connection is given up."""

AGAIN: Final = 0.1
"""Seconds before what could not be taken just now is sent again."""

_ANEW: Final = (Code.DIVERGED, Code.NO_SUCH_SESSION)
_LATER: Final = (Code.TRY_AGAIN, Code.NAME_TAKEN)


class Raw(asyncio.Protocol):
    """A thin client: lines in, lines out. It resumes, and sends again what was not acked.

    Args:
        history: what it takes down goes there.
        port: where the server, or a proxy, listens.
        name: its name.
        rooms: the rooms it is in, besides `general`.
        dice: decides when it comes back.
        window: messages that it keeps on their way by itself, to rooms by turns; 0: only what it is told to say.
    """

    def __init__(
        self, history: History, port: int, name: str, rooms: tuple[str, ...], dice: random.Random, window: int = 0
    ) -> None:
        self.name = name
        self.rooms = rooms
        self.acked = 0
        self.resent = 0
        """Messages that were sent once more."""
        self.cursor = 0
        self.oddities: Counter[str] = Counter()
        """Codes of errors that no fault of this run explains."""
        self.window = window
        self.record: Record | None = None
        self._history = history
        self._port = port
        self._dice = dice
        self._session = ""
        self._epoch = ""
        self._id = 0
        self._unacked: dict[int, bytes] = {}
        self._in: set[str] = set()
        self._transport: asyncio.Transport | None = None
        self._welcomed = False
        self._ended = asyncio.Event()
        self._rest = b""
        self._heard = 0.0
        self._again: asyncio.TimerHandle | None = None

    @property
    def unacked(self) -> int:
        """Messages on their way."""
        return len(self._unacked)

    @property
    def connected(self) -> bool:
        """It is in all its rooms."""
        return self._welcomed and self._in.issuperset(self.rooms)

    async def live(self) -> None:
        """Come in, and come back whenever the connection ends, until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._ended.clear()
                try:
                    await loop.create_connection(lambda: self, "127.0.0.1", self._port)
                except OSError:
                    pass
                else:
                    await self._until_silent()
                await asyncio.sleep(self._dice.uniform(*WAITS))
        finally:
            if self._again is not None:
                self._again.cancel()
            if self._transport is not None:
                self._transport.abort()

    def be_quiet(self) -> None:
        """Say nothing more by itself."""
        self.window = 0

    def say(self, room: str, text: str) -> None:
        """Send a message, now or once that is possible."""
        line = self._line(room, text)
        if self._welcomed and self._transport is not None:
            self._transport.write(line)

    async def _until_silent(self) -> None:
        """Wait until the connection has ended, or nothing was heard for so long that it must have."""
        while not self._ended.is_set():
            left = self._heard + SILENCE - monotonic()
            if left <= 0:
                assert self._transport is not None
                self._transport.abort()
                left = 1.0
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), left)

    def take_up(self, session: str, epoch: str, cursor: int, unacked: list[tuple[int, str, str]], last: int) -> None:
        """Go on as one that has ended: with its session, its cursor, what it had not heard of, and its last id."""
        self._session, self._epoch, self.cursor, self._id = session, epoch, cursor, last
        self._unacked = {id: _send_line(id, room, text) for id, room, text in unacked}

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._rest, self._welcomed, self._heard = transport, b"", False, monotonic()
        hello: dict[str, object] = {"type": "hello", "name": self.name, "backlog": 0, "resumes": True}
        if self._session:
            hello["resume"] = {"session": self._session, "epoch": self._epoch, "seq": self.cursor}
        transport.write(json.dumps(hello).encode() + b"\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Come back."""
        self._transport, self._welcomed = None, False
        self._ended.set()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        now = self._heard = monotonic()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            frame = codec.decode_server(line)
            if type(frame) is frames.Message:
                self._shown(frame, now)
            else:
                self._take(frame, now)
        if self._welcomed:
            self._fill()

    def _shown(self, frame: frames.Message, now: float) -> None:
        record = self.record
        assert record is not None
        id = 0 if frame.id is UNSET else frame.id
        record.show(frame.seq, frame.room, frame.user, id, frame.text)
        self.cursor = max(self.cursor, frame.seq)
        if frame.user == record.user:
            self._confirm(id, frame.seq, now)

    def _take(self, frame: frames.ServerFrame, now: float) -> None:
        match frame:
            case frames.Welcome():
                self._welcome(frame)
            case frames.Ok() if frame.id is not UNSET and frame.seq is not UNSET:
                self._confirm(frame.id, frame.seq, now)
            case frames.Ok() if frame.ref is not UNSET:
                assert self.record is not None
                self._in.add(frame.ref)
                if frame.seq is not UNSET:
                    self.record.join(frame.ref, frame.seq)
            case frames.Ping():
                assert self._transport is not None
                self._transport.write(b'{"type":"pong"}\n')
                if frame.seq is not UNSET and self.record is not None:
                    self.record.reach(frame.seq)
                    self.cursor = max(self.cursor, frame.seq)
            case frames.Gap():
                assert self.record is not None
                self.record.gap(frame.room, frame.after, frame.before)
            case frames.Error():
                self._refused(frame)

    def _welcome(self, frame: frames.Welcome) -> None:
        assert self._transport is not None
        if frame.session != self._session:
            self._session = frame.session
            self.cursor = frame.seq
        self.record = self._history.client(frame.user)
        self._epoch = frame.epoch
        self.record.connect(self.cursor)
        self._in = set(frame.rooms)
        self._welcomed = True
        for room in self.rooms:
            if room not in self._in:
                self._transport.write(b'{"type":"join","room":"%b","ref":"%b","backlog":0}\n' % (2 * (room.encode(),)))
        self._send_again()

    def _refused(self, frame: frames.Error) -> None:
        if frame.code in _ANEW:
            if self.record is not None:
                self.record.reset(frame.code)
            self._session, self._unacked = "", {}
            self._end()
        elif frame.code == Code.TRY_AGAIN and frame.id is not UNSET:
            if self._again is None:
                self._again = asyncio.get_running_loop().call_later(AGAIN, self._send_again)
        elif frame.code == Code.REPLACED:
            self._end()
        elif frame.id is not UNSET and self.record is not None:
            self.oddities[frame.code] += 1
            self.record.fail(frame.id)
            self._unacked.pop(frame.id, None)
        else:  # not let in just now, or not into a room: all begins again
            self.oddities[frame.code] += frame.code not in _LATER
            self._end()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # Sending.

    def _line(self, room: str, text: str) -> bytes:
        assert self.record is not None
        self._id += 1
        self.record.send(self._id, room, text, monotonic())
        line = self._unacked[self._id] = _send_line(self._id, room, text)
        return line

    def _fill(self) -> None:
        """Keep as many on their way as wanted; many at once, as soon as half of them are done."""
        if self._transport is None or not self.connected or len(self._unacked) * 2 > self.window:
            return
        rooms = ("general", *self.rooms)
        lines = [self._line(self._dice.choice(rooms), f"{self.name} {self._id}") for _ in range(-(-self.window // 2))]
        self._transport.write(b"".join(lines))

    def _send_again(self) -> None:
        """Send all that was not acked, in order, with the same ids."""
        self._again = None
        if self._transport is not None and self._welcomed and self._unacked:
            self._transport.write(b"".join(self._unacked.values()))
            self.resent += len(self._unacked)

    def _confirm(self, id: int, seq: int, now: float) -> None:
        assert self.record is not None
        self.record.ack(id, seq, now)
        self.acked += self._unacked.pop(id, None) is not None


def _send_line(id: int, room: str, text: str) -> bytes:
    return b'{"type":"send","id":%d,"room":"%b","text":"%b"}\n' % (id, room.encode(), text.encode())


class Headless:
    """The project's own client, used as the terminal uses it.

    Args:
        history: what it takes down goes there.
        port: where the server, or a proxy, listens.
        name: its name.
        rooms: the rooms it is in, besides `general`.
        dice: decides when it comes back.
    """

    def __init__(self, history: History, port: int, name: str, rooms: tuple[str, ...], dice: random.Random) -> None:
        self.chat = ChatClient("127.0.0.1", port, name, backlog=0)
        self.name = name
        self.rooms = rooms
        self.acked = 0
        self.oddities: Counter[str] = Counter()
        self.record: Record | None = None
        self._history = history
        self._dice = dice
        self._unacked: set[int] = set()
        self._in: set[str] = set()

    @property
    def cursor(self) -> int:
        """All up to here was shown to it."""
        return self.chat.seq

    @property
    def unacked(self) -> int:
        """Messages on their way."""
        return len(self._unacked)

    @property
    def connected(self) -> bool:
        """It is in all its rooms."""
        return self.chat.connected and self._in.issuperset(self.rooms)

    async def live(self) -> None:
        """Come in, and come back whenever the connection ends, until cancelled."""
        try:
            while True:
                try:
                    await self.come_in()
                except Refused as refusal:
                    self.oddities[refusal.code] += refusal.code not in _LATER
                except ClientError:
                    pass
                else:
                    await self.listen()
                await asyncio.sleep(self._dice.uniform(*WAITS))
        finally:
            await self.chat.close()

    async def come_in(self) -> None:
        """Come back if that is possible, else anew."""
        session, cursor = self.chat.session, self.chat.seq
        welcome = await self.chat.reconnect()
        if welcome.session != session:
            if self.record is not None:
                self.record.reset("a new session")
            self.record = self._history.client(welcome.user)
            self._unacked.clear()
            cursor = welcome.seq
        assert self.record is not None
        self.record.connect(cursor)
        self._in = set(welcome.rooms)

    async def listen(self, until: float = math.inf) -> None:
        """Take down what is said, until the connection ends or a message of this seq, or later, was shown."""
        assert self.record is not None
        joining = asyncio.create_task(self._join())
        async for batch in self.chat.batches():
            now = monotonic()
            for frame in batch:
                self._take(frame, now)
            if self.record.connections[-1].position >= until:
                break
        else:
            self.record.reach(self.chat.seq)
        await joining

    def be_quiet(self) -> None:
        """Say nothing more by itself: it never does."""

    def say(self, room: str, text: str) -> None:
        """Send a message, now or once that is possible."""
        assert self.record is not None
        at = monotonic()
        id = self.chat.post(text, room=room).id
        self.record.send(id, room, text, at)
        self._unacked.add(id)

    async def _join(self) -> None:
        try:
            for room in self.rooms:
                if room not in self._in:
                    await self.chat.join(room)
                    self._in.add(room)
        except ClientError:
            pass  # the connection has ended: the next welcome says where it is in

    def _take(self, frame: frames.ServerFrame, now: float) -> None:
        record = self.record
        assert record is not None
        match frame:
            case frames.Message():
                id = 0 if frame.id is UNSET else frame.id
                record.show(frame.seq, frame.room, frame.user, id, frame.text)
                if frame.user == record.user:
                    self._confirm(id, frame.seq, now)
            case frames.Ok() if frame.id is not UNSET and frame.seq is not UNSET:
                self._confirm(frame.id, frame.seq, now)
            case frames.Gap():
                record.gap(frame.room, frame.after, frame.before)
            case frames.Error() if frame.id is not UNSET:
                self.oddities[frame.code] += 1
                record.fail(frame.id)
                self._unacked.discard(frame.id)
            case frames.Error() if frame.code != Code.REPLACED:
                self.oddities[frame.code] += 1

    def _confirm(self, id: int, seq: int, now: float) -> None:
        assert self.record is not None
        self.record.ack(id, seq, now)
        self.acked += id in self._unacked
        self._unacked.discard(id)
