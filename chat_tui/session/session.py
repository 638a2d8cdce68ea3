"""One person's chat: connected, hosted where need be, applied to what the screen shows. No Textual."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from msgspec import UNSET

from chat_tui import hosting
from chat_tui.client import UNSURE, Client, ClientError, Lost, NotAChatServer, NotConnected, Refused, Unreachable
from chat_tui.errors import Mistrusted, Untrusted
from chat_tui.session.door import Door, device_name
from chat_tui.state.chat import Changed, Chat
from chat_tui.state.dates import said_here, seconds_of
from chat_tui.state.link import Address, Link, Phase
from chat_tui.state.people import TYPING
from server.protocol import frames
from server.protocol.errors import FINAL, Code

START_WITHIN = 15.0
"""Seconds that a server started here may take: the first start of a slow machine compiles its modules."""
_TRY_EVERY = 0.05
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before coming back is tried: twice as long after each failure, up to the longest. Less up to half of it, by
chance, so that not all who lost a server come back at once."""
_A_MOMENT = 0.1
"""Seconds that a timer may be ahead of the clock."""
_AFTER_ITS_END = 3.0
"""Seconds that another's server, which won the race for the port, may take after ours has given up."""
_PASSING = frozenset({Code.TRY_AGAIN, Code.NO_SUCH_SESSION})
"""Refusals of a hello that the next one may not get."""
_OF_THE_NAME = frozenset({Code.BAD_NAME, Code.NAME_TAKEN})
"""Refusals of a hello that another name helps against."""

_TO_BE_PROVEN = frozenset(
    {
        Code.LOGIN_NEEDED, Code.LOGIN_FAILED, Code.NO_GUESTS,
        Code.SSO_REFUSED, Code.SSO_EXPIRED, Code.SSO_UNAVAILABLE,
    }
)  # fmt: skip
"""Refusals of a hello that a password, or another way in, helps against."""
_WAITING_FOR_LOGIN = ("◌ waiting for you to log in", "◌ not logged in", "◌")
_NOT_WAITING = ("◌ not connected · logging in connects", "◌ not connected", "◌")
_OVER = frozenset({Code.SESSION_ENDED, Code.ERASED})
"""Last words after which one is nobody here any more."""
_COMES_IN = "F5 comes in again."
_PUT_OUT = frozenset({Code.KICKED, Code.BANNED})

_NOT_SHARED = (
    "A server ran here already, and --share does not change it. To open it to the network,"
    " let all leave, then start again with --share."
)


class Session(Door):
    """Keep `chat` up to date from a server.

    Args:
        address: where the server is.
        chat: what the screen shows; its `name` is the name to take.
        data: where a server of one's own keeps its data.
        changed: called after each change that the log does not tell by itself.
        keep: where messages that are not sent yet are kept, and drafts; None keeps nothing.
        device: the code that another device of this person has shown: `name` may be empty then.
        known: the file of the servers that are known by their keys; None keeps nothing.
        server: one that was started here already.
    """

    def __init__(
        self,
        address: Address,
        chat: Chat,
        data: Path,
        changed: Callable[[Changed], None],
        keep: Path | None = None,
        device: str = "",
        known: Path | None = None,
        server: hosting.Server | None = None,
    ) -> None:
        client = Client(
            address.host,
            address.port,
            chat.name,
            keep=keep,
            device=device,
            known=known,
            pin=address.pin,
            ticket=address.ticket,
            device_name=device_name(),
        )
        super().__init__(chat, client, changed, address, server)
        self.refusal: ClientError | None = None
        """What stood in the way, the last time one was not let in."""
        chat.asked = self._fetch_quotes
        self._data = data
        self._proving = False
        self._new: Callable[[], Awaitable[object]] | None = None
        """Gets an account, instead of coming in to one."""
        self._settled = asyncio.Event()
        self._hurry = asyncio.Event()
        self._told_not_shared = False
        self._met = ""
        """Which server we were in last, by its `server_id`."""
        self._trouble = ""
        self._to_tell: list[str] = []

    async def run(self) -> None:
        """Connect and stay connected: who was in comes back by itself.

        Returns when there is nothing more to try alone; `link` says why. Call again to try again.
        """
        failures = 0
        self.client.name = self.chat.name
        self.client.remember()
        self._show_kept()
        while not self.has_left and (ended := await self._stay()) is not None:
            failures = failures + 1 if self.link.phase is Phase.CONNECTING else 0
            await self._wait(failures, ended)
        if self.has_left:  # end what was still on its way then: a connection, a server
            await self.client.quit()
            self.release()

    def prove(self, password: str = "", *, sso: bool = False, new: bool = False, ticket: str = "") -> None:
        """Have the next `run` come in to the account of the name one has.

        Args:
            password: of the account.
            sso: instead, sign in at the server's provider: `client.on_sso` is told where.
            new: there is no such account yet: get it, with this password.
            ticket: for a new one, where sign-up is by invitation.
        """
        if new:
            self._new = lambda: self.client.register(password, ticket=ticket, sso=sso)
        else:
            self.client.password, self.client.sso = password, sso
        self._proving = True
        self._set(Link(Phase.CONNECTING, ("◌ logging in", "◌")))

    def give_up(self) -> None:
        """Have it asked again who one is: a `run` that was to come in was ended from outside."""
        self._proving, self._new, self.refusal = False, None, None
        self._set(Link(Phase.LOGIN, _WAITING_FOR_LOGIN))

    async def settled(self) -> None:
        """Return once it is known how a `run` begins: one is in, or something is asked for.

        Raises what was refused where one has to prove again who one is.
        """
        while self.link.phase is Phase.CONNECTING:
            self._settled.clear()
            await self._settled.wait()
        if self.link.phase is Phase.LOGIN and self.refusal is not None:
            raise self.refusal

    def hurry(self) -> None:
        """Try to come back now instead of later."""
        self._hurry.set()

    async def _wait(self, failures: int, ended: ClientError) -> None:
        """Count down to the next try. A first short one is not worth a notice of what happened."""
        self._hurry.clear()
        loop = asyncio.get_running_loop()
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2**failures) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        due = loop.time() + wait
        while (left := due - loop.time()) > 0 and not self._hurry.is_set():
            seconds = math.ceil(left)
            words = (f"◌ reconnecting in {seconds} s · F5 now", f"◌ reconnecting in {seconds} s", f"◌ {seconds} s")
            self._set(Link(Phase.WAITING, words, ended.message if failures else ""))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), left - seconds + 1)

    async def _stay(self) -> ClientError | None:
        """Connect and stay until the connection ends; return why, where coming back by itself makes sense."""
        known = self.link.problem if self.link.phase is Phase.WAITING else ""
        self._set(Link(Phase.CONNECTING, ("◌ connecting", "◌"), known))
        self.client.name = self.chat.name
        try:
            await self._come_in()
        except ClientError as error:
            return self._lost(error)
        finally:
            self._proving, self._new = False, None
        if self.has_left:
            return None
        await self.learn_key()
        self._show_kept()
        self._tell_what_is_different()
        if self.address.share and self._server is None and not self._told_not_shared:
            self._told_not_shared = True
            self.chat.current.timeline.notice(_NOT_SHARED, self.chat.clock(), "info")
        self._set(Link(Phase.ONLINE, self._online_words()))
        self._back_online()
        watch = asyncio.create_task(self._watch_race()) if self.hosts else None
        try:
            final = await self._listen()
        finally:
            self._stop_all()
            if watch is not None:
                watch.cancel()
        if self.has_left or self._leaves:
            return None
        self.chat.disconnected()
        self._changed(Changed.PEOPLE)
        if final is not None:
            self._set(self._put_out(final))
            return None
        return self._lost(self.client.ended or Lost("The connection was closed."))

    @property
    def has_left(self) -> bool:
        """We left for good: nothing is tried any more."""
        return self.link.phase is Phase.LEFT

    async def quit(self) -> None:
        """Leave for good. A server started here ends once nobody else is connected."""
        self._set(Link(Phase.LEFT, ("",)))
        self.hurry()
        await self._tell_last_marks()
        await self.client.quit()
        self.release()

    def release(self) -> None:
        """Leave a server started here to those who are connected."""
        if self._server is not None:
            self._server.release()
            self._server = None

    # How.

    async def _come_in(self) -> None:
        try:
            await self._enter()
        except Unreachable:
            # Who was in another's server just now stays out of a server of one's own: it has another history.
            elsewhere = bool(self.chat.session) and self._server is None and not self.client.own
            if self.has_left or elsewhere or not self.address.may_host:
                raise
            await self._host()

    async def _enter(self) -> None:
        """Connect, or come back where there was a session; not once we have left."""
        if self.has_left:
            raise NotConnected("You have left.")
        self.client.show = [self.chat.current.handle]
        await (self._new() if self._new is not None else self.client.reconnect())

    async def _host(self) -> None:
        """Start a server and enter it, or another's that was faster."""
        if self._server is None or not self._server.alive:
            self.release()
            self._set(Link(Phase.CONNECTING, ("◌ starting a server", "◌ starting", "◌")))
            self._server = await asyncio.to_thread(
                hosting.Server, self.address.port, self._data, share=self.address.share
            )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_WITHIN
        while True:
            try:
                return await self._enter()
            except (Unreachable, Lost) as error:
                if not self._server.alive:
                    deadline = min(deadline, loop.time() + _AFTER_ITS_END)
                if loop.time() > deadline:
                    raise Unreachable(self._why_no_server()) from error
            await asyncio.sleep(_TRY_EVERY)

    async def _watch_race(self) -> None:
        """Two that start at once may both be in before the slower server finds its port taken, and ends."""
        self.client.own = True
        for _ in range(int(_AFTER_ITS_END / _TRY_EVERY)):
            await asyncio.sleep(_TRY_EVERY)
            if not self.hosts:
                self.client.own = False
                self._set(Link(Phase.ONLINE, self._online_words()))
                return

    async def _watch_login(self) -> None:
        """Say so where the connection ends before one has logged in: the server went, or waits no longer."""
        await self.client.gone()
        if self.link.phase is Phase.LOGIN:
            self._set(self.link._replace(words=_NOT_WAITING))

    def _why_no_server(self) -> str:
        words = self._server.last_words() if self._server is not None else ""
        return "A server could not be started here" + (f": {words}" if words else ".")

    async def _listen(self) -> Refused | None:
        """Apply what the server says until the connection ends; return its last word where it wants us gone."""
        async for batch in self.client.batches():
            changed = self.chat.apply_all(batch)
            if changed:
                self._changed(changed)
            if Changed.TYPING in changed:  # shown until then, unless it is told again
                asyncio.get_running_loop().call_later(TYPING + _A_MOMENT, self._changed, Changed.TYPING)
            self._look_after_rooms()
            while self._to_tell:
                self.chat.current.timeline.notice(self._to_tell.pop(0), self.chat.clock(), "error")
            if type(last := batch[-1]) is frames.Error and last.code in FINAL:
                await self.client.close()  # whatever the server does: from here on nothing is taken from it
                return Refused(last.code, last.message, until=last.until if last.until is not UNSET else "")
        return None

    def _lost(self, error: ClientError) -> ClientError | None:
        """Return the error where we were in and may come back; else say it."""
        code = error.code if isinstance(error, Refused) else ""
        proves = code in _TO_BE_PROVEN or (self._proving and isinstance(error, Refused))
        passes = isinstance(error, Lost | Unreachable) or code in _PASSING
        if passes and self.chat.session and not self.has_left and not proves:
            return error
        self.refusal = error
        if code == Code.NO_SUCH_SESSION:  # not ours, for which there would be another: that of another device
            self._set(Link(Phase.STRANGER, ("✗ not connected", "✗"), error.message))
        elif proves:
            self._set(Link(Phase.LOGIN, _WAITING_FOR_LOGIN, error.message))
            self._do("watch", self._watch_login)
        elif code in _OF_THE_NAME:
            self._set(Link(Phase.NAME, ("◌ waiting for a name", "◌"), error.message))
        elif isinstance(error, Untrusted):
            self._set(Link(Phase.TRUST, ("◌ a first visit", "◌")))
        elif isinstance(error, Mistrusted):
            self._set(Link(Phase.DISTRUST, ("✗ not the server you know", "✗ not connected", "✗"), error.message))
        elif isinstance(error, Refused):
            self._set(self._put_out(error))
        else:
            self._set(self._offline(error))
        return None

    def _put_out(self, last: Refused) -> Link:
        """Return how things stand after the server's last word."""
        self.refusal = last
        if last.code in _OVER:
            return Link(Phase.ENDED, ("✗ logged out", "✗"), last.message)
        if last.code in _PUT_OUT:
            words = said_here(last.message, self.chat.clock())
            words += "" if words.endswith((".", "!", "?")) else "."  # it ends with a reason, as somebody typed it
            link = Link(Phase.OFFLINE, ("✗ not connected", "✗"), words, _COMES_IN)
            return link if last.code == Code.KICKED else self._kept_out(link._replace(way_out=""), last.until)
        return self._offline(last)

    def _kept_out(self, link: Link, until: str) -> Link:
        """Offer to come in again once a ban ends, and not before; `until` is empty where it does not."""
        ends = seconds_of(until)
        if ends is not None:

            def end() -> None:
                if self.link is link:
                    self._set(link._replace(way_out=_COMES_IN))

            left = max(0.0, ends - self.chat.clock())
            asyncio.get_running_loop().call_later(left + _A_MOMENT, end)
        return link

    def _show_kept(self) -> None:
        """Have the log show the own messages that this client holds, and no others."""
        held = {message.id: message for message in [*self.client.unconfirmed, *self.client.failed]}
        for room in self.chat.rooms.values():
            for waiting in room.waiting():
                if waiting.id not in held:
                    room.withdraw(waiting.id)
        for id, message in sorted(held.items()):
            room = self.chat.room(message.room)
            if not any(waiting.id == id for waiting in room.waiting()):
                room.pend(id, message.text, self.chat.clock(), message.me, message.reply)
            if message.failed:
                room.fail(id, message.failed, unsure=message.failed == UNSURE)
            elif message.withdrawn:
                room.taking_back(id)
        self._changed(Changed.DRAFT)

    def _tell_what_is_different(self) -> None:
        """Say what is not as it was, once the log has taken in where we are."""
        if self.client.replaced:
            self._to_tell.append(
                "The server's history is another one now: it was restored from a copy, or replaced."
                " What is shown from here on is what it has."
            )
        elif self._met not in ("", self.client.server_id):
            self._to_tell.append("Another server answers here now. What was not sent is kept for the one before.")
        self._met = self.client.server_id
        if self.client.trouble and self.client.trouble != self._trouble:
            self._to_tell.append(self.client.trouble)
        self._trouble = self.client.trouble

    def _offline(self, error: ClientError) -> Link:
        message = error.message
        if isinstance(error, NotAChatServer):
            message = f"What answers at {self.address.host}:{self.address.port} is not a chat server."
        words = ("✗ not connected · F5 tries again", "✗ not connected", "✗")
        return Link(Phase.OFFLINE, words, message, "F5 tries again.")

    def _set(self, link: Link) -> None:
        """Say how things stand, unless we have left: nothing undoes that."""
        if not self.has_left:
            self.link = link
            self._settled.set()
            self._changed(Changed.LINK)
