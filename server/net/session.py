"""One connection: bytes in any chunks become lines for the chat, and what the chat writes leaves in order.

Back-pressure goes both ways. Outward: when the transport's buffer is full, the hub is told and sends nothing more until
it has drained. Inward: while the chat can't take this connection's next line, or its own answers are not read, its
socket is not read either.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Final, cast

from server.chat.chat import Chat
from server.chat.world import Peer
from server.net.sessions import Sessions
from server.net.unread import Unread
from server.protocol.errors import Code

CLOSE_SECONDS: Final = 1.0
"""Seconds in which what was written must have left when a connection is closed."""

BUFFER: Final = 64 * 1024
"""Bytes a connection's buffer takes, beside the system's own, before it counts as full: as much as a slice. Each write
that waits costs memory and time of its own; what waits in the ring is shared."""

log = logging.getLogger("chat")


class Session(asyncio.Protocol):
    """A client's connection; see `server.chat.ports.Link`.

    Args:
        chat: what its lines are for.
        sessions: those there are.
        secure: what it says is encrypted.
    """

    __slots__ = (
        "_chat",
        "_drained",
        "_ending",
        "_half_closed",
        "_heard",
        "_host",
        "_misses",
        "_peer",
        "_port",
        "_reading",
        "_secure",
        "_sessions",
        "_spoken",
        "_taken",
        "_taking",
        "_timer",
        "_took",
        "_transport",
        "_unread",
        "_whole",
        "_written",
        "congested",
    )

    def __init__(self, chat: Chat, sessions: Sessions, *, secure: bool = False) -> None:
        self._chat = chat
        self._sessions = sessions
        self._peer = Peer(self)
        self._secure = secure
        self._whole = 0
        """Bytes of a line that may be taken as it comes; 0 until it is welcomed, and while anything waits."""
        self._unread: Unread | None = None
        """What it has said and nobody has taken yet."""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._host = ""
        self._port = 0
        self._spoken = False
        self._half_closed = False
        self._reading = True
        self._taking = False
        self._ending = False
        self._heard = False
        self._written = 0
        """Bytes that were written while its buffer was full."""
        self._taken = 0
        """How many the client had taken at the last look, less all that were written before: for comparing."""
        self._took = 0.0
        """When it had taken something, by the loop's clock, while its buffer is full."""
        self._drained = False
        """Since the last look its buffer was full and has become free: whatever it holds now, it was taken from."""
        self._misses = 0
        self.congested = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._sessions.add(self)
        self._transport.set_write_buffer_limits(high=BUFFER)
        self._peer.send = self._transport.write
        peername = transport.get_extra_info("peername")
        if isinstance(peername, tuple) and len(peername) >= 2:
            self._host = sys.intern(str(peername[0]))  # many come from the same
            self._port = peername[1]
        self._expect_hello(self._chat.limits.hello)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._heard = True
        size = len(data)
        if 2 < size <= self._whole and data.find(b"\n") + 1 == size:  # nearly always
            peer = self._peer
            if self._chat.take_now(peer, data):
                if peer.out:
                    peer.flush()
                if peer.leaving is not None:
                    self.ready()
                return
        if not self._ending:
            self._come(data)

    def eof_received(self) -> bool:
        """The client says no more; what it said is still answered."""
        return self.end_of_input(whole=True)

    def end_of_input(self, *, whole: bool) -> bool:
        """Take the end of what the client says, and say whether it may still be answered.

        Args:
            whole: a last line without a line end counts.
        """
        if self._ending:
            return False
        if self._peer.signing_in:  # nobody waits a quarter of an hour for an answer to what they have closed
            self.close()
            return False
        if not self._half_closed:
            self._half_closed = True
            self._come(b"\n" if whole else b"")
        return True

    def pause_writing(self) -> None:
        """The buffer is full."""
        self.congested = True
        self._whole = 0
        self._taken = self._taken_so_far()
        self._took = asyncio.get_running_loop().time()
        self._chat.hub.fall_behind(self._peer)

    def resume_writing(self) -> None:
        """The buffer has drained."""
        self.congested, self._drained = False, True
        self._chat.drained(self._peer)
        self.ready()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection has ended, for whatever reason."""
        self._sessions.discard(self)
        self._sessions.origins.leave(self._host)
        if self._timer is not None:
            self._timer.cancel()
        self._unread = None
        self._chat.lost(self._peer, clean=error is None and self._half_closed, silent=self._misses > 1)
        # The two hold each other: let go, their memory is free now, not when garbage is looked for.
        self._transport = None
        del self._peer

    # What the chat calls.

    @property
    def address(self) -> str:
        """See `server.chat.ports.Link`."""
        if not self._host:
            return "?"
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    @property
    def host(self) -> str:
        """See `server.chat.ports.Link`."""
        return self._host

    @property
    def secure(self) -> bool:
        """See `server.chat.ports.Link`."""
        return self._secure

    def write(self, data: bytes) -> None:
        """See `server.chat.ports.Link`. What all are written goes by `Peer.send`, past this."""
        assert self._transport is not None, "a session writes once it is connected"
        if self.congested:
            self._written += len(data)
        self._transport.write(data)

    def _take_whole(self, line: bytes) -> None:
        """Take a line that came alone. Its end is left on: JSON may be followed by white space."""
        peer = self._peer
        self._taking = True
        self._chat.take(peer, line)
        if peer.out:
            peer.flush()
        self._taking = False
        if peer.leaving is not None:
            self.ready()

    def ready(self) -> None:
        """Take the lines that may be taken now, then read on or not, or end."""
        if self._taking or self._transport is None:
            return
        self._taking = True
        chat, peer, unread = self._chat, self._peer, self._unread
        while unread and not self.congested and not self._ending and chat.may_take(peer):
            welcomed, longest = peer.person is not None, chat.limits.line
            line = unread.line(longest if welcomed else min(chat.limits.early, longest), alone=not welcomed)
            if line == b"":
                continue
            if not self._spoken:
                self._has_spoken()
            chat.take(peer, line)
        peer.flush()
        self._taking = False
        if self._timer is not None and peer.person is not None and not self._ending:
            self._timer.cancel()
            self._timer = None
            peer.patience = 0
        idle = not unread
        self._read_on(idle)
        if unread is not None and idle and not unread.midway:
            self._unread = unread = None
        at_ease = (
            unread is None
            and self._reading
            and not self.congested
            and peer.leaving is None
            and peer.person is not None
            and not (self._ending or self._half_closed)
        )
        self._whole = chat.limits.line if at_ease else 0
        peer.held = not at_ease
        if peer.open == 0 and not self._ending:
            if peer.leaving is not None:
                peer.answer(peer.leaving)
                peer.flush()
                self.close()
            elif self._half_closed and idle and not self._owed():
                self.close()

    def close(self) -> None:
        """See `server.chat.ports.Link`."""
        if self._transport is not None and not self._ending:
            self._ending = True
            self._whole = 0
            if self._timer is not None:
                self._timer.cancel()
            self._transport.close()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(CLOSE_SECONDS, self._transport.abort)

    def abort(self) -> None:
        """See `server.chat.ports.Link`."""
        if self._transport is not None:
            self._ending = True
            self._whole = 0
            self._transport.abort()

    # Whether it is still there.

    def beat(self) -> None:
        """Look whether the client was heard or took something since the last look; called every BEAT seconds."""
        if self._transport is None or self._peer.person is None or self._ending:
            return
        took, self._drained = self._drained, False
        if self.congested:
            took = self._takes(took)
        if not self._peer.pinged or self._ending:
            return
        # Not reading while the chat can't take more is this side's doing, not silence.
        held_up = not self._reading and not self.congested
        alive = self._heard or held_up or took
        self._heard = False
        self._misses = 0 if alive else self._misses + 1
        if self._misses == 1 and not self.congested:
            self._chat.ping(self._peer)
        elif self._misses > 1:
            self._transport.abort()

    def _takes(self, took: bool) -> bool:
        """Say whether one whose buffer is full has taken something; put it out where it has not for long.

        Args:
            took: its buffer was free for a moment since the last look.
        """
        now = asyncio.get_running_loop().time()
        taken = self._taken_so_far()
        progress = took or taken > self._taken
        self._taken = taken
        if progress:
            self._took = now
        elif now - self._took > (seconds := self._chat.limits.stalled):
            # Those who answer no ping, or only talk: with one that is not heard either, the heartbeat is quicker.
            log.info("%s took nothing for %g seconds: this connection ends", self._peer.here.name, seconds)
            message = f"You took nothing of what you were sent for {seconds:g} seconds. Come back with resume."
            self._chat.end(self._peer, Code.STALLED, message)
        return progress

    def _taken_so_far(self) -> int:
        """Return how much of what was written the client has taken: for comparing, while its buffer is full."""
        assert self._transport is not None, "a session that looks is connected"
        return self._written - self._transport.get_write_buffer_size() - self._unacknowledged()

    def _unacknowledged(self) -> int:
        """Return the bytes that the system holds for a client that has not taken them; 0 where it does not say.

        Where it does not, a slow reader shows progress only as this program's own buffer drains.
        """
        raw = self._transport.get_extra_info("socket") if self._transport is not None and self.congested else None
        if raw is None or _OUTQ is None:
            return 0
        try:
            return int.from_bytes(_OUTQ(raw.fileno()), sys.byteorder)
        except OSError:
            return 0

    # Inside.

    def _come(self, data: bytes) -> None:
        """Take in what does not go the short way: all that is said before the welcome, and pieces of lines."""
        if not self._spoken and self._unread is None and self._is_whole_line(data):
            self._has_spoken()
            self._take_whole(data)
            return
        if self._unread is None:
            self._unread = Unread()
        self._unread.add(data)
        self.ready()

    def _is_whole_line(self, data: bytes) -> bool:
        """Say whether the first that comes is one whole line that may be taken, as nearly always."""
        size = len(data)
        early = min(self._chat.limits.early, self._chat.limits.line)
        return 2 < size <= early and data.find(b"\n") + 1 == size and self._chat.may_take(self._peer)

    def _has_spoken(self) -> None:
        self._spoken = True
        self._expect_hello(self._chat.limits.name)

    def _owed(self) -> bool:
        """Say whether a client that says no more is still to be sent something."""
        peer = self._peer
        return peer.person is not None and (not peer.live or peer.paging or bool(peer.pages))

    def _expect_hello(self, seconds: float) -> None:
        """Have it welcomed in so many seconds from now. A timer that fires before that looks again then."""
        loop = asyncio.get_running_loop()
        self._peer.patience = until = loop.time() + seconds
        if self._timer is not None and self._timer.when() > until:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        loop, limits = asyncio.get_running_loop(), self._chat.limits
        left = self._peer.patience - loop.time()
        if left > 0:  # it has spoken since then, or somebody is signing in elsewhere
            self._timer = loop.call_later(left, self._too_late)
        elif self._peer.person is None:
            seconds = limits.name if self._spoken else limits.hello
            self._chat.end(self._peer, Code.HELLO_TIMEOUT, f"Nobody said hello in {seconds:g} seconds.")

    def _read_on(self, wanted: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or wanted is self._reading:
            return
        self._reading = wanted
        if wanted:
            transport.resume_reading()
        else:
            transport.pause_reading()


def _how_much_is_unacknowledged() -> Callable[[int], bytes] | None:
    """Return a way to ask the system for the bytes in a socket's send queue, as an int of 4 bytes."""
    if sys.platform != "linux":
        return None
    import fcntl
    import termios

    # SIOCOUTQ of tcp(7) is the terminal's TIOCOUTQ.
    return lambda descriptor: fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))


_OUTQ = _how_much_is_unacknowledged()
