"""What all parts of a session share: who talks to which server, and what goes on beside that."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from chat_tui.client import Client, ClientError, Refused
from chat_tui.state.chat import Changed, Chat
from chat_tui.state.rooms import Room
from server.protocol.errors import Code


class Desk:
    """A chat and the client that keeps it up to date.

    Args:
        chat: what the screen shows.
        client: the way to the server.
        changed: called after each change that the log does not tell by itself.
    """

    def __init__(self, chat: Chat, client: Client, changed: Callable[[Changed], None]) -> None:
        self.chat = chat
        self.client = client
        self._changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def _room(self, handle: str) -> Room:
        """Return a room that I am in; Refused with words for any other."""
        room = self.chat.rooms.get(handle)
        if room is None or not room.member:
            raise Refused(Code.NOT_A_MEMBER, f"You are not in #{handle}: /join {handle} enters it.")
        return room

    def _do(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something beside what the caller does, unless the same is being done: `work` looks for all there is to do.

        Where it fails because there is no connection, that is told elsewhere, and it is done anew with the next one.
        """
        running = self._tasks.get(what)
        if running is None or running.done():
            self._tasks[what] = asyncio.get_running_loop().create_task(_quietly(work))

    def _stop_all(self) -> None:
        """End what goes on beside."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()


async def _quietly(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with suppress(ClientError):
        await work()
