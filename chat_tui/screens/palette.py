"""What the palette offers: every action and every command, from their tables."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from rich.markup import escape
from textual.command import DiscoveryHit, Hit, Provider

from chat_tui.actions import ACTIONS, Action, Where, key_text
from chat_tui.commands import COMMANDS, Command
from chat_tui.screens.chat import ChatScreen

_NOT_HERE = ("program.palette",)


class _Offer(NamedTuple):
    name: str
    text: str
    help: str
    run: Callable[[], Awaitable[None]]


class Actions(Provider):
    """All actions but those of the composer, which work on what is being written, and of a message."""

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Offer all, before anything is typed."""
        for offer in self._offered():
            yield DiscoveryHit(offer.text, offer.run, help=offer.help)

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Offer those that fit what is typed."""
        matcher = self.matcher(query)
        for offer in self._offered():
            score = max(matcher.match(offer.text), matcher.match(f"{offer.name} {offer.text}"))
            if score > 0:
                yield Hit(score, matcher.highlight(offer.text), offer.run, help=offer.help)

    def _offered(self) -> list[_Offer]:
        room = self.screen
        mine = [command for command in COMMANDS_OFFERED if not isinstance(room, ChatScreen) or room.may(command)]
        return [*map(self._of_action, ACTIONS_OFFERED), *map(self._of_command, mine)]

    def _of_action(self, action: Action) -> _Offer:
        async def run() -> None:
            target = self.app if action.where is Where.APP else self.screen
            await target.run_action(action.action)

        keys = action.shown or "  ".join(key_text(key) for key in action.keys)
        return _Offer("", action.text, keys, run)

    def _of_command(self, command: Command) -> _Offer:
        async def run() -> None:
            if isinstance(self.screen, ChatScreen):
                self.screen.begin(command)

        return _Offer(f"/{command.name}", command.help.capitalize(), escape(command.usage), run)


ACTIONS_OFFERED = [
    action
    for action in ACTIONS
    if action.group and action.where in (Where.APP, Where.CHAT) and action.id not in _NOT_HERE and not action.shown
]
COMMANDS_OFFERED = [command for command in COMMANDS if not command.same]
"""Those that no action stands for already."""
