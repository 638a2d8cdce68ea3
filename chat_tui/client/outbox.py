"""Own messages that the server has not confirmed: nothing typed is lost, nothing is sent in another order."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import asdict

from chat_tui.client.box import Box, Kept, mark_of
from chat_tui.errors import ClientError, Lost, Refused
from server.protocol import frames
from server.protocol.errors import Code

WAITS = (0.2, 0.5, 1.0, 1.5)
"""Seconds before a message that the server could not take just now is sent again; the last one is repeated."""

UNSURE = "Perhaps sent, perhaps not: the server has forgotten this session"


ELSEWHERE = "It was written for the server that was here before"


class Sent(NamedTuple):
    """A message is durable."""

    seq: int
    time: str
    """RFC 3339, UTC; empty where only the `ok` told."""


class Pending(Kept, kw_only=True, eq=False):
    """An own message on its way."""

    done: asyncio.Future[Sent] | None = None
    """Set where someone waits for it."""
    held: bool = True
    """To be written with the next `flush`."""

    def frame(self) -> frames.Send | frames.Withdraw:
        """Return what is to be written of it."""
        if self.withdrawn:
            return frames.Withdraw(id=self.id)
        return frames.Send(room=self.room, text=self.text, id=self.id, me=self.me, reply=self.reply or UNSET)


class Outbox:
    """The unconfirmed messages by id, in the order they were written, each in the box from the moment it is here.

    Args:
        write: sends a frame now; called only between `connected` and `disconnected`.
    """

    def __init__(self, write: Callable[[frames.ClientFrame], None]) -> None:
        self.pending: dict[int, Pending] = {}
        """On their way, or to be sent."""
        self.failed: dict[int, Pending] = {}
        """Refused for good, or nobody knows: what becomes of them is for people to say."""
        self.box = Box(None)
        self._write = write
        # Ids grow within a session, and a session may outlive this process in the server's log: starting at the
        # clock's microseconds, an old message of mine in a page of history is never taken for a new one, nor one of
        # my other devices' for mine.
        self._last = time.time_ns() // 1000
        self._session = ""
        """`mark_of` the session we are in; empty while not connected."""
        self._timer: asyncio.TimerHandle | None = None
        self._refusals = 0
        self._slowed = False

    def belong(self, box: Box, *, take: bool) -> None:
        """Go on with what is in a box. `take`: what is here moves there; else it stays where it is kept."""
        here = [*self.pending.values(), *self.failed.values()] if take or not self.box.kept else []
        for message in here if not take else ():
            message.failed = ELSEWHERE
        if take and not self.box.kept:
            box.take_drafts(self.box)
        before, self.box = self.box, box
        self._last = max(self._last, box.last)
        kept = [Pending(**asdict(message)) for message in box.messages()]
        known = {message.id for message in kept}
        for message in here:
            if message.id not in known:
                box.put(message)
                kept.append(message)
            if box.kept:
                before.drop(message.id)
        before.close()
        kept.sort(key=lambda message: message.id)
        self.pending = {message.id: message for message in kept if not message.failed}
        self.failed = {message.id: message for message in kept if message.failed}

    def rename(self, box: Box) -> None:
        """Keep everything in another box from now on."""
        if box.kept:
            if self.box.kept:
                self.box.move_to(box)
            box.take_drafts(self.box)
            self.box = box

    def post(self, room: str, text: str, me: bool, *, reply: int = 0, draft: str = "", instead: int = 0) -> Pending:
        """Number a message, keep it and send it: now, or as soon as that is possible. See `Box.put`."""
        self._last += 1
        message = Pending(id=self._last, room=room, text=text, me=me, reply=reply)
        now = bool(self._session) and self._timer is None and not self._slowed
        if now:
            message.session, message.held = self._session, False
        self.box.put(message, draft=draft, instead=instead)
        self.failed.pop(instead, None)
        self.pending[message.id] = message
        if now:
            self._write(message.frame())
        return message

    def withdraw(self, id: int) -> bool:
        """Take a message back; returns whether that is done. Else the server says whether it came too late."""
        if self.failed.pop(id, None) is not None:
            self.box.drop(id)
            return True
        message = self.pending.get(id)
        if message is None:
            return True
        if not message.session:
            self._settle(message, Lost("The message was taken back."))
            return True
        message.withdrawn = message.held = True
        self.box.put(message)
        if self._session and self._timer is None:
            self._flush()
        return False

    def connected(self, session: str, *, replaced: bool) -> None:
        """Send all that waits in `session`.

        Args:
            session: the secret of the one it is now.
            replaced: the log that an earlier session was in is gone: what was written in it is not in this one.
        """
        session = mark_of(session)
        for message in list(self.pending.values()):
            if message.session not in ("", session):
                if replaced or message.withdrawn:
                    message.session = ""
                else:
                    self._give_up(message, UNSURE, Lost("The connection was lost before the server confirmed it."))
            if message.withdrawn and not message.session:
                self._settle(message, Lost("The message was taken back."))
        for message in self.pending.values():
            message.held = True
        self._session = session
        self._refusals = 0
        self._slowed = False
        self._flush()

    def renew(self, session: str) -> None:
        """Go on in the same session, which has another secret now."""
        before, self._session = self._session, mark_of(session)
        for message in self.pending.values():
            if message.session == before:
                message.session = self._session
                self.box.put(message)

    def disconnected(self, why: ClientError | None) -> None:
        """Keep what is unconfirmed; tell those who wait for it, but where it goes on at once (None)."""
        self._session = ""
        self._stop_waiting()
        if why is None:
            return
        for message in self.pending.values():
            if message.done is not None and not message.done.done():
                message.done.set_exception(why)

    def confirm(self, id: int, sent: Sent) -> None:
        """Take a message as durable."""
        self._refusals = 0
        message = self.pending.pop(id, None)
        if message is None:
            return
        self.box.drop(id)
        if message.done is not None and not message.done.done():
            message.done.set_result(sent)
        if self._slowed and self._timer is None:
            self._flush()

    def withdrawn(self, id: int) -> None:
        """The server has not taken a message, and won't."""
        message = self.pending.get(id)
        if message is not None:
            self._settle(message, Lost("The message was taken back."))

    def refuse(self, error: frames.Error, id: int) -> bool:
        """Take a refusal. Returns whether people should know: it is final, or sending has to slow down."""
        message = self.pending.get(id)
        if message is None:
            return False
        if error.code not in (Code.TRY_AGAIN, Code.RATE_LIMITED):
            self._give_up(message, error.message, Refused(error.code, error.message))
            return True
        message.held = True
        first = error.code == Code.RATE_LIMITED and not self._slowed
        if error.code == Code.RATE_LIMITED and error.wait_ms is not UNSET:
            # From now on one at a time: each that comes too early would only be refused.
            self._slowed = True
            self._stop_waiting()
            self._wait(error.wait_ms / 1000)
        elif self._timer is None:
            self._wait(WAITS[min(self._refusals, len(WAITS) - 1)])
            self._refusals += 1
        return first

    def _give_up(self, message: Pending, reason: str, error: ClientError) -> None:
        """Leave it to people what becomes of a message."""
        self.pending.pop(message.id, None)
        if message.done is not None:  # who waits is told, and has the text
            self.box.drop(message.id)
            if not message.done.done():
                message.done.set_exception(error)
            return
        message.failed = reason
        self.failed[message.id] = message
        self.box.put(message)

    def _settle(self, message: Pending, error: ClientError) -> None:
        self.pending.pop(message.id, None)
        self.box.drop(message.id)
        if message.done is not None and not message.done.done():
            message.done.set_exception(error)

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._again)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        self._timer = None
        self._flush()

    def _flush(self) -> None:
        """Write what is to be written; in a slowed outbox the first alone, the next when that is confirmed."""
        for message in self.pending.values():
            if message.held:
                message.held = False
                if message.session != self._session:
                    # Kept before it leaves: whoever finds it after a kill knows that it may have arrived.
                    message.session = self._session
                    self.box.put(message)
                self._write(message.frame())
            if self._slowed:
                return
        self._slowed = False
