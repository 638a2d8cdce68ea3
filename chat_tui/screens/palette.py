"""What the palette offers: every action, from the table."""

from collections.abc import AsyncIterator

from textual.command import DiscoveryHit, Hit, Provider

from chat_tui.actions import ACTIONS, Action, Where, key_text


class Actions(Provider):
    """All actions but those of the composer, which work on what is being written."""

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Offer all, before anything is typed."""
        for action in _offered():
            yield DiscoveryHit(action.text, lambda action=action: self._run(action), help=_keys(action))

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Offer those that fit what is typed."""
        matcher = self.matcher(query)
        for action in _offered():
            score = matcher.match(action.text)
            if score > 0:
                shown = matcher.highlight(action.text)
                yield Hit(score, shown, lambda action=action: self._run(action), help=_keys(action))

    async def _run(self, action: Action) -> None:
        target = self.app if action.where is Where.APP else self.screen
        await target.run_action(action.action)


def _offered() -> list[Action]:
    return [action for action in ACTIONS if action.where is not Where.WRITING and action.id != "program.palette"]


def _keys(action: Action) -> str:
    return "  ".join(key_text(key) for key in action.keys)
