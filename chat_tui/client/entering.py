"""How a client comes in: over a way that it trusts, as whom it was before, or by a password, or as somebody new."""

import asyncio
import secrets
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from chat_tui.client import vault
from chat_tui.client.box import Boxes
from chat_tui.client.connection import SILENCE, Connection
from chat_tui.client.governing import Governing
from chat_tui.client.known import Known
from chat_tui.client.secure import Way
from chat_tui.client.talking import Talking
from chat_tui.errors import Lost, NotAChatServer, Refused, Untrusted
from server.protocol import fingerprint, frames
from server.protocol.errors import Code
from server.protocol.text import clean_line

_First = TypeVar("_First")


class Entering(Talking, Governing):
    """Coming in, and who one is then. See `Client` for the arguments."""

    def __init__(
        self,
        host: str,
        port: int,
        name: str,
        *,
        backlog: int,
        patience: float,
        keep: Path | None,
        device: str,
        known: Path | None,
        pin: str,
        ticket: str,
        device_name: str,
    ) -> None:
        super().__init__(patience, backlog)
        self.host = host
        self.port = port
        self.name = name
        self.password = ""
        """Secret: of the account that has `name`. Said once, when coming in next, and forgotten."""
        self.sso = False
        """Sign in by the server's provider, when coming in next."""
        self.on_sso: Callable[[frames.Sso], None] | None = None
        """Called with where to sign in, while `connect`, `reconnect` or `register` waits for that."""
        self.device_name = device_name
        """How one calls this device."""
        self.ways: frames.Server | None = None
        """What the server said of itself, and of the ways in; None before it was reached."""
        self.server = ""
        """The server's program and version, for people."""
        self.server_id = ""
        """Names the server's history; empty while it is not known."""
        self.replaced = False
        """The last welcome was to another history than the one seen before: restored from a copy, say."""
        self.session = ""
        """Secret that proves who comes back; empty before the first welcome."""
        self.account = False
        """One has an account."""
        self.role: frames.RoleName = "guest"
        """One's own on the server."""
        self.blocked: dict[int, str] = {}
        """Whom one has hidden from oneself: users, and how they are called."""
        self.epoch = ""
        self.seq = 0
        """All up to here has been received."""
        self.show: list[str] | None = None
        """The rooms whose latest messages are wanted on coming in; None: all."""
        self._device = device
        self._ticket = ticket
        self._encrypt = bool(device)
        """Something secret is to be said, or has been: TLS on this machine, too."""
        self._way = Way(host, port, Known(known), fingerprint.normal(pin) if pin else "", patience)
        self._connection: Connection | None = None
        self._boxes = Boxes(keep)
        self._owner = ("", "")
        """Server and name that the outbox belongs to."""
        self._greeting: asyncio.Future[frames.Welcome] | None = None
        self._keeping: asyncio.Task[None] | None = None
        """Puts the session where it is kept."""
        self._in = False

    # Who answers.

    @property
    def secure(self) -> bool:
        """The connection is encrypted, to a server that is trusted."""
        return self._connection is not None and self._connection.secure

    @property
    def key(self) -> str:
        """The server's key in the short form that people compare; empty where the connection is not encrypted."""
        return fingerprint.short(self._way.digest) if self._way.digest else ""

    @property
    def vouched(self) -> bool:
        """Certificate authorities vouch for the server: an invitation needs no key."""
        return self._way.vouched

    async def fetch_key(self) -> str:
        """Return the server's key in short form, asked for on a connection of its own. Raises as `connect` does."""
        return fingerprint.short(await self._way.look())

    async def gone(self) -> None:
        """Return once there is no connection, whatever it is used for."""
        if self._connection is not None:
            await asyncio.wait([self._connection.ended])

    async def trust(self, error: Untrusted) -> None:
        """Take the server of a first visit for the right one from now on: its key was compared. Raises NoRecord."""
        await self._way.trust(error.digest)

    # Accounts.

    async def register(self, password: str = "", *, name: str = "", ticket: str = "", sso: bool = False) -> None:
        """Get an account, and be in as who has it. A guest stays who they are; a plain connection becomes TLS first.

        Args:
            password: of the account, unless `sso`.
            name: of the account; without it the present one.
            ticket: where one is needed; without it that of the invitation.
            sso: sign in by the server's provider instead of a password; `on_sso` is called, twice where one is not in
                yet and has a ticket.

        Raises:
            Refused: the server does not take that; all else that `connect` raises.
        """
        request = frames.Register(name=name, password=password, sso=sso, ticket=ticket or self._ticket)
        if self._in:
            if not self.secure:
                await self._go_over_tls()
            await self._ask(request, frames.Account, people=sso)
            await self._kept()
            return
        self._encrypt = True
        self.name = name or self.name
        if request.password or request.ticket:  # else coming in by the provider makes the account by itself
            request.name = self.name
            account = await self._ask_outside(await self._reach(), request, frames.Account, people=sso)
            self.name = account.name
        self.password, self.sso = password, sso
        await self._come_in()

    async def change_password(self, old: str, new: str) -> None:
        """Take another password: all other sessions end."""
        await self._ask_in_secret(frames.Password(old=old, new=new), frames.Ok)

    async def logout(self) -> None:
        """End this session, here and on the server, and the connection: only a password leads back to an account."""
        try:
            await self._ask(frames.End(), frames.Ok)
        except (Lost, Refused):
            if self.session:  # else it has ended
                raise
        self._forget()
        await self._kept()
        if self._connection is not None:
            await self._connection.end(1.0)

    # Coming in.

    async def _come_in(self) -> frames.Welcome:
        connection = await self._reach()
        self.replaced = False
        fresh = self.password or self.sso or not self.session
        resume = None if fresh else frames.Resume(session=self.session, epoch=self.epoch, seq=self.seq)
        while True:
            try:
                welcome = await self._greet(connection, resume)
                await self._kept()
                return welcome
            except Refused as refusal:
                if refusal.code == Code.TLS_REQUIRED and not connection.secure:
                    self._encrypt = True
                    return await self._come_in()
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
                    if refusal.code == Code.NO_SUCH_SESSION:  # who comes in now is somebody else, perhaps
                        self.session = ""

    async def _reach(self) -> Connection:
        """Return a connection on which the server has said which it is: in TLS where something secret is to be said."""
        await self._kept()
        connection = self._connection
        if connection is not None and connection.closing:
            await connection.end(0)
        if connection is None or connection.ended.done():
            connection = await self._open()
        elif self._owner[1] != self.name:
            self._choose(self.name)
        if self._secretive and not connection.secure:
            await connection.end(0)
            connection = await self._open()
        if not self.session and (entry := self._outbox.box.entry):
            self.session = await vault.fetch(entry)
        return connection

    @property
    def _secretive(self) -> bool:
        """Something is to be said that is not for a plain connection, on this machine neither."""
        return bool(self._encrypt or self.password or self.sso or self.account or self._outbox.box.account)

    async def _open(self) -> Connection:
        connection = await self._way.open(lambda: Connection(self._on_frame, self._must_read), secure=self._secretive)
        connection.ended.add_done_callback(lambda _: self._on_end(connection))
        self._connection = connection
        self.ways = await self._ask_outside(connection, frames.About(), frames.Server)
        self._belong(self.ways.id)
        self._boxes.met(self._address, self.server_id)
        await self._way.remember()
        return connection

    async def _go_over_tls(self) -> None:
        """Come back as who we are over TLS; who takes the batches notices nothing but the welcome."""
        plain, self._encrypt = self._connection, True
        assert plain is not None
        plain.successor = asyncio.get_running_loop().create_future()
        found = None
        try:
            await plain.end(1.0)
            await self._come_in()
            found = self._connection
        finally:
            plain.successor.set_result(found)

    async def _greet(self, connection: Connection, resume: frames.Resume | None) -> frames.Welcome:
        self._greeting = asyncio.get_running_loop().create_future()
        hello = frames.Hello(
            name=self.name,
            password=self.password,
            sso=self.sso,
            device=self.device_name,
            resume=resume,
            backlog=self._backlog,
            show=self.show,
            resumes=True,
        )
        self.password, self.sso = "", False
        connection.write(hello)
        try:
            return await self._first(connection, self._greeting, people=hello.sso)
        except asyncio.CancelledError:
            connection.close()  # a sign-in that is given up must not let anybody in later
            raise
        finally:
            self._greeting = None

    async def _ask_outside(
        self, connection: Connection, request: frames.Request, kind: type[_First], *, people: bool = False
    ) -> _First:
        """Ask something before this client is in."""
        ref = request.ref = self._next_ref()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[ref] = answer
        connection.write(request)  # type: ignore[arg-type]
        try:
            result = await self._first(connection, answer, people=people)
        finally:
            self._asked.pop(ref, None)
        if not isinstance(result, kind):
            raise self._no_chat_server()
        return result

    async def _first(self, connection: Connection, answer: asyncio.Future[_First], *, people: bool = False) -> _First:
        """Wait for an answer that must come before this client is in; `people`: for as long as people take."""
        waited: list[asyncio.Future[Any]] = [answer, connection.ended]
        patience = SILENCE / 3 if people else self._patience
        while not (await asyncio.wait(waited, timeout=patience, return_when=asyncio.FIRST_COMPLETED))[0]:
            if not people:
                break
            connection.write(frames.Ping())  # or it counts as gone: nothing else is said meanwhile
        if answer.done():
            return answer.result()
        if connection.ended.done():
            raise connection.ended.result() or Lost("The connection was closed.")
        connection.close()
        if self.server:  # it did once
            raise Lost("The server does not answer.")
        raise self._no_chat_server()

    def _no_chat_server(self) -> NotAChatServer:
        return NotAChatServer(f"What listens at {clean_line(self._address)} does not answer as a chat server.")

    # Who one is, and where that is kept.

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
        self._outbox.belong(box, take=self._owner[0] in ("", server) and not self._outbox.box.account)
        self._owner = (server, self.name)
        self.session, self.epoch, self.seq = box.session or self._device, "", 0
        self._device = ""

    def _choose(self, name: str) -> None:
        """Come in under another name than was tried: as who had it here before, else as who we are."""
        box = self._boxes.open(self.server_id, name)
        if self.session and not box.session and not box.entry:
            self._outbox.rename(box)
        else:
            self._outbox.belong(box, take=not self._outbox.box.account)  # what an account wrote nobody else says
            self.session, self.epoch, self.seq = box.session, "", 0
        self._owner = (self.server_id, name)

    def _called(self, name: str) -> None:
        """We have another name: what is kept goes with it."""
        if name != self.name:
            self.name = name
            self._outbox.rename(self._boxes.open(self.server_id, name))
            self._owner = (self.server_id, name)

    def _be(self, session: str, *, account: bool) -> None:
        """We are who this session says, from now on: keep it where it belongs."""
        box = self._outbox.box
        anew = session != self.session or account != box.account or not (box.session or box.entry)
        self.session, self.account = session, account
        if not anew or not box.kept:
            return
        if account:
            self._later(self._keep_secret(session))
        else:
            self._later_forget(box.entry)
            box.keep_session(session)

    async def _keep_secret(self, session: str) -> None:
        """Put an account's session into the system's keyring, else into the box."""
        entry = self._outbox.box.entry or secrets.token_hex(8)
        stored = await vault.store(entry, session)
        if session != self.session:  # it has ended meanwhile, or has another secret
            await vault.forget(entry)
        elif stored:
            self._outbox.box.keep_session("", account=True, entry=entry)
        else:
            self._outbox.box.keep_session(session, account=True)

    def _forget(self) -> None:
        """The session has ended: nobody here is who it was."""
        self.session, self.epoch, self.account, self.role = "", "", False, "guest"
        self._later_forget(self._outbox.box.entry)
        self._outbox.box.keep_session("")

    def _later_forget(self, entry: str) -> None:
        if entry:
            self._later(vault.forget(entry))

    def _later(self, act: Coroutine[Any, Any, None]) -> None:
        """Do something with the keyring after what is being done already: `_kept` waits for it."""
        before = self._keeping

        async def in_turn() -> None:
            if before is not None:
                await before
            await act

        self._keeping = asyncio.get_running_loop().create_task(in_turn())

    async def _kept(self) -> None:
        """Wait until the session is where it is kept."""
        while (keeping := self._keeping) is not None:
            await asyncio.shield(keeping)
            if keeping is self._keeping:  # else there is more to be kept by now
                self._keeping = None

    @abstractmethod
    def _on_frame(self, frame: frames.ServerFrame) -> bool:
        """Take note of a frame as it comes in; return whether it also goes to those who listen."""

    @abstractmethod
    def _on_end(self, connection: Connection) -> None:
        """A connection has ended."""

    @abstractmethod
    def _must_read(self) -> bool:
        """Say whether reading goes on although nobody takes the batches."""
