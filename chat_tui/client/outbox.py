"""Own messages that the server has not confirmed: nothing typed is lost, nothing is sent in another order."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

from chat_tui.errors import ClientError, Lost, Refused
from server.protocol import frames
from server.protocol.errors import Code

WAITS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before a message that the server could not take just now is sent again; the last one is repeated."""


class Sent(NamedTuple):
    """A message is durable."""

    seq: int
    time: str
    """RFC 3339, UTC; empty where only the `ok` told."""


class Pending(Struct, kw_only=True, eq=False):
    """An own message on its way."""

    id: int
    room: str
    text: str
    me: bool
    done: asyncio.Future[Sent] | None = None
    """Set where someone waits for it."""
    session: str = ""
    """The session it was written in; empty until it was."""
    held: bool = True
    """To be written with the next `flush`."""

    def frame(self) -> frames.Send:
        """Return it as it is written."""
        return frames.Send(room=self.room, text=self.text, id=self.id, me=self.me)


class Outbox:
    """The unconfirmed messages by id, in the order they were written.

    Args:
        write: sends a frame now; called only between `connected` and `disconnected`.
    """

    def __init__(self, write: Callable[[frames.ClientFrame], None]) -> None:
        self.pending: dict[int, Pending] = {}
        self._write = write
        # Ids grow within a session, and a session may outlive this process in the server's log: starting at the
        # clock's milliseconds, an old message of mine in a page of history is never taken for a new one.
        self._last = int(time.time() * 1000)
        self._session = ""
        self._timer: asyncio.TimerHandle | None = None
        self._refusals = 0

    def post(self, room: str, text: str, me: bool) -> Pending:
        """Number a message and send it: now, or as soon as that is possible."""
        self._last += 1
        message = Pending(id=self._last, room=room, text=text, me=me)
        self.pending[message.id] = message
        if self._session and self._timer is None:
            self._flush()
        return message

    def connected(self, session: str) -> list[Pending]:
        """Send all that waits in `session`; return what can't be: written in another session, with unknown result."""
        unknown = [message for message in self.pending.values() if message.session not in ("", session)]
        for message in unknown:
            self._settle(message, Lost("The connection was lost before the server confirmed it."))
        for message in self.pending.values():
            message.held = True
        self._session = session
        self._refusals = 0
        self._flush()
        return unknown

    def disconnected(self, why: ClientError) -> None:
        """Keep what is unconfirmed; tell those who wait for it."""
        self._session = ""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for message in self.pending.values():
            if message.done is not None and not message.done.done():
                message.done.set_exception(why)

    def confirm(self, id: int, sent: Sent) -> None:
        """Take a message as durable."""
        self._refusals = 0
        message = self.pending.pop(id, None)
        if message is not None and message.done is not None and not message.done.done():
            message.done.set_result(sent)

    def refuse(self, error: frames.Error, id: int) -> bool:
        """Take a refusal. Returns whether it is final; else the message is sent again after a while."""
        message = self.pending.get(id)
        if message is None:
            return False
        if error.code == Code.TRY_AGAIN:
            message.held = True
            if self._timer is None:
                wait = WAITS[min(self._refusals, len(WAITS) - 1)]
                self._refusals += 1
                self._timer = asyncio.get_running_loop().call_later(wait, self._again)
            return False
        self._settle(message, Refused(error.code, error.message))
        return True

    def _settle(self, message: Pending, error: ClientError) -> None:
        self.pending.pop(message.id, None)
        if message.done is not None and not message.done.done():
            message.done.set_exception(error)

    def _again(self) -> None:
        self._timer = None
        self._flush()

    def _flush(self) -> None:
        for message in self.pending.values():
            if message.held:
                message.held = False
                message.session = self._session
                self._write(message.frame())
