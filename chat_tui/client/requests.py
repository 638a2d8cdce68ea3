"""What one may ask of a server, and how the answer finds whoever asked."""

import asyncio
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from chat_tui.errors import ClientError, Lost, Refused
from server.protocol import frames, limits
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import check_text

PRIVATE = (
    frames.Server, frames.List, frames.Person, frames.Who, frames.Versions, frames.Found, frames.NewDevice,
    frames.Account, frames.Devices, frames.Bans, frames.Audit, frames.Settings, frames.Ticket, frames.Tickets,
    frames.Accounts, frames.Reports, frames.Exported,
)  # fmt: skip
"""Frames that answer a request and are for whoever asked alone."""
ANSWERS = (frames.Ok, frames.Rooms, frames.People, frames.History, *PRIVATE)
"""Frames that answer a request, where they carry its `ref`."""
_Answer = TypeVar("_Answer", bound=frames.Request)


class Requests:
    """The requests of a client, but for messages, which the outbox sends.

    Each raises NotConnected, Refused, or Lost where the connection ended before the answer, or that took too long.

    Args:
        patience: seconds to wait for each answer.
        backlog: latest messages wanted of a room on entering it, 0 for none.
    """

    def __init__(self, patience: float, backlog: int) -> None:
        self._patience = patience
        self._backlog = backlog
        self._refs = 0
        self._asked: dict[str, asyncio.Future[Any]] = {}
        self._parts: dict[str, list[frames.RoomInfo]] = {}

    # Rooms.

    async def join(self, room: str) -> None:
        """Make or enter a room, or take an invitation. Its latest page follows, through `batches`."""
        await self._ask(frames.Join(room=room, backlog=self._backlog), frames.Ok)

    async def leave(self, room: str) -> None:
        """Stop being a member of a room, or decline an invitation."""
        await self._ask(frames.Leave(room=room), frames.Ok)

    async def make(self, room: str, *, title: str = "", topic: str = "", private: bool = False) -> None:
        """Make a room, and be its owner."""
        await self._ask(frames.Make(room=room, title=title, topic=topic, private=private), frames.Ok)

    async def direct(self, names: Iterable[str]) -> str:
        """Make, or find, the room of oneself and these people; return its handle."""
        answer = await self._ask(frames.Direct(names=list(names)), frames.Ok)
        return answer.room if answer.room is not UNSET else ""

    async def change(
        self,
        room: str,
        *,
        title: str | None = None,
        topic: str | None = None,
        archived: bool | None = None,
        read_only: bool | None = None,
        slow: int | None = None,
        keep_days: int | None = None,
        keep_count: int | None = None,
    ) -> None:
        """Change what is known of a room: what is given. See `frames.Change`."""
        request = frames.Change(
            room=room,
            title=given(title),
            topic=given(topic),
            archived=given(archived),
            read_only=given(read_only),
            slow=given(slow),
            keep_days=given(keep_days),
            keep_count=given(keep_count),
        )
        await self._ask(request, frames.Ok)

    async def invite(self, room: str, name: str, on: bool = True) -> None:
        """Invite somebody into a room, or take that back."""
        await self._ask(frames.Invite(room=room, name=name, on=on), frames.Ok)

    async def ask_rooms(self, rooms: Sequence[str] = ()) -> frames.Rooms:
        """Return how one stands in rooms; none named: in all of one's own. The answer also passes through `batches`."""
        return await self._ask(frames.RoomsRequest(rooms=list(rooms)), frames.Rooms)

    async def listing(self, after: str = "") -> frames.List:
        """Return which rooms there are, by handle, after the last one of the page before."""
        return await self._ask(frames.ListRequest(after=after), frames.List)

    async def mark(
        self,
        room: str,
        *,
        read: int | None = None,
        unread: int | None = None,
        level: frames.Level | None = None,
        favourite: bool | None = None,
        muted: bool | None = None,
    ) -> None:
        """Say what one has read of a room, or wants to be told of: what is given."""
        request = frames.Mark(
            room=room,
            read=given(read),
            unread=given(unread),
            level=given(level),
            favourite=given(favourite),
            muted=given(muted),
        )
        await self._ask(request, frames.Ok)

    # Messages.

    async def edit(self, room: str, seq: int, text: str) -> None:
        """Say an own message otherwise. Raises Refused for what can't be a text, too."""
        try:
            text = check_text(text)
        except ProtocolError as error:
            raise Refused(error.code, error.message) from error
        await self._ask(frames.Edit(room=room, seq=seq, text=text), frames.Ok)

    async def delete(self, room: str, seq: int) -> None:
        """Take a message away for good."""
        await self._ask(frames.Delete(room=room, seq=seq), frames.Ok)

    async def react(self, room: str, seq: int, emoji: str, on: bool = True) -> None:
        """React to a message, or take that back."""
        await self._ask(frames.React(room=room, seq=seq, emoji=emoji, on=on), frames.Ok)

    async def pin(self, room: str, seq: int, on: bool = True) -> None:
        """Pin a message to its room, or take it off."""
        await self._ask(frames.Pin(room=room, seq=seq, on=on), frames.Ok)

    async def history(
        self,
        room: str = "general",
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        at: str | None = None,
        thread: int | None = None,
        limit: int = limits.PAGE,
    ) -> frames.History:
        """Return a page of a room's messages, ascending. The page also passes through `batches`.

        Args:
            room: which.
            before: only older than this seq.
            after: only newer than this seq.
            around: this message, and what stands around it.
            at: the first message at or after this time, RFC 3339, and what stands around it.
            thread: only the thread that grew out of this message, itself included.
            limit: how many at most.
        """
        request = frames.HistoryRequest(
            room=room,
            before=given(before),
            after=given(after),
            around=given(around),
            at=given(at),
            thread=given(thread),
            limit=limit,
        )
        return await self._ask(request, frames.History)

    async def get(self, room: str, seqs: Iterable[int]) -> frames.History:
        """Return some messages of a room, at most `limits.PAGE`."""
        return await self._ask(frames.Get(room=room, seqs=list(seqs)), frames.History)

    async def pins(self, room: str) -> frames.History:
        """Return a room's pinned messages."""
        return await self._ask(frames.Pins(room=room), frames.History)

    async def versions(self, room: str, seq: int) -> frames.Versions:
        """Return all that a message said, the first one first."""
        return await self._ask(frames.VersionsRequest(room=room, seq=seq), frames.Versions)

    async def search(self, query: frames.Search) -> frames.Found:
        """Return what was found, newest first."""
        return await self._ask(query, frames.Found)

    # People.

    async def away(self, on: bool = True, text: str = "") -> None:
        """Be away, or here again."""
        await self._ask(frames.Away(on=on, text=text), frames.Ok)

    async def whois(self, name: str) -> frames.Person:
        """Return what is known of someone."""
        return await self._ask(frames.Whois(name=name), frames.Person)

    async def who(self, room: str, *, begins: str = "", after: str = "", limit: int = limits.WHO) -> frames.Who:
        """Return who is online in a room, by name: so many at most of those that begin like this, after that name."""
        return await self._ask(frames.WhoRequest(room=room, begins=begins, after=after, limit=limit), frames.Who)

    async def people(self, users: Iterable[int]) -> dict[int, str]:
        """Return how people are called; who is not known is left out. The answers also pass through `batches`."""
        wanted = list(users)
        known: dict[int, str] = {}
        for start in range(0, len(wanted), limits.PEOPLE):
            part = frames.PeopleRequest(users=wanted[start : start + limits.PEOPLE])
            known.update((await self._ask(part, frames.People)).people)
        return known

    async def device(self) -> str:
        """Return a session for another device of this person. It is secret: whoever has it is this person."""
        return (await self._ask(frames.Device(), frames.NewDevice)).session

    def typing(self, room: str) -> None:
        """Tell others that something is being written, where there is a connection."""
        self._write(frames.TypingRequest(room=room))

    # How.

    @abstractmethod
    def _live(self) -> None:
        """Raise NotConnected where nothing can be asked now."""

    @abstractmethod
    def _write(self, frame: frames.ClientFrame) -> None:
        """Send a frame, where there is a connection."""

    @abstractmethod
    def _read_on(self) -> None:
        """Go on reading what the server says, although nobody takes it: an answer is awaited."""

    async def _ask(self, request: frames.Request, kind: type[_Answer], *, people: bool = False) -> _Answer:
        """Send a request and wait for its answer; `people`: for as long as people take to do something elsewhere."""
        self._live()
        ref = request.ref = self._next_ref()
        answer = self._asked[ref] = asyncio.get_running_loop().create_future()
        self._write(request)  # type: ignore[arg-type]
        self._read_on()
        try:
            async with asyncio.timeout(None if people else self._patience):
                result = await answer
        except TimeoutError as error:
            raise Lost("The server did not answer in time.") from error
        finally:
            self._asked.pop(ref, None)
            self._parts.pop(ref, None)
        if not isinstance(result, kind):
            raise Refused(Code.BAD_FRAME, "The server answered something else.")
        return result

    def _answer(self, ref: str | UnsetType, frame: Any) -> None:  # noqa: ANN401 - one of `ANSWERS`
        """Hand an answer to whoever waits for it: a long one once its last part is there."""
        if ref is UNSET or ref not in self._asked:
            return
        if isinstance(frame, frames.Rooms):
            parts = self._parts.setdefault(ref, [])
            parts += frame.rooms
            if frame.more:
                return
            frame = frames.Rooms(rooms=parts, as_of=frame.as_of)
        answer = self._asked.pop(ref)
        if not answer.done():
            answer.set_result(frame)

    def _refuse(self, ref: str | UnsetType, error: ClientError) -> bool:
        """Hand a refusal to whoever waits for an answer; return whether someone asked."""
        asked = self._asked.pop(ref, None) if ref is not UNSET else None
        if asked is not None and not asked.done():
            asked.set_exception(error)
        return asked is not None

    def _refuse_all(self, why: ClientError) -> None:
        """Nothing more will be answered."""
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(why)
        self._asked.clear()

    def _next_ref(self) -> str:
        self._refs += 1
        return str(self._refs)


_T = TypeVar("_T")


def given(value: _T | None) -> _T | UnsetType:
    """Return a field of a frame: left out where it is None."""
    return UNSET if value is None else value
