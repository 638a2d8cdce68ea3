"""What of a room is shown: its live end, what stands around an old message, a thread; and where that comes from."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from chat_tui.client import Lost, Refused
from chat_tui.session.reading import Reading
from chat_tui.state.chat import Changed
from chat_tui.state.clock import Clock
from chat_tui.state.entries import NOTICE, thread_of
from chat_tui.state.rooms import Room
from chat_tui.state.timeline import Timeline
from server.protocol import frames, limits
from server.protocol.errors import Code

FETCHED_AHEAD: Final = 100
"""Rooms whose latest page is fetched before anybody looks, so that switching paints at once: some 5 MB."""
TRIES: Final = 3
"""Times that a page is asked for which came too late to be made right: once is nearly always enough."""

_NO_MESSAGE: Final = "There is no such message, or it is not yours to read."


class Paging(Reading):
    """Rooms as windows on their history."""

    def show(self, handle: str) -> None:
        """Show a room: what is held at once, its latest page as soon as it is there."""
        self.chat.show(handle)
        self._changed(Changed.SHOWN | Changed.MARKS | Changed.DRAFT)
        self._do("pages", self._fetch_ahead)

    async def older(self) -> None:
        """Fetch the page before the oldest message of what is shown. Raises ClientError."""
        room = self.chat.current
        timeline = room.shown
        oldest = timeline.oldest
        if oldest is None:
            return

        def take(page: frames.History) -> bool:
            # Where something else was done to it meanwhile, the page has no place any more.
            return timeline.oldest != oldest or room.add_page(page, timeline)

        await self._page(take, room, before=oldest, thread=timeline.thread or None)

    async def newer(self) -> None:
        """Fetch the page after the newest message of what is shown, up to the live end. Raises ClientError."""
        room = self.chat.current
        window = room.visit
        if window is None or room.thread is not None or not window.more_after:
            return
        newest = window.newest

        def take(page: frames.History) -> bool:
            if window.newest == newest:
                if not room.add_page(page, window):
                    return False
                room.see_end(window, page)
            return True

        await self._page(take, room, after=newest)

    async def visit(self, handle: str, seq: int) -> None:
        """Show a message and what stands around it. Raises ClientError, where it is gone or not to be read, too."""
        room = self._room(handle)
        window = None
        if room.timeline.index_of(seq) is None:
            window = await self._around(room, around=seq)
            if window.index_of(seq) is None:
                raise Refused(Code.NO_SUCH_MESSAGE, _NO_MESSAGE)
        self._look_at(room, window)

    async def visit_date(self, handle: str, iso_time: str) -> int:
        """Show the first message at or after a time, RFC 3339; return its seq, 0 for none. Raises ClientError."""
        room = self._room(handle)
        window = await self._around(room, at=iso_time)
        seconds = Clock().seconds(iso_time, 0)
        messages = [entry for entry in window.entries if not entry.flags & NOTICE]
        found = next((entry.seq for entry in messages if entry.time >= seconds), messages[-1].seq if messages else 0)
        self._look_at(room, None if room.timeline.index_of(found) is not None else window)
        return found

    def back(self) -> None:
        """Return to where one was: from a thread, or from an old message to the live end."""
        room = self.chat.current
        if room.thread is not None:
            room.thread = None
        else:
            room.visit = None
        self._changed(Changed.SHOWN)

    async def open_thread(self, seq: int) -> None:
        """Show the thread that a message began, or belongs to. Raises ClientError."""
        room = self.chat.current
        entry = room.shown.message(seq)
        root = (thread_of(entry) if entry is not None else 0) or seq
        thread = room.thread = room.open_thread(root)
        self._changed(Changed.SHOWN)
        try:
            await self._page(lambda page: room.add_page(page, thread), room, thread=root)
            if thread.oldest is None:
                raise Refused(Code.NO_SUCH_MESSAGE, _NO_MESSAGE)
        except BaseException:
            if room.thread is thread:
                self.close_thread()
            raise
        self._changed(Changed.SHOWN)  # what it grew out of is known now

    def close_thread(self) -> None:
        """Show the whole room again."""
        self.chat.current.thread = None
        self._changed(Changed.SHOWN)

    async def pins(self) -> list[frames.Message]:
        """Return what is pinned in the room that is shown, but what I have hidden. Raises ClientError."""
        return self.chat.unhidden((await self.client.pins(self.chat.current.handle)).messages)

    # How.

    def _look_after_rooms(self) -> None:
        """Fetch what is looked at anew as well, where it is not held any more."""
        super()._look_after_rooms()
        if self.chat.current.member and not self.chat.current.loaded:
            self._do("pages", self._fetch_ahead)

    def _back_online(self) -> None:
        """Learn how things stand, tell what was read meanwhile, and fetch what is looked at soon."""
        self._do("pages", self._learn_and_fetch)
        self._tell_marks()
        self._fetch_quotes()

    async def _learn_and_fetch(self) -> None:
        with suppress(Refused):  # an older server: then only what is looked at is known
            await self._learn_rooms()
        await self._fetch_ahead()

    async def _page(self, take: Callable[[frames.History], bool], room: Room, **bounds: Any) -> None:  # noqa: ANN401
        """Fetch a page that `take` can use."""
        for _ in range(TRIES):
            if take(await self.client.history(room.handle, **bounds)):
                return
        raise Lost("The room changes too fast to be read just now. Try again.")

    async def _around(self, room: Room, **bounds: Any) -> Timeline:  # noqa: ANN401
        windows: list[Timeline] = []

        def take(page: frames.History) -> bool:
            window = room.look_around(page)
            if window is not None:
                windows.append(window)
            return window is not None

        await self._page(take, room, **bounds)
        return windows[0]

    def _look_at(self, room: Room, window: Timeline | None) -> None:
        if room is not self.chat.current:
            self.chat.show(room.handle)
        room.thread, room.visit = None, window
        self._changed(Changed.SHOWN | Changed.MARKS)  # the draft goes with the room: in the same one it stays

    async def _fetch_ahead(self) -> None:
        """Fetch latest pages, one at a time: of the room that is shown, then of those most likely to be."""
        refused: set[Room] = set()
        while (room := self._next_to_fetch(refused)) is not None:
            before = room.timeline.oldest
            try:
                await self._page(room.load, room, before=before)
            except Refused:  # we are not in this room any more, say: the others are fetched all the same
                refused.add(room)
            self._changed(Changed.MARKS)

    def _next_to_fetch(self, but: set[Room]) -> Room | None:
        likely = [self.chat.current, *self.chat.ordered()[:FETCHED_AHEAD]]
        return next((room for room in likely if room.member and not room.loaded and room not in but), None)

    def _fetch_quotes(self) -> None:
        """Something is to be quoted that is not held."""
        if self.client.connected:
            self._do("quotes", self._fetch_all_quotes)

    async def _fetch_all_quotes(self) -> None:
        await asyncio.sleep(0)  # what one painting wants is one question
        while wanted := [(room, seqs) for room in self.chat.rooms.values() if (seqs := room.wanted())]:
            for room, seqs in wanted:
                await self._fetch_some_quotes(room, sorted(seqs)[: limits.PAGE])

    async def _fetch_some_quotes(self, room: Room, seqs: list[int]) -> None:
        try:
            page = await self.client.get(room.handle, seqs)
        except Refused:  # we are not in this room any more
            page = frames.History(room=room.handle, messages=[], more=False, as_of=limits.SAFE_INTEGER)
        # A page ends where a line is full: only up to its last message what it lacks is gone.
        last = page.messages[-1].seq if page.messages else seqs[-1]
        room.quote(page, [seq for seq in seqs if seq <= last])
