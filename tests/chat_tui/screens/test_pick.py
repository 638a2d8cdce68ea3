"""Choosing one of many that a server knows, which takes its time to answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App
from textual.content import Content
from textual.pilot import Pilot

from chat_tui.errors import ClientError
from chat_tui.screens.pick import AskScreen, Choice
from chat_tui.widgets.choices import Choices

Part = tuple[list[Choice], bool]


class Server:
    """Answers when it is told to; holds the screen that asks it, and what was chosen there."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot = pilot
        self.asked: list[tuple[str, str]] = []
        self.chosen: list[str | None] = []
        self._answer: asyncio.Future[Part] | None = None
        self.screen = AskScreen("Who", self.load, asks="a name", none="Nobody.")

    async def load(self, begins: str, after: str) -> Part:
        """Wait for the answer."""
        self.asked.append((begins, after))
        self._answer = asyncio.get_running_loop().create_future()
        return await self._answer

    async def answer(self, *names: str, more: bool = False) -> None:
        """Tell who fits."""
        assert self._answer is not None
        self._answer.set_result(([Choice(name, Content(name)) for name in names], more))
        await self.pilot.pause()

    async def refuse(self) -> None:
        """Tell that there is no connection."""
        assert self._answer is not None
        self._answer.set_exception(ClientError("not connected"))
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def shown(self) -> list[str | None]:
        """Return who is in the list."""
        return [option.id for option in self.screen.query_one(Choices).options]


@asynccontextmanager
async def asking() -> AsyncIterator[Server]:
    """Open the screen; it has asked for all."""
    app: App[Any] = App()
    async with app.run_test() as pilot:
        server = Server(pilot)
        app.push_screen(server.screen, server.chosen.append)
        await pilot.pause()
        yield server


async def test_who_is_typed_is_chosen_before_the_answer_comes() -> None:
    """What is known gets less at once, whatever the capitals: never is somebody chosen who doesn't fit."""
    async with asking() as server:
        await server.answer("anna", "Bob", "bobby")
        await server.press("@", "b", "o", "b")
        assert server.shown() == ["Bob", "bobby"]
        await server.press("enter")
        assert server.chosen == ["Bob"]
    assert server.asked[0] == ("", "")
    assert server.asked[-1] == ("bob", "")


async def test_nobody_is_chosen_where_nobody_is_known_to_fit() -> None:
    """Until the answer is there, nor where it is that nobody is called so."""
    async with asking() as server:
        await server.press("enter")
        await server.answer("anna", more=True)
        await server.press("z", "enter")
        assert server.shown() == []
        await server.answer()
        await server.press("enter")
        await server.press("backspace", "z")
        await server.answer("zoe")
        assert server.chosen == []
        await server.press("enter")
        assert server.chosen == ["zoe"]


async def test_where_better_may_come_it_is_waited_for() -> None:
    """With a letter less, others may stand before those who are known."""
    async with asking() as server:
        await server.press("b", "o", "b", "b")
        await server.answer("bobby")
        await server.press("backspace", "enter")
        assert (server.shown(), server.chosen) == (["bobby"], [])
        await server.answer("bob", "bobby")
        await server.press("enter")
        assert server.chosen == ["bob"]


async def test_who_was_walked_to_stays_chosen() -> None:
    """When the answer comes after that."""
    async with asking() as server:
        await server.answer("anna", "bea", "bob")
        await server.press("b", "down")
        await server.answer("bart", "bea", "bob")
        await server.press("enter")
        assert server.chosen == ["bob"]


async def test_the_old_list_does_not_go_on_while_another_is_asked_for() -> None:
    """At its end nothing is asked for: that would take the place of what was."""
    async with asking() as server:
        await server.answer("bea", "bob", more=True)
        await server.press("b")
        await server.press("down")
        assert server.asked == [("", ""), ("b", "")]
        await server.answer("bea", "bill", "bob")
        assert server.shown() == ["bea", "bill", "bob"]


async def test_what_could_not_be_had_is_asked_for_once_more() -> None:
    """By who comes to the end of the list again; what came more than once stands there once."""
    async with asking() as server:
        await server.answer("anna", "bea", "anna", more=True)
        await server.press("down")
        await server.refuse()
        assert server.asked == [("", ""), ("", "bea")]
        await server.press("up", "down")
        await server.answer("bea", "carol", "carol")
        assert server.asked[2:] == [("", "bea")]
        assert server.shown() == ["anna", "bea", "carol"]
