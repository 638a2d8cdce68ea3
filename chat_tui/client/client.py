"""A client: one person's presence on a server, from a program."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from msgspec import UNSET

from chat_tui.client.connection import Connection
from chat_tui.client.entering import Entering
from chat_tui.client.outbox import Sent
from chat_tui.client.requests import ANSWERS, PRIVATE
from chat_tui.errors import ClientError, Lost, NotConnected, Refused
from server.protocol import frames, limits
from server.protocol.errors import FINAL, Code, ProtocolError
from server.protocol.text import check_name

_NO_MORE: Final = frozenset({Code.SESSION_ENDED, Code.ERASED})
"""Last words after which nobody can come back as who this was."""


class Client(Entering):
    """Talk to a chat server.

        async with Client("127.0.0.1", 7373, "alice") as chat:
            await chat.send("hello")
            async for frame in chat.events():
                ...

    Messages are numbered here. One that was not confirmed when the connection ended is kept, and sent again with its
    number by `reconnect`. With `keep` that outlives the process: session, unconfirmed messages and drafts lie in a file
    that belongs to this name on this server, and go on with the next client of that name; an account's session lies in
    the system's keyring where there is one. Everything belongs to one event loop.

    To another machine all goes over TLS, to a server whose key is known or trusted (see `Untrusted`, `trust`). To this
    one a guest talks in plain until something secret is to be said.

    Args:
        host: where the server listens.
        port: its port.
        name: the name to take.
        backlog: latest messages wanted of each room on entering, 0 for none.
        patience: seconds to wait for a connection and for each answer.
        keep: a folder for what outlives this process; None keeps nothing.
        device: the code that another device of the same person asked for (see `device`): `name` may be empty then.
        known: the file of the servers that are known by their keys; None: what is known ends with this client.
        pin: the key that the server must have, in short, as an invitation says it; empty where none does.
        ticket: what one may sign up with, as an invitation says it; empty where none does.
        device_name: how one calls this device in the list of one's sessions.
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
        known: Path | None = None,
        pin: str = "",
        ticket: str = "",
        device_name: str = "",
    ) -> None:
        super().__init__(
            host,
            port,
            name,
            backlog=backlog,
            patience=patience,
            keep=keep,
            device=device,
            known=known,
            pin=pin,
            ticket=ticket,
            device_name=device_name,
        )
        self.user: int | None = None
        self.rooms: list[str] = []
        self.ended: ClientError | None = None
        """Why the last connection ended, Refused where the server put us out; None while connected or where this side
        ended it."""
        self._last_word: Refused | None = None
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
            Untrusted: a first visit. Have people compare the key, `trust` the error, and call again.
            KeyChanged, NotVouchedFor, WrongPin, NotEncrypted: it is not the server that should answer. Nothing secret
                was sent.
            NotAChatServer: something else answers.
            Refused: the server does not take this name, or anyone. The connection may still be open: set another
                `name`, or with `login_needed` and `login_failed` the `password`, and call again.
            NoRecord: nobody can say which servers are known.
            Lost: the connection ended before the welcome.
        """
        self.epoch = ""
        return await self._enter()

    async def reconnect(self) -> frames.Welcome:
        """Come back to the same session: the name is ours at once, and what was missed follows.

        Where the server's log is another one than before (`replaced`), where it does not know the session any more, or
        where another server answers (`server_id`), nothing is gone on with: the welcome's `resumed` is False. Raises as
        `connect` does.
        """
        return await self._enter()

    async def _enter(self) -> frames.Welcome:
        try:
            return await self._come_in()
        except asyncio.CancelledError:
            if self._connection is not None:
                self._connection.close()  # whoever cancels this has left: it would stay open
            raise

    async def quit(self, reason: str = "") -> None:
        """Leave for good: others are told at once. Waits a moment for the server to close."""
        connection = self._connection
        if connection is not None and self._in:
            connection.write(frames.Quit(reason=reason[: limits.REASON_CHARS]))
            connection.expect_end()
            await asyncio.wait([connection.ended], timeout=min(self._patience, 1.0))
        await self.close()
        if self._keeping is not None:  # a keyring that hangs holds nobody here
            await asyncio.wait([self._keeping], timeout=min(self._patience, 1.0))
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
            if (batch := await connection.next_batch()) is not None:
                yield batch
            else:
                connection = await asyncio.shield(connection.successor) if connection.successor is not None else None

    async def events(self) -> AsyncIterator[frames.ServerFrame]:
        """Yield what the server says, frame by frame, until the connection ends."""
        async for batch in self.batches():
            for frame in batch:
                yield frame

    # How.

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
                if isinstance(frame, frames.Appointed) and (frame.who, frame.room) == (self.user, "general"):
                    self.role = frame.role
            case frames.Ping():
                if frame.seq is not UNSET:
                    self.seq = max(self.seq, frame.seq)
                self._write(frames.Pong())
                return False
            case frames.Pong():
                return False
            case frames.Welcome():
                self._welcome(frame)
            case frames.Sso():
                if self.on_sso is not None:
                    self.on_sso(frame)
                return False
            case frames.Account() if self._in and frame.session:
                self._called(frame.name)
                self._outbox.renew(frame.session)
                self._be(frame.session, account=True)
                self.role = "member" if self.role == "guest" else self.role
            case frames.Blocked():
                self.blocked = dict(frame.people)
            case frames.Reports() if frame.ref is UNSET:
                return True  # unasked: one is new
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
        self.ended = self._last_word = None
        self._called(frame.name)  # who comes from another device learns it here
        self.user, self.rooms, self.server = frame.user, frame.rooms, frame.server
        self.role, self.blocked = frame.role, {}
        self._be(frame.session, account=frame.account)
        self.epoch = frame.epoch
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
        wait_ms = frame.wait_ms if frame.wait_ms is not UNSET else 0
        error = Refused(frame.code, frame.message, wait_ms, frame.until if frame.until is not UNSET else "")
        if frame.code in FINAL and frame.ref is UNSET:
            self._last_word = error
            if frame.code in _NO_MORE and self._in:
                self._forget()
        if frame.id is not UNSET:
            return self._outbox.refuse(frame, frame.id)
        if self._refuse(frame.ref, error):
            return False
        if self._greeting is not None and not self._in:
            if not self._greeting.done():
                self._greeting.set_exception(error)
            return False
        return True

    def _on_end(self, connection: Connection) -> None:
        self._in = False
        lost = connection.ended.result()
        self.ended = lost and (self._last_word or lost)
        why = self.ended or Lost("The connection was closed.")
        self._outbox.disconnected(why if connection.successor is None else None)
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
