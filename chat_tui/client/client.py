"""A client: one person's presence on a server, from a program."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from msgspec import UNSET

from chat_tui.client.box import Boxes
from chat_tui.client.connection import Connection
from chat_tui.client.outbox import Sent
from chat_tui.client.requests import ANSWERS, PRIVATE
from chat_tui.client.talking import Talking
from chat_tui.errors import ClientError, Lost, NotAChatServer, NotConnected, Refused, Unreachable
from server.protocol import frames, limits
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import check_name

_First = TypeVar("_First")


class Client(Talking):
    """Talk to a chat server.

        async with Client("127.0.0.1", 7373, "alice") as chat:
            await chat.send("hello")
            async for frame in chat.events():
                ...

    Messages are numbered here. One that was not confirmed when the connection ended is kept, and sent again with its
    number by `reconnect`. With `keep` that outlives the process: session, unconfirmed messages and drafts lie in a file
    that belongs to this name on this server, and go on with the next client of that name. Everything belongs to one
    event loop.

    Args:
        host: where the server listens.
        port: its port.
        name: the name to take.
        backlog: latest messages wanted of each room on entering, 0 for none.
        patience: seconds to wait for a connection and for each answer.
        keep: a folder for what outlives this process; None keeps nothing.
        device: the session that another device of the same person asked for (see `device`): `name` may be empty then.
    """

    def __init__(
        self,
        host: str,
        port: int,
        name: str,
        *,
        backlog: int = limits.PAGE,
        patience: float = 10.0,
        keep: Path | None = None,
        device: str = "",
    ) -> None:
        super().__init__(patience, backlog)
        self.host = host
        self.port = port
        self.name = name
        self.user: int | None = None
        self.rooms: list[str] = []
        self.server = ""
        """The server's program and version, for people."""
        self.server_id = ""
        """Names the server's history; empty while it is not known."""
        self.replaced = False
        """The last welcome was to another history than the one seen before: restored from a copy, say."""
        self.session = ""
        """Secret that proves who comes back; empty before the first welcome."""
        self.epoch = ""
        self.seq = 0
        """All up to here has been received."""
        self.ended: ClientError | None = None
        """Why the last connection ended; None while connected or where this side ended it."""
        self.show: list[str] | None = None
        """The rooms whose latest messages are wanted on coming in; None: all."""
        self._device = device
        self._connection: Connection | None = None
        self._boxes = Boxes(keep)
        self._owner = ("", "")
        """Server and name that the outbox belongs to."""
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
        """Connect and come in under `name`: as the one who had it here before, where `keep` knows.

        Raises:
            Unreachable: nobody listens there.
            NotAChatServer: something else answers.
            Refused: the server does not take this name, or anyone. The connection may still be open: set another
                `name` and call again.
            Lost: the connection ended before the welcome.
        """
        self.epoch = ""
        return await self._come_in()

    async def reconnect(self) -> frames.Welcome:
        """Come back to the same session: the name is ours at once, and what was missed follows.

        Where the server's log is another one than before (`replaced`), where it does not know the session any more, or
        where another server answers (`server_id`), nothing is gone on with: the welcome's `resumed` is False. Raises as
        `connect` does.
        """
        return await self._come_in()

    async def quit(self, reason: str = "") -> None:
        """Leave for good: others are told at once. Waits a moment for the server to close."""
        connection = self._connection
        if connection is not None and self._in:
            connection.write(frames.Quit(reason=reason[: limits.REASON_CHARS]))
            connection.expect_end()
            await asyncio.wait([connection.ended], timeout=min(self._patience, 1.0))
        await self.close()
        self._outbox.box.close()

    async def close(self) -> None:
        """End the connection without a word: the name is kept for a while. Takes a second at most."""
        if self._connection is not None:
            await self._connection.end(1.0)

    @property
    def own(self) -> bool:
        """The server that was last met here is the one that this user starts where none answers."""
        return self.server_id != "" and self.server_id == self._boxes.own

    @own.setter
    def own(self, own: bool) -> None:
        self._boxes.own = self.server_id if own else ""

    def remember(self) -> None:
        """Open what is kept for the server that was last met at this address, before it is reached."""
        if not self.server_id:
            self._belong(self._boxes.server_at(self._address))

    async def nick(self, name: str) -> None:
        """Take another name. Raises Refused where it is taken or can't be one."""
        try:
            name = check_name(name)
        except ProtocolError as error:
            raise Refused(error.code, error.message) from error
        await self._ask(frames.Nick(name=name), frames.Ok)
        self._called(name)  # `renamed` says so, too, but may be missed

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

    async def _come_in(self) -> frames.Welcome:
        connection = self._connection
        if connection is not None and connection.closing:
            await connection.end(0)
        if connection is None or connection.ended.done():
            connection = await self._open()
            self._belong((await self._about(connection)).id)
            self._boxes.met(self._address, self.server_id)
        elif self._owner[1] != self.name:
            self._choose(self.name)
        self.replaced = False
        resume = frames.Resume(session=self.session, epoch=self.epoch, seq=self.seq) if self.session else None
        while True:
            try:
                return await self._greet(connection, resume)
            except Refused as refusal:
                if resume is None or refusal.code not in (Code.NO_SUCH_SESSION, Code.DIVERGED):
                    raise
                if not self.name:
                    words = "This code is not known here. Ask your other device for a new one."
                    raise Refused(refusal.code, words) from refusal
                if refusal.code == Code.DIVERGED and resume.epoch:
                    self.replaced = True
                    resume = frames.Resume(session=self.session)
                else:
                    resume = None

    async def _about(self, connection: Connection) -> frames.Server:
        """Ask which server this is: what is kept, the session's secret above all, is for one server alone."""
        ref = self._next_ref()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[ref] = answer
        connection.write(frames.About(ref=ref))
        about = await self._first(connection, answer)
        if not isinstance(about, frames.Server):
            raise NotAChatServer(f"What listens at {self.host}:{self.port} does not answer as a chat server.")
        return about

    async def _greet(self, connection: Connection, resume: frames.Resume | None) -> frames.Welcome:
        self._greeting = asyncio.get_running_loop().create_future()
        connection.write(
            frames.Hello(name=self.name, resume=resume, backlog=self._backlog, show=self.show, resumes=True)
        )
        try:
            return await self._first(connection, self._greeting)
        finally:
            self._greeting = None

    async def _first(self, connection: Connection, answer: asyncio.Future[_First]) -> _First:
        """Wait for an answer that must come before this client is in."""
        waited: list[asyncio.Future[Any]] = [answer, connection.ended]
        await asyncio.wait(waited, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        if connection.ended.done():
            raise connection.ended.result() or Lost("The connection was closed.")
        connection.close()
        if self.server:  # it did once
            raise Lost("The server does not answer.")
        raise NotAChatServer(f"What listens at {self.host}:{self.port} does not answer as a chat server.")

    @property
    def _address(self) -> str:
        return f"{self.host}:{self.port}"

    def _belong(self, server: str) -> None:
        """Go on with what is kept for this name on a server."""
        held_up = self._outbox.box.trouble and not self.session  # whoever held it may have ended
        if (server, self.name) == self._owner and not held_up:
            return
        self.server_id = server
        box = self._boxes.open(server, self.name)
        # Another server's stays with that server; what was written before any was known is for the first.
        self._outbox.belong(box, take=self._owner[0] in ("", server))
        self._owner = (server, self.name)
        self.session, self.epoch, self.seq = box.session or self._device, "", 0
        self._device = ""

    def _choose(self, name: str) -> None:
        """Come in under another name than was tried: as who had it here before, else as who we are."""
        box = self._boxes.open(self.server_id, name)
        if self.session and not box.session:
            self._outbox.rename(box)
        else:
            self._outbox.belong(box, take=True)
            self.session, self.epoch, self.seq = box.session, "", 0
        self._owner = (self.server_id, name)

    def _called(self, name: str) -> None:
        """We have another name: what is kept goes with it."""
        if name != self.name:
            self.name = name
            self._outbox.rename(self._boxes.open(self.server_id, name))
            self._owner = (self.server_id, name)

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
            case frames.Invited() if frame.who == self.user:
                pass  # it comes by itself, perhaps ahead of what was said before it
            case frames.Event():
                self.seq = max(self.seq, frame.seq)
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
                self._called(frame.new)
            case frames.History() if frame.ref is UNSET:
                self._unpaged.pop(frame.room, None)
            case frames.Ok() if frame.id is not UNSET and frame.seq is not UNSET:
                self._outbox.confirm(frame.id, Sent(frame.seq, ""))  # it had been taken before
            case frames.Ok() if frame.id is not UNSET:
                self._outbox.withdrawn(frame.id)
            case frames.Gap():
                self._unpaged[frame.room] = frame.before - 1
            case frames.Error():
                return self._refused(frame)
        if isinstance(frame, ANSWERS):
            self._answer(frame.ref, frame)
            return not isinstance(frame, PRIVATE)
        return True

    def _welcome(self, frame: frames.Welcome) -> None:
        self._in = True
        self.ended = None
        self._called(frame.name)  # who comes from another device learns it here
        self.user, self.rooms, self.server = frame.user, frame.rooms, frame.server
        if frame.session != self._outbox.box.session:
            self._outbox.box.session = frame.session
        self.session, self.epoch = frame.session, frame.epoch
        if not frame.resumed:
            self.seq = frame.seq
            shown = frame.rooms if self.show is None else [room for room in self.show if room in frame.rooms]
            self._unpaged = dict.fromkeys(shown, frame.seq) if self._backlog else {}
        self._outbox.connected(frame.session, replaced=self.replaced)
        if frame.resumed:
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
        if self._refuse(frame.ref, error):
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
        self._refuse_all(why)

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
