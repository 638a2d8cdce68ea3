"""The chat itself: takes lines from connections and entries from the log, and lets the rules act on them."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from copy import copy
from functools import partial
from typing import Any, Final

from msgspec import UNSET

from server.chat.accounts import Accounts
from server.chat.answers import Answers
from server.chat.blocking import Blocking
from server.chat.company import Company
from server.chat.devices import Devices
from server.chat.entrance import Entrance
from server.chat.errands import Errands
from server.chat.greeting import Greeting
from server.chat.hub import Hub
from server.chat.limits import DEFAULTS, Limits
from server.chat.login import Login
from server.chat.moderation import Moderation
from server.chat.names import Names
from server.chat.ports import Archive, Link, Log, Passwords, Provider
from server.chat.presence import Presence
from server.chat.privacy import Privacy
from server.chat.reading import Reading
from server.chat.reception import Reception
from server.chat.rooms import Rooms
from server.chat.saying import Saying
from server.chat.standing import Standing
from server.chat.throttle import Throttle
from server.chat.world import Peer, Person
from server.protocol import frames
from server.protocol.codec import decode_client, encode
from server.protocol.errors import Code, ProtocolError
from server.record.entries import Draft, Entry
from server.record.events import HIDDEN, SHOWN, Kind
from server.record.register import RoomRecord

_PUTS_OUT: Final = frozenset({Kind.KICK, Kind.BAN, Kind.RANGE, Kind.ERASE})
"""Kinds of events that may put people out."""

_HTTP: Final = b" HTTP/1."
"""Stands in the first line of a browser. What follows may be frames that a web page has it say, unknown to whoever sits
there; and on the server's own machine it would be let in."""

log = logging.getLogger("chat")


_EARLY: Final = frozenset({frames.About, frames.Hello, frames.Register, frames.Quit, frames.Ping, frames.Pong})
"""What may be said before the welcome."""


class Chat:
    """One server's chat. Not thread-safe: all calls come from the event loop."""

    def __init__(
        self,
        journal: Log,
        archive: Archive,
        rooms: Iterable[RoomRecord],
        server: str,
        limits: Limits = DEFAULTS,
        *,
        passwords: Passwords,
        provider: Provider | None = None,
        control: str = "",
    ) -> None:
        """Make a chat.

        Args:
            journal: its log, opened.
            archive: what is read of it.
            rooms: those there are.
            server: program and version, for people.
            limits: what each is granted.
            passwords: hashes them.
            provider: by which people may sign in, where there is one.
            control: what whoever runs the server says instead of a name; empty where nobody may.
        """
        self.limits = limits
        self._unanswered = limits.unanswered
        self._log = journal
        self.committed_to: Callable[[int], None] = lambda _head: None
        """Called with the seq up to which the log has come."""
        self._held_up: dict[Peer, None] = {}
        self._stopping = False
        self.hub = Hub(journal.head, archive)
        for room in rooms:
            self.hub.add_room(room, journal.roles.get(room.id))
        names, answers = Names(), Answers(self.hub)
        people: dict[int, Person] = {}
        self.presence = Presence(self.hub, limits.crowd)
        settings = copy(journal.settings)
        self._errands = Errands(answers)
        login = Login(archive, passwords, provider, Throttle(limits), answers)
        self.entrance = Entrance(journal, self.hub, self.presence, names, people, limits, answers)
        self.greeting = greeting = Greeting(
            journal, self.hub, names, self.entrance, server, limits, answers, login, self._errands, settings, control
        )
        self.rooms = Rooms(journal, archive, self.hub, self.presence, names, people, limits, answers)
        self.saying = Saying(journal, self.hub, self.presence, names, self.rooms, answers)
        self.reading = reading = Reading(archive, self.hub, self.rooms, names)
        self.standing = Standing(journal, self.rooms, answers)
        self.moderation = Moderation(journal, archive, self.hub, self.rooms, self.reading, people)
        self.devices = Devices(journal, archive, self.reading, names, people, answers, self.entrance.cut_off)
        self.accounts = Accounts(
            journal, archive, self.hub, names, answers, login, self._errands, self.devices, settings
        )
        self.reception = Reception(journal, archive, self.hub, people, answers, settings, self.moderation.check)
        blocking = Blocking(journal, archive, names, people, answers)
        self.privacy = Privacy(journal, archive, self.hub, people, self.rooms, reading, login, self._errands)
        company = Company(journal, self.hub, self.presence, self.rooms, answers)
        greeting.welcomed = self.reading.backlog
        greeting.whose = self.accounts.whose
        greeting.unwritten = self.standing.unwritten
        self.rooms.entered = self.reading.latest
        self.moderation.cut_off = self.entrance.cut_off
        self.hub.gapped = lambda peer, room: self.reading.latest(peer, room, peer.backlog)
        rooms_, saying, moderation = self.rooms, self.saying, self.moderation
        self._commands: dict[type[frames.Frame], Callable[[Peer, Any], None]] = {
            frames.About: greeting.about,
            frames.Hello: greeting.hello,
            frames.Register: self.accounts.register,
            frames.Password: self.accounts.password,
            frames.Claim: self.accounts.claim,
            frames.Device: self.devices.device,
            frames.DevicesRequest: self.devices.devices,
            frames.End: self._looked_up(self.devices.end),
            frames.SettingsRequest: self.reception.settings,
            frames.TicketRequest: self.reception.ticket,
            frames.TicketsRequest: self.reception.tickets,
            frames.AccountsRequest: self.reception.accounts,
            frames.Block: self._looked_up(blocking.block),
            frames.Nick: self.entrance.nick,
            frames.Quit: self.entrance.quit,
            frames.Join: rooms_.join,
            frames.Leave: rooms_.leave,
            frames.Make: rooms_.make,
            frames.Direct: self._looked_up(rooms_.direct),
            frames.Change: rooms_.change,
            frames.Invite: self._looked_up(rooms_.invite),
            frames.Send: saying.send,
            frames.Withdraw: saying.withdraw,
            frames.Edit: saying.edit,
            frames.Delete: saying.delete,
            frames.React: saying.react,
            frames.Pin: saying.pin,
            frames.Appoint: self._looked_up(moderation.appoint),
            frames.Kick: self._looked_up(moderation.kick),
            frames.Ban: self._looked_up(moderation.ban),
            frames.Silence: self._looked_up(moderation.silence),
            frames.BansRequest: moderation.bans,
            frames.AuditRequest: moderation.audit,
            frames.Report: moderation.report,
            frames.ReportsRequest: moderation.reports,
            frames.Settle: moderation.settle,
            frames.Export: self.privacy.export,
            frames.Erase: self.privacy.erase,
            frames.Mark: self.standing.mark,
            frames.TypingRequest: company.typing,
            frames.Away: company.away,
            frames.Whois: reading.whois,
            frames.WhoRequest: reading.who,
            frames.PeopleRequest: reading.people,
            frames.RoomsRequest: reading.standing,
            frames.ListRequest: reading.listing,
            frames.HistoryRequest: reading.history,
            frames.Get: reading.get,
            frames.Pins: reading.pins,
            frames.VersionsRequest: reading.versions,
            frames.Search: reading.search,
            frames.Ping: lambda peer, _ping: peer.answer(_PONG),
            frames.Pong: lambda _peer, _pong: None,
        }

    def _looked_up(self, handle: Callable[[Peer, Any], Awaitable[bytes]]) -> Callable[[Peer, Any], None]:
        """Return the handler of a request that has to look something up in the archive before it can act."""
        return lambda peer, frame: self.reading.want(peer, partial(handle, peer, frame), frame.ref)

    def may_take(self, peer: Peer) -> bool:
        """Say whether a connection's next line may be taken now; if not, its link is told when it may be."""
        if self._log.full:
            self._held_up[peer] = None
            return False
        if peer.waiting or peer.gone or peer.leaving is not None or self._stopping:
            return False
        return peer.open < self._unanswered

    def take_now(self, peer: Peer, line: bytes) -> bool:
        """Act on a line of one who is in and at ease; say whether it could be taken now. One call: most is said so.

        `peer.flush()` MUST follow. Where it says no, `may_take` tells when.
        """
        if peer.waiting or peer.open >= self._unanswered or self._log.full or self._stopping:
            return False
        try:
            frame = decode_client(line)
        except ProtocolError as fault:
            self._fault(peer, fault)
            return True
        try:
            self._commands[type(frame)](peer, frame)
        except ProtocolError as refusal:
            _refuse(peer, frame, refusal)
        return True

    def take(self, peer: Peer, line: bytes | None) -> None:
        """Act on a line, None for one that was too long. `peer.flush()` MUST follow the last line of a read."""
        try:
            if line is None:
                most = self.limits.line if peer.person is not None else min(self.limits.early, self.limits.line)
                raise ProtocolError(Code.TOO_LONG, f"A line has at most {most:,} bytes here. This one was dropped.")
            frame = decode_client(line)
        except ProtocolError as fault:
            if line is not None and peer.person is None and _HTTP in line:
                self.end(peer, Code.ABUSE, "This is no web server.")
            else:
                self._fault(peer, fault)
            return
        kind = type(frame)
        try:
            if peer.person is None and kind not in _EARLY:
                raise ProtocolError(Code.HELLO_FIRST, 'Say {"type":"hello","name":"…"} first.')
            self._commands[kind](peer, frame)
        except ProtocolError as refusal:
            _refuse(peer, frame, refusal)

    def committed(self, entries: Sequence[Entry]) -> None:
        """Take back what the log has dealt with, in its order."""
        freed: dict[Peer, None] = {}
        said = self.saying.said
        message = Kind.MESSAGE
        for entry in entries:
            peer = entry.peer
            if isinstance(entry, Draft):
                if entry.kind is message:
                    said(entry)
                else:
                    self._happened(entry)
            elif entry.then is not None:
                # Who comes or goes does so between two writes: first what was before.
                self.hub.deliver()
                entry.then(entry)
            if peer is not None and peer.held:
                freed[peer] = None
        self.hub.deliver(self._log.head)
        self.committed_to(self._log.head)
        if self._held_up and not self._log.full:
            freed.update(self._held_up)
            self._held_up.clear()
        for peer in freed:
            if not peer.gone:
                peer.link.ready()

    def _happened(self, draft: Draft) -> None:
        """An event that is no message has come back from the log, or was refused, or changes nothing."""
        if draft.code is None and not draft.idle:
            self.privacy.apply(draft)
            if draft.kind in _PUTS_OUT:
                if draft.kind < HIDDEN:
                    self.saying.acted(draft)
                self.hub.deliver(draft.seq)  # whom it concerns is told so, and nothing that comes after
                if draft.kind is Kind.ERASE:
                    self.entrance.erased(draft.about.who)
                else:
                    self.moderation.apply(draft)
            else:
                if draft.kind < SHOWN or draft.kind is Kind.INVITE:
                    self.hub.deliver()  # who reads a room changes between two writes
                if draft.kind is Kind.ACCOUNT:
                    self.hub.deliver()
                    self.entrance.accounted(draft)
                elif draft.kind is Kind.SETTINGS:
                    self.reception.was_set(draft)
                elif draft.kind is Kind.REPORT:
                    self.moderation.reported(draft)
                else:
                    self.rooms.apply(draft)
                if SHOWN <= draft.kind < HIDDEN:
                    self.saying.acted(draft)
        if draft.then is not None:
            draft.then(draft)
        elif draft.peer is not None:
            self.saying.answer(draft)

    def drained(self, peer: Peer) -> None:
        """A connection takes what it is sent again."""
        self.hub.go_on(peer)
        self.reading.next_page(peer)

    def lost(self, peer: Peer, *, clean: bool, silent: bool) -> None:
        """A connection has ended; see `Entrance.lost`."""
        self.entrance.lost(peer, clean=clean, silent=silent)

    def ping(self, peer: Peer) -> None:
        """Ask a connection whether it is there, and tell it up to where it has been sent everything."""
        seq = self.hub.head if peer.live else peer.position
        peer.link.write(encode(frames.Ping(seq=seq)))

    def end(self, peer: Peer, code: Code, message: str) -> None:
        """Tell a connection why it ends, and end it."""
        peer.answer(encode(frames.Error(code=code, message=message)))
        peer.flush()
        peer.link.close()

    def stop_taking(self) -> None:
        """Take no more lines: the server is ending."""
        self._stopping = True
        self._errands.stop()
        self.privacy.stop()
        self.standing.write()
        self.entrance.note_last_use()

    def shut_down(self, links: Iterable[Link], reason: str) -> None:
        """Tell everyone that the server ends."""
        self.presence.flush()
        line = encode(frames.Shutdown(reason=reason))
        for link in links:
            link.write(line)
            link.close()
        self.entrance.stop()

    def _fault(self, peer: Peer, fault: ProtocolError) -> None:
        peer.faults += 1
        ref = UNSET if fault.ref is None else fault.ref
        peer.answer(encode(frames.Error(ref=ref, code=fault.code, message=fault.message)))
        if peer.faults >= self.limits.faults:
            self.end(peer, Code.ABUSE, f"{peer.faults} lines here were no frames. See docs/protocol.md.")


def _refuse(peer: Peer, frame: frames.Frame, refusal: ProtocolError) -> None:
    ref = getattr(frame, "ref", UNSET)
    wait_ms = UNSET if refusal.wait_ms is None else refusal.wait_ms
    peer.answer(encode(frames.Error(ref=ref, code=refusal.code, message=refusal.message, wait_ms=wait_ms)))


_PONG = encode(frames.Pong())
