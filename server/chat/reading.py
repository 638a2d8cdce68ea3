"""What people read: pages of history, what is found, how they stand in rooms, who somebody is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

from msgspec import UNSET, UnsetType

from server.chat.answers import refused
from server.chat.hub import SLICE, Hub
from server.chat.names import Names, fold
from server.chat.pages import Pages
from server.chat.ports import Archive, ListQuery, PageQuery, SearchQuery, StandingQuery
from server.chat.rooms import Rooms
from server.chat.standing import marked
from server.chat.world import Peer, Room
from server.chat.world import Person as Someone
from server.protocol import limits
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import (
    Error,
    Get,
    Hello,
    HistoryRequest,
    ListRequest,
    People,
    PeopleRequest,
    Person,
    Pins,
    RoomsRequest,
    Search,
    VersionsRequest,
    Who,
    Whois,
    WhoRequest,
)
from server.record.events import SERVER, time_text

log = logging.getLogger("chat")

Read = Callable[[], Awaitable[bytes]]


class Reading:
    """Answers that are read from the archive. A connection has them one at a time, while it takes what it was sent."""

    def __init__(self, archive: Archive, hub: Hub, rooms: Rooms, names: Names) -> None:
        self._archive = archive
        self._hub = hub
        self._rooms = rooms
        self._names = names
        self._pages = Pages()

    # Pages.

    def history(self, peer: Peer, frame: HistoryRequest) -> None:
        """Send a page."""
        bounds = [bound for bound in (frame.before, frame.after, frame.around, frame.at) if bound is not UNSET]
        if len(bounds) > 1:
            raise ProtocolError(Code.BAD_FRAME, "A page has one bound: before, after, around or at.")
        query = self._query(peer, frame.room, frame.ref, frame.limit)
        query.before = None if frame.before is UNSET else frame.before
        query.after = None if frame.after is UNSET else frame.after
        query.around = None if frame.around is UNSET else frame.around
        query.at = None if frame.at is UNSET else _moment(frame.at)
        query.thread = None if frame.thread is UNSET else frame.thread
        self._want_of_room(peer, query, self._archive.page)

    def get(self, peer: Peer, frame: Get) -> None:
        """Send some messages."""
        query = self._query(peer, frame.room, frame.ref, len(frame.seqs))
        query.seqs = frame.seqs
        self._want_of_room(peer, query, self._archive.page)

    def pins(self, peer: Peer, frame: Pins) -> None:
        """Send what is pinned in a room."""
        query = self._query(peer, frame.room, frame.ref, limits.PAGE)
        query.pinned = True
        self._want_of_room(peer, query, self._archive.page)

    def versions(self, peer: Peer, frame: VersionsRequest) -> None:
        """Send all that a message said."""
        query = self._query(peer, frame.room, frame.ref, limits.VERSIONS)
        query.around = frame.seq
        self._want_of_room(peer, query, self._archive.versions)

    def backlog(self, peer: Peer, hello: Hello) -> None:
        """Send a newcomer the latest messages of each room; who resumes gets what they missed instead."""
        if hello.resume is not None and hello.resume.epoch:
            return
        for room in peer.here.rooms.values():
            if hello.show is None or room.handle in hello.show:
                self.latest(peer, room, hello.backlog)

    def latest(self, peer: Peer, room: Room, limit: int) -> None:
        """Send the latest messages of a room, for whoever has none of it."""
        if not limit:
            return
        known = self._known(peer, room, limit)
        if known is None:
            self.want(peer, partial(self._latest, peer, room, limit), None)
        else:  # it leaves with what is answered in this tick
            peer.answer(known)
            self._hub.answered(peer)

    def _known(self, peer: Peer, room: Room, limit: int) -> bytes | None:
        """Return a room's latest page, where it was read for somebody else and this one may take it at once."""
        if peer.pages or peer.paging or peer.link.congested or sum(map(len, peer.out or ())) > SLICE:
            return None
        return self._pages.get(room.id, limit, room.last) if room.record.before == "all" else None

    def drop_pages(self) -> None:
        """Have all pages be read anew: something on them is gone."""
        self._pages.clear()

    # Everything else.

    def search(self, peer: Peer, frame: Search) -> None:
        """Look for messages."""
        person = peer.here
        rooms = [self._rooms.of_member(person, name) for name in frame.rooms] if frame.rooms else None
        query = SearchQuery(
            reader=person.reader(rooms),
            text=frame.text,
            sender=frame.sender,
            since=_moment(frame.since) if frame.since else None,
            till=_moment(frame.till) if frame.till else None,
            has=list(frame.has),
            before=None if frame.before is UNSET else frame.before,
            limit=frame.limit,
            ref=None if frame.ref is UNSET else frame.ref,
        )
        self.want(peer, partial(self._search, peer.here, query), frame.ref)

    async def _search(self, person: Someone, query: SearchQuery) -> bytes:
        if query.sender:  # who has the name now has said things under others, too
            here = self._names.find(query.sender)
            known = {query.sender: here.user} if here is not None else await self._archive.users([query.sender])
            query.users = list(known.values())
        found = await self._archive.search(query)
        if person.user != SERVER and not query.reader.rooms.keys() <= person.rooms.keys():
            # Left, or put out of one, since it was asked for: what was found there later is not theirs.
            raise ProtocolError(Code.TRY_AGAIN, "You have left a room meanwhile. Search again.")
        return found

    def standing(self, peer: Peer, frame: RoomsRequest) -> None:
        """Send how someone stands in their rooms, and what they are invited to."""
        person = peer.here
        if frame.rooms:
            numbers = [self._rooms.find(person, name).id for name in frame.rooms]
        else:
            numbers = [*person.rooms, *person.invitations]

        async def read() -> bytes:  # as things stand when it is its turn
            ref = None if frame.ref is UNSET else frame.ref
            reader = person.reader()
            known = [number for number in numbers if number in person.rooms or number in person.invitations]
            peer.answer(
                await self._archive.standing(StandingQuery(reader=reader, rooms=known, as_of=self._hub.head, ref=ref))
            )
            for number in known:  # what was told meanwhile, this answer does not know
                mark = person.marks.get(number)
                if mark is not None and number in person.rooms and mark != reader.marks.get(number):
                    peer.answer(marked(person.rooms[number], mark))
            return b""

        self.want(peer, read, frame.ref)

    def listing(self, peer: Peer, frame: ListRequest) -> None:
        """Send which rooms there are."""
        ref = None if frame.ref is UNSET else frame.ref

        async def read() -> bytes:  # as above
            return await self._archive.listing(ListQuery(reader=peer.here.reader(), after=frame.after, ref=ref))

        self.want(peer, read, frame.ref)

    def who(self, peer: Peer, frame: WhoRequest) -> None:
        """Send who is here in a room."""
        room = self._rooms.of_member(peer.here, frame.room)

        async def read() -> bytes:  # as above
            if room.id not in peer.here.rooms and peer.here.user != SERVER:
                raise refused(Code.NOT_A_MEMBER)
            begins, after = fold(frame.begins), fold(frame.after)
            limit, line = frame.limit, b""
            while not line or len(line) > limits.LINE:
                people, more = room.page(begins, after, limit)
                away = {name: room.away[name] for name in people if name in room.away}
                names, users, roles = list(people), list(people.values()), room.moderating(people)
                line = encode(
                    Who(ref=frame.ref, room=room.handle, names=names, users=users, away=away, roles=roles, more=more)
                )
                limit //= 2  # of very long ones fewer fit
            return line

        self.want(peer, read, frame.ref)

    def people(self, peer: Peer, frame: PeopleRequest) -> None:
        """Send how people are called."""

        async def read() -> bytes:
            return encode(People(ref=frame.ref, people=await self._archive.names(frame.users)))

        self.want(peer, read, frame.ref)

    def whois(self, peer: Peer, frame: Whois) -> None:
        """Send what is known of someone."""
        self.want(peer, partial(self._whois, peer, frame), frame.ref)

    async def _whois(self, peer: Peer, frame: Whois) -> bytes:
        here = self._names.find(frame.name)
        user = here.user if here is not None else (await self._archive.users([frame.name])).get(frame.name)
        if user is None:
            raise refused(Code.NO_SUCH_PERSON)
        seen = await self._archive.seen(user)
        called = here.name if here is not None else (await self._archive.names([user]))[0][1]
        if here is None:  # they may be here under a name that came after this one
            known = self._names.find(called)
            here = known if known is not None and known.user == user else None
        shared = [peer.here.rooms[number] for number in seen.rooms if number in peer.here.rooms]
        roles = {room.handle: room.moderator(user) for room in shared}
        online = here is not None and bool(here.peers)
        away = here.away if here is not None else None
        return encode(
            Person(
                ref=frame.ref,
                user=user,
                name=called,
                online=online,
                away=away is not None,
                text=away or "",
                account=seen.account,
                role=seen.role,
                seen="" if online or not seen.last else time_text(seen.last).decode(),
                rooms=[room.handle for room in shared],
                roles={handle: role for handle, role in roles.items() if role is not None},
            )
        )

    # One at a time.

    def want(self, peer: Peer, read: Read, ref: str | UnsetType | None) -> None:
        """Have something read for a connection, and send it. `ref` is None where nobody asked for it."""
        if ref is not None:
            peer.open += 1
        peer.pages = (*peer.pages, (read, ref))
        self.next_page(peer)

    def next_page(self, peer: Peer) -> None:
        """Read the next page that a connection waits for, if it can take one."""
        if peer.pages and not peer.paging and not peer.gone and not peer.link.congested:
            peer.paging = True
            (read, ref), *rest = peer.pages
            peer.pages = tuple(rest)
            asyncio.ensure_future(read()).add_done_callback(partial(self._have_read, peer, ref))

    def _have_read(self, peer: Peer, ref: str | UnsetType | None, page: asyncio.Future[bytes]) -> None:
        peer.paging = False
        if ref is not None:
            peer.open -= 1
        failure = None if page.cancelled() else page.exception()
        if page.cancelled() or failure is not None:
            refusal = failure if isinstance(failure, ProtocolError) else self._unreadable(failure)
            wait = UNSET if refusal.wait_ms is None else refusal.wait_ms
            until = refusal.until or UNSET
            peer.answer(
                encode(Error(ref=ref or UNSET, code=refusal.code, message=refusal.message, wait_ms=wait, until=until))
            )
        else:
            peer.answer(page.result())
        peer.flush()
        self.next_page(peer)
        if not peer.gone:
            peer.link.ready()

    def _unreadable(self, failure: BaseException | None) -> ProtocolError:
        log.error("Something can't be read: %s", failure or "the server is ending")
        return ProtocolError(Code.TRY_AGAIN, "This can't be read just now. Try again.")

    def _want_of_room(self, peer: Peer, query: PageQuery, read: Callable[[PageQuery], Awaitable[bytes]]) -> None:
        """Have something of a room read. Who is put out of it meanwhile gets none of it: it may be of later."""

        async def read_of_room() -> bytes:
            line = await read(query)
            if query.room not in peer.here.rooms and peer.here.user != SERVER:
                raise refused(Code.NOT_A_MEMBER)
            return line

        self.want(peer, read_of_room, UNSET if query.ref is None else query.ref)

    def _query(self, peer: Peer, name: str, ref: str | UnsetType, limit: int) -> PageQuery:
        room = self._rooms.of_member(peer.here, name)
        return PageQuery(
            room=room.id,
            name=room.handle,
            handle=room.json,
            limit=limit,
            as_of=self._hub.head,
            floor=peer.here.floor(room),
            ref=None if ref is UNSET else ref,
        )

    def _latest(self, peer: Peer, room: Room, limit: int) -> asyncio.Future[bytes]:
        """Read a room's latest page; those who ask while nothing new is said share it, where all may read the same."""
        if room.id not in peer.here.rooms:  # left before it was its turn: what came since is not theirs
            nothing = asyncio.get_running_loop().create_future()
            nothing.set_result(b"")
            return nothing
        query = PageQuery(
            room=room.id,
            name=room.handle,
            handle=room.json,
            limit=limit,
            as_of=self._hub.head,
            floor=peer.here.floor(room),
        )
        if room.record.before != "all":
            return asyncio.ensure_future(self._archive.page(query))
        return self._pages.read(room.id, limit, room.last, partial(self._archive.page, query))


def _moment(text: str) -> int:
    """Return RFC 3339, or a date alone, as milliseconds since 1970; ProtocolError where it is neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ProtocolError(Code.BAD_QUERY, "A time is written like 2026-11-21 or 2026-11-21T09:00:00Z.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return int(moment.timestamp() * 1000)
    except (OverflowError, OSError):
        raise ProtocolError(Code.BAD_QUERY, "This time is out of reach.") from None
