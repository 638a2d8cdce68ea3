"""What moderators do, and see: roles, kicks, bans, silences, the audit, reports."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from server.chat.answers import refused
from server.chat.errands import committed
from server.chat.hub import Hub
from server.chat.ports import Archive, Log
from server.chat.reading import Read, Reading
from server.chat.rooms import Rooms
from server.chat.world import Peer, Person
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import (
    Appoint,
    Audit,
    AuditRequest,
    Bans,
    BansRequest,
    Kick,
    Report,
    Reports,
    ReportsRequest,
    Settle,
    Silence,
)
from server.protocol.frames import Ban as BanRequest
from server.protocol.text import clean_line
from server.record.addresses import is_range, lies_in, network_of
from server.record.bans import Ban, because, moment
from server.record.entries import Checking, Draft
from server.record.events import (
    FOREVER,
    GENERAL,
    SERVER,
    AppointBody,
    BanBody,
    KickBody,
    Kind,
    RangeBody,
    ReportBody,
    SettleBody,
    time_text,
)
from server.record.rights import Act, may

log = logging.getLogger("chat")


class Moderation:
    """Acts on people. They go through the log, whose writer judges; who is put out is so once they come back."""

    def __init__(
        self,
        journal: Log,
        archive: Archive,
        hub: Hub,
        rooms: Rooms,
        reading: Reading,
        people: dict[int, Person],
    ) -> None:
        self._log = journal
        self._archive = archive
        self._hub = hub
        self._rooms = rooms
        self._reading = reading
        self._people = people
        self._showing: set[asyncio.Task[None]] = set()
        self.cut_off: Callable[[Person, list[Peer], ProtocolError, str], None] = lambda *_: None
        """Called to end connections of somebody: with what they are told, and the reason that others are."""

    # What is done to people.

    async def appoint(self, peer: Peer, frame: Appoint) -> bytes:
        """Give somebody another role."""
        room = self._rooms.of_member(peer.here, frame.room)
        who, name = await self._rooms.person(frame.name)
        body = AppointBody(peer.here.name, who, name, frame.role)
        self._rooms.request(peer, frame, Kind.APPOINT, room.id, body)
        return b""

    async def kick(self, peer: Peer, frame: Kick) -> bytes:
        """Put somebody out."""
        room = self._rooms.of_member(peer.here, frame.room)
        who, name = await self._rooms.person(frame.name)
        body = KickBody(peer.here.name, who, name, _reason(frame.reason))
        self._rooms.request(peer, frame, Kind.KICK, room.id, body)
        return b""

    async def ban(self, peer: Peer, frame: BanRequest) -> bytes:
        """Keep somebody out, or an address range, or no more."""
        if bool(frame.name) == bool(frame.range):
            raise ProtocolError(Code.BAD_FRAME, "A ban is of a name, or of a range of addresses.")
        if frame.range:
            self._ban_range(peer, frame, frame.range)
            return b""
        try:
            await self._keep(peer, frame, Kind.BAN)
        except ProtocolError as refusal:  # an address is as good, where nobody is called so
            if refusal.code is not Code.NO_SUCH_PERSON or not is_range(frame.name):
                raise
            self._ban_range(peer, frame, frame.name)
        return b""

    async def silence(self, peer: Peer, frame: Silence) -> bytes:
        """Have somebody only read, or no more."""
        await self._keep(peer, frame, Kind.SILENCE)
        return b""

    async def _keep(self, peer: Peer, frame: BanRequest | Silence, kind: Kind) -> None:
        room = self._rooms.of_member(peer.here, frame.room)
        who, name = await self._rooms.person(frame.name)
        body = BanBody(peer.here.name, who, name, _until(frame), _reason(frame.reason), frame.on)
        self._rooms.request(peer, frame, kind, room.id, body)

    def _ban_range(self, peer: Peer, frame: BanRequest, addresses: str) -> None:
        if frame.room != GENERAL:
            raise ProtocolError(Code.BAD_ROOM, "Addresses are kept out of the whole server, not of a room.")
        try:
            network = network_of(addresses)
        except ValueError:
            message = "An address is written like 203.0.113.7, a range of them like 203.0.113.0/24."
            raise ProtocolError(Code.BAD_QUERY, message) from None
        if frame.on and peer.here.user != SERVER and lies_in(peer.link.host, network):
            raise ProtocolError(Code.NOT_ALLOWED, "You are in this range yourself.")
        body = RangeBody(peer.here.name, network, _until(frame), _reason(frame.reason), frame.on)
        self._rooms.request(peer, frame, Kind.RANGE, self._hub.general.id, body)

    # Reports.

    def report(self, peer: Peer, frame: Report) -> None:
        """Show a message to the moderators."""
        self._rooms.of_member(peer.here, frame.room)
        body = ReportBody(peer.here.name, frame.seq, _reason(frame.reason))
        self._rooms.request(peer, frame, Kind.REPORT, self._hub.general.id, body)

    def settle(self, peer: Peer, frame: Settle) -> None:
        """A report is dealt with."""
        body = SettleBody(peer.here.name, frame.report)
        self._rooms.request(peer, frame, Kind.SETTLE, self._hub.general.id, body)

    # What is seen.

    def bans(self, peer: Peer, frame: BansRequest) -> None:
        """Send who is kept out of a room, or silenced there."""
        room = self._rooms.of_member(peer.here, frame.room)

        async def read() -> bytes:
            bans = await self._archive.bans(room.id, _now(), ranges=room.handle == GENERAL)
            return encode(Bans(ref=frame.ref, room=room.handle, bans=bans))

        self.check(peer, frame, room.id, Act.SEE_BANS, read)

    def audit(self, peer: Peer, frame: AuditRequest) -> None:
        """Send what was done by who may."""
        room = self._rooms.of_member(peer.here, frame.room).id if frame.room else 0
        before = FOREVER if frame.before is UNSET else frame.before

        async def read() -> bytes:
            acts, more = await self._archive.audit(room, before, frame.limit)
            return encode(Audit(ref=frame.ref, acts=acts, more=more))

        self.check(peer, frame, room or self._hub.general.id, Act.SEE_AUDIT, read)

    def reports(self, peer: Peer, frame: ReportsRequest) -> None:
        """Send what is reported and not settled."""
        before = FOREVER if frame.before is UNSET else frame.before

        async def read() -> bytes:
            reports, more = await self._archive.reports(before)
            return encode(Reports(ref=frame.ref, reports=reports, more=more))

        self.check(peer, frame, self._hub.general.id, Act.SEE_REPORTS, read)

    def check(self, peer: Peer, frame: Any, room: int, act: Act, read: Read) -> None:  # noqa: ANN401
        """Have something read for a connection, where its person may: that is judged where all rights are.

        When it is its turn to be read, and not before: what waits behind other answers is not for who lost the right.
        """

        async def read_if_allowed() -> bytes:
            await committed(self._log, Checking(user=peer.here.user, room=room, act=act))
            return await read()

        self._reading.want(peer, read_if_allowed, frame.ref)

    # What comes back from the log.

    def reported(self, draft: Draft) -> None:
        """Show a committed REPORT to those who see reports and are here; others ask when they come."""
        task = asyncio.get_running_loop().create_task(self._show(draft.seq))
        self._showing.add(task)
        task.add_done_callback(self._showing.discard)

    async def _show(self, report: int) -> None:
        try:
            found, _ = await self._archive.reports(report + 1)
        except OSError as error:
            log.error("A report can't be read: %s", error)
            return
        if not found or found[0].report != report:  # settled already
            return
        line = encode(Reports(reports=found[:1]))
        for person in self._people.values():
            if may(person.role, Act.SEE_REPORTS, GENERAL):
                for peer in person.peers:
                    if not peer.link.congested:
                        peer.link.write(line)

    def apply(self, draft: Draft) -> None:
        """Let a committed KICK, BAN or RANGE put people out. MUST follow the delivery of that event, if it is shown."""
        body: KickBody | BanBody | RangeBody = draft.about
        if not getattr(body, "on", True):
            return
        if isinstance(body, RangeBody):
            why = _why(Code.BANNED, body)
            for person in list(self._people.values()):
                peers = [peer for peer in person.peers if lies_in(peer.link.host, body.range)]
                if peers and not may(person.role, Act.BAN_RANGE, GENERAL):
                    self.cut_off(person, peers, why, "banned")
            return
        who = self._people.get(body.who)
        room = self._hub.rooms[draft.room]
        code, reason = (Code.KICKED, "kicked") if draft.kind is Kind.KICK else (Code.BANNED, "banned")
        if who is None:
            return
        if room is self._hub.general:
            log.info("%s was %s by %s", who.name, reason, body.sender)
            self.cut_off(who, list(who.peers), _why(code, body), reason)
        else:
            self._rooms.put_out(who, room, draft.seq, reason)


def _why(code: Code, body: KickBody | BanBody | RangeBody) -> ProtocolError:
    """Return what is said to who is put out of the server."""
    by = f"It was {body.sender}."
    if isinstance(body, KickBody):
        return refused(code, f"{by} {because(body.reason)}".strip())
    ban = Ban(moment(body.until), body.reason)
    return refused(code, f"{by} {ban.words}", until=ban.end)


def _reason(text: str) -> str:
    return clean_line(text).strip()


def _until(frame: BanRequest | Silence) -> str:
    """Return when it ends, as bodies have it; empty where it does not."""
    return time_text(_now() + frame.minutes * 60_000).decode() if frame.on and frame.minutes else ""


def _now() -> int:
    return time.time_ns() // 1_000_000
