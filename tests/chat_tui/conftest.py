"""A chat-tui in memory, against a real server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support import PATIENCE, Server
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from chat_tui.app import ChatApp
from chat_tui.state.link import Address

REST = 1.0
"""Seconds for which the program's loop is waited for, at most: it may never rest."""
SOON = 0.02
"""Seconds within which what a timer will do belongs to what was done: painting a screen, for one."""


async def taken(_min_sleep: float = 0) -> None:
    """Wait until the program's loop has nothing to do: a key is taken, if not painted yet."""
    loop: Any = asyncio.get_running_loop()
    end = loop.time() + REST
    while loop.time() < end:
        await asyncio.sleep(0.001)  # in which it looks at its sockets and timers, too
        if not loop._ready:
            return


async def settled(_min_sleep: float = 0) -> None:
    """Wait until the program's loop has nothing to do, now or soon."""
    loop: Any = asyncio.get_running_loop()
    end = loop.time() + REST
    while loop.time() < end:
        await taken()
        soon = loop.time() + SOON
        if not any(timer.when() < soon and not timer.cancelled() for timer in loop._scheduled):
            return


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a pilot wait for the loop, not for 20 ms in which the process hardly worked: twice a key, that is long."""
    monkeypatch.setattr("textual.app.wait_for_idle", taken)
    monkeypatch.setattr("textual.pilot.wait_for_idle", settled)


@pytest.fixture(autouse=True, scope="session")
def styles_are_parsed_once() -> Iterator[None]:
    """Let all programs share the rules that their styles are parsed to: each test starts one, with the same styles."""
    rules: dict[Any, Any] = {}
    parse = Stylesheet._parse_rules

    def parsed(sheet: Stylesheet, css: str, **of: Any) -> Any:
        key = css, *of.items(), frozenset(sheet._variables.items())
        if key not in rules:
            rules[key] = parse(sheet, css, **of)
        return rules[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parsed)
        yield


class Seat:
    """Someone in front of a chat-tui."""

    def __init__(self, app: ChatApp, pilot: Pilot[Any]) -> None:
        self.app, self.pilot = app, pilot

    async def until(self, true: Callable[[], Any]) -> None:
        """Wait until something shows."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                await self.pilot.pause(0.01)

    async def type(self, *parts: str) -> None:
        """Press keys: a part in <> is a key by its name, any other is text."""
        for part in parts:
            if part.startswith("<"):
                await self.pilot.press(part.strip("<>"))
            else:
                await self.pilot.press(*part)

    async def say(self, text: str) -> None:
        """Write a message, send it, and wait until it is taken."""
        await self.type(text, "<enter>")
        await self.until(lambda: not self.app.session.client.unconfirmed)

    def screen(self) -> str:
        """Return the text on the screen, row by row."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def sees(self, *texts: str) -> None:
        """Wait until all of these stand on the screen."""
        try:
            await self.until(lambda: all(text in self.screen() for text in texts))
        except TimeoutError:
            pytest.fail(f"not seen: {texts}\n{self.screen()}")


Sit = Callable[..., Any]


@pytest.fixture
def sit_at(monkeypatch: pytest.MonkeyPatch) -> Sit:
    """Open a chat-tui at an address, in a terminal of all colours; yields a Seat."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")

    @asynccontextmanager
    async def open_one(
        address: Address, name: str | None = "alice", *, size: tuple[int, int] = (100, 24), online: bool = True
    ) -> AsyncIterator[Seat]:
        app = ChatApp(address, name, offer="login")
        async with app.run_test(size=size) as pilot:
            seat = Seat(app, pilot)
            if online and name is not None:
                await seat.until(lambda: app.session.client.connected and app.chat.current.people.names)
            yield seat
            await app.session.quit()

    return open_one


@pytest.fixture
def sit(server: Server, sit_at: Sit) -> Sit:
    """Open a chat-tui on `server`, or at another `address`; see `sit_at`."""

    def open_one(name: str | None = "alice", *, address: Address | None = None, **options: Any) -> Any:
        return sit_at(address or Address("127.0.0.1", server.port), name, **options)

    return open_one
