"""A client: one person's presence on a server, from a program."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, TypeVar

from msgspec import UNSET

from chat_tui.client.connection import Connection
from chat_tui.client.outbox import Outbox, Pending, Sent
from chat_tui.errors import ClientError, Lost, NotAChatServer, NotConnected, Refused, Unreachable
from server.protocol import frames, limits
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import check_name, check_text

_Answer = TypeVar("_Answer", frames.Ok, frames.History)


class Client:
    """Talk to a chat server.

        async with Client("127.0.0.1", 7373, "alice") as chat:
            await chat.send("hello")
            async for frame in chat.events():
                ...

    Messages are numbered here. One that was not confirmed when the connection ended is kept, and sent again with its
    number by `reconnect`. Everything belongs to one event loop.

    Args:
        host: where the server listens.
        port: its port.
        name: the name to take.
        backlog: latest messages wanted of each room on entering, 0 for none.
        patience: seconds to wait for a connection and for each answer.
    """

    def __init__(self, host: str, port: int, name: str, *, backlog: int = limits.PAGE, patience: float = 10.0) -> None:
        self.host = host
        self.port = port
        self.name = name
        self.user: int | None = None
        self.rooms: list[str] = []
        self.server = ""
        """The server's program and version, for people."""
        self.session = ""
        """Secret that proves who comes back; empty before the first welcome."""
        self.epoch = ""
        self.seq = 0
        """All up to here has been received."""
        self.ended: ClientError | None = None
        """Why the last connection ended; None while connected or where this side ended it."""
        self.unsure: list[Pending] = []
        """Own messages of a session that could not be resumed: nobody knows whether they were taken."""
        self._backlog = backlog
        self._patience = patience
        self._connection: Connection | None = None
        self._outbox = Outbox(self._write)
        self._refs = 0
        self._asked: dict[str, asyncio.Future[frames.Ok | frames.History]] = {}
        self._greeting: asyncio.Future[frames.Welcome] | None = None
        self._in = False
        self._unpaged: dict[str, int] = {}
        """Rooms whose first page has not come yet, each with the seq it reaches up to."""

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.quit()

    # Coming and going.

    @property
    def connected(self) -> bool:
        """A welcome came on a connection that has not ended."""
        return self._in

    async def connect(self) -> frames.Welcome:
        """Connect and come in under `name`.

        Raises:
            Unreachable: nobody listens there.
            NotAChatServer: something else answers.
            Refused: the server does not take this name, or anyone. The connection may still be open: set another
                `name` and call again.
            Lost: the connection ended before the welcome.
        """
        self.session = ""
        return await self._come_in(None)

    async def reconnect(self) -> frames.Welcome:
        """Come back to the same session: the name is ours at once, and what was missed follows.

        Where the server does not know the session any more, or its log is another one, this comes in anew:
        `session` is another one then. Raises as `connect` does.
        """
        if not self.session:
            return await self.connect()
        resume = frames.Resume(session=self.session, epoch=self.epoch, seq=self.seq)
        try:
            return await self._come_in(resume)
        except Refused as refusal:
            if refusal.code not in (Code.NO_SUCH_SESSION, Code.DIVERGED):
                raise
        return await self.connect()

    async def quit(self, reason: str = "") -> None:
        """Leave for good: others are told at once. Waits a moment for the server to close."""
        connection = self._connection
        if connection is None or connection.ended.done():
            return
        if self._in:
            connection.write(frames.Quit(reason=reason[: limits.REASON_CHARS]))
            connection.expect_end()
            await asyncio.wait([connection.ended], timeout=min(self._patience, 1.0))
        await self.close()

    async def close(self) -> None:
        """End the connection without a word: the name is kept for a while. Takes a second at most."""
        if self._connection is not None:
            await self._connection.end(1.0)

    # Talking.

    def post(self, text: str, *, room: str = "general", me: bool = False) -> Pending:
        """Send a message without waiting; while not connected it is kept for the next connection.

        Its end shows in `batches`: as a message with its id, or as an error with its id.

        Raises:
            Refused: it can't be a message: empty, or too long.
        """
        try:
            return self._outbox.post(room, check_text(text), me)
        except ProtocolError as error:
            raise Refused(error.code, error.message) from error

    async def send(self, text: str, *, room: str = "general", me: bool = False) -> Sent:
        """Send a message; return once it is durable.

        Raises:
            NotConnected: nothing was sent.
            Refused: the server does not take it.
            Lost: the connection ended before it was confirmed; `reconnect` sends it again.
        """
        self._live()
        message = self.post(text, room=room, me=me)
        message.done = asyncio.get_running_loop().create_future()
        self._read_on()
        return await message.done

    def withdraw(self, id: int) -> None:
        """Forget a message that is not sent yet; one that was refused is forgotten already."""
        message = self._outbox.pending.get(id)
        if message is not None and not message.session:
            del self._outbox.pending[id]

    @property
    def unconfirmed(self) -> list[Pending]:
        """Own messages on their way, oldest first."""
        return list(self._outbox.pending.values())

    async def history(
        self,
        room: str = "general",
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int = limits.PAGE,
    ) -> frames.History:
        """Return a page of a room's messages, ascending. The page also passes through `batches`."""
        return await self._ask(
            frames.HistoryRequest(
                room=room,
                before=UNSET if before is None else before,
                after=UNSET if after is None else after,
                around=UNSET if around is None else around,
                limit=limit,
            ),
            frames.History,
        )

    async def join(self, room: str) -> None:
        """Make or enter a room."""
        await self._ask(frames.Join(room=room, backlog=self._backlog), frames.Ok)

    async def leave(self, room: str) -> None:
        """Stop being a member of a room."""
        await self._ask(frames.Leave(room=room), frames.Ok)

    async def nick(self, name: str) -> None:
        """Take another name. Raises Refused where it is taken or can't be one."""
        try:
            name = check_name(name)
        except ProtocolError as error:
            raise Refused(error.code, error.message) from error
        await self._ask(frames.Nick(name=name), frames.Ok)
        self.name = name  # `renamed` says so, too, but may be missed

    # Listening.

    async def batches(self) -> AsyncIterator[list[frames.ServerFrame]]:
        """Yield what the server says, all that one read of the socket brought at a time, until the connection ends.

        Reading stops while nobody takes the batches. Why the connection ended is in `ended` then.
        """
        connection = self._connection
        while connection is not None:
            batch = await connection.next_batch()
            if batch is None:
                return
            yield batch

    async def events(self) -> AsyncIterator[frames.ServerFrame]:
        """Yield what the server says, frame by frame, until the connection ends."""
        async for batch in self.batches():
            for frame in batch:
                yield frame

    # How.

    async def _come_in(self, resume: frames.Resume | None) -> frames.Welcome:
        connection = self._connection
        if connection is not None and connection.closing:
            await connection.end(0)
        if connection is None or connection.ended.done():
            connection = await self._open()
        self._greeting = asyncio.get_running_loop().create_future()
        connection.write(frames.Hello(name=self.name, resume=resume, backlog=self._backlog, resumes=True))
        try:
            first: list[asyncio.Future[Any]] = [self._greeting, connection.ended]
            await asyncio.wait(first, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED)
            if self._greeting.done():
                return self._greeting.result()
            if not connection.ended.done():
                connection.close()
                raise NotAChatServer(f"What listens at {self.host}:{self.port} does not answer as a chat server.")
            raise connection.ended.result() or Lost("The connection was closed.")
        finally:
            self._greeting = None

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._on_frame, self._must_read), self.host, self.port
                )
        except TimeoutError as error:
            raise Unreachable(f"{self.host}:{self.port} does not answer.") from error
        except OSError as error:
            raise Unreachable(_why_unreachable(error, self.host, self.port)) from error
        connection.ended.add_done_callback(self._on_end)
        self._connection = connection
        return connection

    def _on_frame(self, frame: frames.ServerFrame) -> bool:
        """Take note of a frame as it comes in; return whether it also goes to those who listen."""
        match frame:
            case frames.Message():
                self.seq = max(self.seq, frame.seq)
                if frame.user == self.user and frame.id is not UNSET:
                    self._outbox.confirm(frame.id, Sent(frame.seq, frame.time))
            case frames.Ping():
                if frame.seq is not UNSET:
                    self.seq = max(self.seq, frame.seq)
                self._write(frames.Pong())
                return False
            case frames.Pong():
                return False
            case frames.Welcome():
                self._welcome(frame)
            case frames.Renamed() if frame.user == self.user:
                self.name = frame.new
            case frames.History() if frame.ref is UNSET:
                self._unpaged.pop(frame.room, None)
            case frames.Ok() if frame.id is not UNSET and frame.seq is not UNSET:
                self._outbox.confirm(frame.id, Sent(frame.seq, ""))  # it had been taken before
            case frames.Ok() | frames.History():
                answer = self._asked.pop(frame.ref, None) if frame.ref is not UNSET else None
                if answer is not None and not answer.done():
                    answer.set_result(frame)
            case frames.Error():
                return self._refused(frame)
        return True

    def _welcome(self, frame: frames.Welcome) -> None:
        self._in = True
        self.ended = None
        resumed = frame.session == self.session
        self.name, self.user, self.rooms, self.server = frame.name, frame.user, frame.rooms, frame.server
        self.session, self.epoch = frame.session, frame.epoch
        if not resumed:
            self.seq = frame.seq
            self._unpaged = dict.fromkeys(frame.rooms, frame.seq) if self._backlog else {}
        self.unsure = self._outbox.connected(frame.session)
        if resumed:
            self._fetch_first_pages()
        if self._greeting is not None and not self._greeting.done():
            self._greeting.set_result(frame)

    def _fetch_first_pages(self) -> None:
        """Ask for the pages that the last connection did not live to bring: who resumes gets what came after them."""
        for room, seq in self._unpaged.items():
            if room in self.rooms:
                self._write(frames.HistoryRequest(room=room, before=seq + 1, limit=self._backlog))

    def _refused(self, frame: frames.Error) -> bool:
        error = Refused(frame.code, frame.message)
        if frame.id is not UNSET:
            return self._outbox.refuse(frame, frame.id)
        asked = self._asked.pop(frame.ref, None) if frame.ref is not UNSET else None
        if asked is not None:
            if not asked.done():
                asked.set_exception(error)
            return False
        if self._greeting is not None and not self._in:
            if not self._greeting.done():
                self._greeting.set_exception(error)
            return False
        return True

    def _on_end(self, ended: asyncio.Future[ClientError | None]) -> None:
        self._in = False
        self.ended = ended.result()
        why = self.ended or Lost("The connection was closed.")
        self._outbox.disconnected(why)
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(why)
        self._asked.clear()

    async def _ask(self, request: frames.Request, kind: type[_Answer]) -> _Answer:
        """Send a request and wait for its answer."""
        self._live()
        self._refs += 1
        request.ref = str(self._refs)
        answer = self._asked[request.ref] = asyncio.get_running_loop().create_future()
        self._write(request)  # type: ignore[arg-type]
        self._read_on()
        try:
            async with asyncio.timeout(self._patience):
                result = await answer
        except TimeoutError as error:
            raise Lost("The server did not answer in time.") from error
        finally:
            self._asked.pop(request.ref, None)
        if not isinstance(result, kind):
            raise Refused(Code.BAD_FRAME, "The server answered something else.")
        return result

    def _live(self) -> None:
        if not self._in:
            raise NotConnected("Not connected.")

    def _must_read(self) -> bool:
        return bool(self._asked or self._outbox.pending)

    def _read_on(self) -> None:
        if self._connection is not None:
            self._connection.resume()

    def _write(self, frame: frames.ClientFrame) -> None:
        if self._connection is not None:
            self._connection.write(frame)


def _why_unreachable(error: OSError, host: str, port: int) -> str:
    """Say in plain words why there is no connection."""
    if isinstance(error, ConnectionRefusedError):
        return f"Nothing listens at {host}:{port}."
    if error.__class__.__name__ == "gaierror":
        return f"No computer is known as {host}."
    return f"{host}:{port} can't be reached ({error.strerror or error})."
