"""What people do: say something, change what was said, make and enter rooms, look for things. Raises ClientError."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from chat_tui.client import Refused
from chat_tui.config import DEFAULT_PORT
from chat_tui.session.paging import Paging
from chat_tui.state.chat import Changed
from chat_tui.state.dates import span
from chat_tui.state.entries import ACTION, RETURNING, Waiting, reply_of
from server.protocol import frames, limits
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import check_room, clean_line

_PERMALINK = re.compile(r"chat://(\[[0-9a-fA-F:.]+\]|[^\s/:]+)(?::([0-9]{1,5}))?/([^\s/]+)/([0-9]{1,16})")


class Acts(Paging):
    """Everything that one can do in rooms. What acts on a message acts in the room that is shown."""

    # Saying something.

    def say(self, text: str, me: bool = False, reply: int = 0) -> None:
        """Send a message; it is shown at once. Raises Refused for what can't be one: nothing is shown then.

        Args:
            text: what.
            me: an action.
            reply: the message that it answers; 0 for none, or in a thread for what that grew out of.
        """
        room = self.chat.current
        wait = self.chat.wait()
        if wait:  # what is written stays: the server would refuse it
            raise Refused(
                Code.SLOW_MODE, f"Slow mode, {span(room.slow)} between two messages: the next in {wait} s.", wait * 1000
            )
        reply = reply or (room.thread.thread if room.thread is not None else 0)
        pending = self.client.post(text, room=room.handle, me=me, reply=reply, draft=room.place)
        room.pend(pending.id, pending.text, self.chat.clock(), me, reply)
        if room.visit is not None and room.thread is None:
            self.back()
        if room.slow:
            room.next_at = self.chat.clock() + room.slow
            self._changed(Changed.ROOMS)

    def keep_draft(self, text: str, place: str) -> None:
        """Keep what is being written in a place (see `Room.place`), for whoever starts this program again, too."""
        self.client.keep_draft(text, place)

    def draft(self, place: str) -> str:
        """Return what was being written in a place (see `Room.place`)."""
        return self.client.draft(place)

    def retry(self) -> bool:
        """Send all failed messages again, oldest first; returns whether there was one.

        Raises Refused for what can't be sent: it and those after it stay.
        """
        room = self.chat.current
        failed = room.timeline.failed()
        for message in failed:
            me, reply = bool(message.flags & ACTION), reply_of(message)
            pending = self.client.post(message.raw, room=room.handle, me=me, reply=reply, instead=message.id)
            room.withdraw(message.id)
            room.pend(pending.id, pending.text, self.chat.clock(), me, reply)
        return bool(failed)

    def take_back(self) -> Waiting | None:
        """Take the newest message that is not sent out of the log and return it; None where there is none yet.

        Where it may have arrived the server is asked: what comes of it shows in the log, or in `Chat.returned`.
        """
        room = self.chat.current
        for message in reversed(room.timeline.failed() or room.waiting()):
            if message.flags & RETURNING:
                continue
            if self.client.withdraw(message.id):
                return room.withdraw(message.id)
            room.taking_back(message.id)
            break
        return None

    # What was said.

    async def edit(self, seq: int, text: str) -> None:
        """Say an own message otherwise."""
        await self.client.edit(self.chat.current.handle, seq, text)

    async def delete(self, seq: int) -> None:
        """Take a message away for good."""
        await self.client.delete(self.chat.current.handle, seq)

    async def react(self, seq: int, emoji: str) -> None:
        """React to a message by an emoji's short name; who did already takes that back."""
        room = self.chat.current
        entry = room.shown.message(seq)
        users = entry.more.reactions.get(emoji, []) if entry is not None and entry.more is not None else []
        await self.client.react(room.handle, seq, emoji, self.chat.user not in users)

    async def pin(self, seq: int, on: bool) -> None:
        """Pin a message to its room, or take it off."""
        await self.client.pin(self.chat.current.handle, seq, on)

    async def versions(self, seq: int) -> frames.Versions:
        """Return all that a message said, the first one first."""
        return await self.client.versions(self.chat.current.handle, seq)

    async def search(self, query: frames.Search) -> frames.Found:
        """Return what was found, newest first, but what I have hidden."""
        found = await self.client.search(query)
        found.messages = self.chat.unhidden(found.messages)
        return found

    def permalink(self, seq: int) -> str:
        """Return a link to a message of the room that is shown, for others on this server."""
        host, port = self._known_as
        return f"chat://{f'[{host}]' if ':' in host else host}:{port}/{self.chat.current.handle}/{seq}"

    def parse_permalink(self, text: str) -> tuple[str, int] | None:
        """Return the room and seq of a link to a message of this server; None where it is none."""
        found = _PERMALINK.fullmatch(text.strip())
        if found is None:
            return None
        host, port = found[1].strip("[]").casefold(), int(found[2] or DEFAULT_PORT)
        if (host, port) not in (self._known_as, (self.client.host.casefold(), self.client.port)):
            return None
        seq = int(found[4])
        return (clean_line(unquote(found[3])), seq) if seq <= limits.SAFE_INTEGER else None

    # Rooms.

    async def join(self, handle: str) -> None:
        """Make or enter a room, or take an invitation, and show it."""
        handle = self._handle(handle)
        await self.client.join(handle)
        await self._enter_room(handle)

    async def make(self, handle: str, title: str = "", topic: str = "", private: bool = False) -> None:
        """Make a room, and show it."""
        handle = self._handle(handle)
        await self.client.make(handle, title=title, topic=topic, private=private)
        await self._enter_room(handle)

    async def direct(self, names: Iterable[str]) -> str:
        """Make, or find, the room of oneself and these people; return its handle."""
        handle = await self.client.direct(names)
        await self._know(handle)
        return handle

    async def leave(self, handle: str) -> None:
        """Stop being a member of a room, or decline an invitation."""
        await self.client.leave(handle)
        self._changed(self.chat.left(handle))

    async def change(
        self,
        handle: str,
        *,
        title: str | None = None,
        topic: str | None = None,
        archived: bool | None = None,
        read_only: bool | None = None,
        slow: int | None = None,
        keep_days: int | None = None,
        keep_count: int | None = None,
    ) -> None:
        """Change what is known of a room: what is given."""
        await self.client.change(
            handle,
            title=title,
            topic=topic,
            archived=archived,
            read_only=read_only,
            slow=slow,
            keep_days=keep_days,
            keep_count=keep_count,
        )

    async def invite(self, handle: str, name: str, on: bool = True) -> None:
        """Invite somebody into a room, or take that back."""
        await self.client.invite(handle, name, on)

    async def listing(self, after: str = "") -> frames.List:
        """Return which rooms there are, by handle, after the last one of the page before."""
        return await self.client.listing(after)

    # People.

    async def nick(self, name: str) -> None:
        """Take another name."""
        await self.client.nick(name)
        self._changed(self.chat.call_me(self.client.name))

    async def away(self, on: bool = True, text: str = "") -> None:
        """Be away, or here again."""
        await self.client.away(on, text)

    async def whois(self, name: str) -> frames.Person:
        """Return what is known of someone."""
        return await self.client.whois(name)

    async def called(self, users: Iterable[int]) -> dict[int, str]:
        """Return how people are called; who is not known is left out."""
        wanted = set(users)
        unknown = sorted(wanted - self.chat.names.keys())
        for start in range(0, len(unknown), limits.PAGE_MOST):
            self.chat.names.update(await self.client.people(unknown[start : start + limits.PAGE_MOST]))
        return {user: name for user, name in self.chat.names.items() if user in wanted}

    async def device(self) -> str:
        """Return the code with which another device comes in as this person. It is secret."""
        return await self.client.device()

    # How.

    @property
    def _known_as(self) -> tuple[str, int]:
        """The address by which others reach this server, as far as that is known."""
        return self.client.host, self.client.port

    def _handle(self, name: str) -> str:
        try:
            return check_room(name)
        except ProtocolError as error:
            raise Refused(error.code, error.message) from error

    async def _enter_room(self, handle: str) -> None:
        await self._know(handle)
        self.show(handle)

    async def _know(self, handle: str) -> None:
        """Learn about a room that I am in now, whether or not its answer has been through the batches yet."""
        self._changed(self.chat.apply(await self.client.ask_rooms([handle])))
