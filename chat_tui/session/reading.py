"""What is read, on whatever device, and what is unread."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from chat_tui.client import Client, ClientError, Refused
from chat_tui.session.desk import Desk
from chat_tui.state.chat import Changed, Chat
from chat_tui.state.rooms import Room
from server.protocol import frames, limits

MARK_EVERY: Final = 0.3
"""Seconds between two times that the server is told what was read."""
ASK_AFTER: Final = 0.05
"""Seconds before rooms are asked for anew: what several frames changed is one question."""
TYPING_EVERY: Final = 3.0
"""Seconds between two times that others are told that something is being written."""
LAST_WORDS: Final = 1.0
"""Seconds that leaving waits for the server to hear what was read."""
CAUGHT_UP: Final = 20
"""Unread messages of a room that catching up shows."""
AT_ONCE: Final = 8
"""Rooms that are fetched at once."""


class Reading(Desk):
    """How far rooms are read, and what one wants to be told of."""

    def __init__(self, chat: Chat, client: Client, changed: Callable[[Changed], None]) -> None:
        super().__init__(chat, client, changed)
        self._early: dict[str, int] = {}
        """What was seen of rooms before the server said how far they are read."""
        self._left_unread: Room | None = None
        """The room that was marked as unread while it was shown: being shown does not make it read."""
        self._wrote = ("", 0.0)
        """In which room others were last told that something is being written, and when."""

    def seen(self, seq: int) -> None:
        """Tell that all up to a message was seen in the room that is shown; soon all devices know."""
        room = self.chat.current
        if not room.known:
            self._early[room.handle] = max(seq, self._early.get(room.handle, 0))
            return
        if room.thread is not None or (room.visit is not None and room.visit.more_after):
            return  # what comes between was not seen
        if room is self._left_unread and seq <= room.read:
            return
        if room.marks.saw(seq):
            self._left_unread = None
            self._changed(Changed.MARKS)
            self._tell_marks()

    def unread_from(self, seq: int) -> None:
        """Let all from a message of the shown room on count as unread, until something later is seen."""
        room = self._left_unread = self.chat.current
        room.marks.leave_unread(seq)
        self._changed(Changed.MARKS)
        self._tell_marks()

    def read_all(self, handle: str) -> None:
        """Let a room count as read, without looking at it."""
        room = self.chat.rooms[handle]
        if room.marks.saw(room.last):
            self._changed(Changed.MARKS)
            self._tell_marks()

    async def mark(
        self,
        handle: str,
        *,
        level: frames.Level | None = None,
        favourite: bool | None = None,
        muted: bool | None = None,
    ) -> None:
        """Say what one wants to be told of a room: what is given. Raises ClientError."""
        await self.client.mark(handle, level=level, favourite=favourite, muted=muted)

    def typing(self) -> None:
        """Tell that something is being written in the room that is shown; may be called with each key."""
        now, room = asyncio.get_running_loop().time(), self.chat.current.handle
        if self.client.connected and (room != self._wrote[0] or now - self._wrote[1] >= TYPING_EVERY):
            self._wrote = (room, now)
            self.client.typing(room)

    async def catch_up(self) -> list[tuple[Room, list[frames.Message]]]:
        """Return the first unread messages of each room that has some: where I am named first. Raises ClientError."""
        rooms = [room for room in self.chat.rooms.values() if room.news[0]]
        rooms.sort(key=lambda room: (not room.mentions, -room.last))
        found: list[tuple[Room, list[frames.Message]]] = []
        for start in range(0, len(rooms), AT_ONCE):
            some = rooms[start : start + AT_ONCE]
            pages = await asyncio.gather(*map(self._first_unread, some))
            found += [(room, messages) for room, messages in zip(some, pages, strict=True) if messages]
        return found

    # How.

    async def _first_unread(self, room: Room) -> list[frames.Message]:
        with suppress(Refused):  # we are not in this room any more
            page = await self.client.history(room.handle, after=room.marks.floor, limit=CAUGHT_UP)
            return self.chat.unhidden(page.messages)
        return []

    async def _learn_rooms(self) -> None:
        """Learn how things stand."""
        answer = await self.client.ask_rooms()
        self.chat.keep_only([*self.client.rooms, *(info.room for info in answer.rooms)])
        self._changed(Changed.ROOMS | Changed.MARKS)

    def _look_after_rooms(self) -> None:
        """Take in what the last frames mean for what is read, and ask for rooms of which too little is known."""
        shown = self.chat.current
        if shown.known and shown.handle in self._early:
            self.seen(self._early.pop(shown.handle))
        if self.chat.strange or any(room.marks.uncertain for room in self.chat.rooms.values()):
            self._do("ask", self._ask_again)
        if any(room.marks.untold for room in self.chat.rooms.values()):
            self._tell_marks()

    async def _ask_again(self) -> None:
        await asyncio.sleep(ASK_AFTER)
        rooms = [room for room in self.chat.rooms.values() if room.marks.uncertain or room.handle in self.chat.strange]
        self.chat.strange.clear()
        for room in rooms:
            room.marks.uncertain = False
        rooms = [room for room in rooms if room.member][: limits.ROOMS]
        # What was read here is told first: the server counts from there.
        await self._tell_untold([room for room in rooms if room.marks.untold])
        if rooms:
            await self.client.ask_rooms([room.handle for room in rooms])

    async def _tell_last_marks(self) -> None:
        """Tell what was read, before leaving; a server that does not answer keeps nobody here."""
        if self.client.connected:
            with suppress(ClientError, TimeoutError):
                async with asyncio.timeout(LAST_WORDS):
                    await self._tell_untold([room for room in self.chat.rooms.values() if room.marks.untold])

    def _tell_marks(self) -> None:
        if self.client.connected:
            self._do("marks", self._tell_by_and_by)

    async def _tell_by_and_by(self) -> None:
        while rooms := [room for room in self.chat.rooms.values() if room.marks.untold]:
            await self._tell_untold(rooms)
            await asyncio.sleep(MARK_EVERY)

    async def _tell_untold(self, rooms: list[Room]) -> None:
        """Tell the server what was read: what may not have arrived is told again."""
        for room in rooms:
            read, since = news = room.marks.take_untold()
            try:
                if read is not None:
                    await self.client.mark(room.handle, read=read)
                if since is not None:
                    await self.client.mark(room.handle, unread=since)
            except Refused:
                continue  # we are not in this room any more
            except BaseException:
                room.marks.put_back(news)
                raise
