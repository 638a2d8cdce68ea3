"""Keys taken strictly in the order they were pressed, however fast they come and whatever each of them opens."""

import asyncio
from collections import deque

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump

_ROUNDS = 2
"""Times that a fence goes the way of a key: behind the key itself, then behind what that asked others to do."""
_LONGEST = 0.3
"""Seconds that keys wait for a fence: one is lost with the screen that it went to."""
_SOON = 0.01
"""Seconds in which no fence follows a letter unless another key comes: its echo is to reach the terminal first."""


class Fence(Message):
    """Goes where a key went, behind it: where it comes out again, that key has been dealt with."""

    def __init__(self, rounds: int = _ROUNDS) -> None:
        super().__init__()
        self.rounds = rounds


class Writing:
    """A mark of widgets that letters are written in: one of them never moves the focus or opens anything."""


class KeysInOrder(App[int]):
    """An app that deals with one key before it looks at the next.

    Textual gives each key at once to who has the focus then; a key that moves the focus, or opens a screen, does so
    some messages later. What was typed right behind it would go to where it was not meant for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._fence: Fence | None = None
        """Behind the key before."""
        self._written: MessagePump | None = None
        """Where a letter was written that no fence follows yet."""
        self._follows: asyncio.TimerHandle | None = None
        self._typed: deque[events.Key] = deque()

    async def on_event(self, event: events.Event) -> None:
        """Hold a key back while the one before is being dealt with."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._written is not None:
            self._follow(self._written)
        if self._fence is None:
            await self._take(event)
        else:
            self._typed.append(event)
            if len(self._typed) == 1:
                self._give_up_later(self._fence)

    async def on_fence(self, message: Fence) -> None:
        """The key before has been dealt with; take the next."""
        if message is not self._fence:
            return
        self._fence = None
        if message.rounds > 1:
            self._send(Fence(message.rounds - 1), self.focused or self.screen)
        while self._fence is None and self._typed:
            await self._take(self._typed.popleft())
            if self._typed and self._written is not None:
                self._follow(self._written)
        if self._typed and self._fence is not None:
            self._give_up_later(self._fence)

    async def _take(self, event: events.Key) -> None:
        goes_to = self.focused or self.screen
        await super().on_event(event)
        if event.is_printable and isinstance(goes_to, Writing):
            self._written = goes_to
            self._follows = asyncio.get_running_loop().call_later(_SOON, self._follow, goes_to)
        else:
            self._send(Fence(), goes_to)

    def _follow(self, written: MessagePump) -> None:
        """Send a fence behind a letter."""
        if self._follows is not None:
            self._follows.cancel()
        self._written = self._follows = None
        if self.is_running:
            self._send(Fence(), written)

    def _send(self, fence: Fence, to: MessagePump) -> None:
        self._fence = fence if to.post_message(fence) else None

    def _give_up_later(self, fence: Fence) -> None:
        self.set_timer(_LONGEST, lambda: self._give_up(fence))

    def _give_up(self, fence: Fence) -> None:
        if self._fence is fence:
            self.post_message(fence)
