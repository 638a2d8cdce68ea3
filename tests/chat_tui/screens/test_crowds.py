"""A room of more people than are known by name, as who sits in it sees it; ten are so many for the server here."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from support import Server

from chat_tui.client import Client, ClientError
from chat_tui.state.link import Address
from server.protocol import frames

OTHERS = 14


@pytest.fixture
async def crowd(start_server: Callable[..., Server]) -> AsyncIterator[tuple[Server, list[Client]]]:
    """A server with so many others in its one room."""
    server = start_server("--limits", "off", "--limit", "crowd=10")
    async with AsyncExitStack() as stack:
        names = [f"p{number:02}" for number in range(OTHERS)]
        others = [await stack.enter_async_context(Client("127.0.0.1", server.port, name)) for name in names]
        yield server, others


async def test_who_is_known_and_how_many_are_not(sit_at: Any, crowd: tuple[Server, list[Client]]) -> None:
    """The sidebar counts all; who speaks is known, before those who don't; /who, or a click, shows everybody."""
    server, others = crowd
    async with sit_at(Address("127.0.0.1", server.port), size=(100, 24)) as alice:
        await alice.sees("Online · 15", "alice", "p00", "13 more")
        await others[9].send("hello, all")
        await alice.sees("hello, all", "Online · 15", "12 more")
        rows = [line[60:].split("  ")[-1].strip() for line in alice.screen().splitlines()]
        assert [row for row in rows if row in ("p00", "p09")] == ["p09", "p00"]
        await others[9].quit()
        await alice.sees("p09 left", "Online · 14", "12 more")
        await alice.type("/who", "<enter>")
        await alice.sees("People · 14", "p13", "alice  you")
        await alice.type("P1")
        await alice.until(lambda: "p13" in alice.screen() and "p08" not in alice.screen().split("People")[1])
        await alice.type("x")
        await alice.sees("Nobody here is called so.")
        await alice.type("<backspace>", "1", "<enter>")
        await alice.sees("@ p11", "Message p11")


async def test_all_are_shown_in_parts(
    sit_at: Any, crowd: tuple[Server, list[Client]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows is asked for at the end of what is there."""
    server, _ = crowd
    who = Client.who

    async def few(client: Client, room: str, **more: Any) -> Any:
        return await who(client, room, **{**more, "limit": 4})

    monkeypatch.setattr(Client, "who", few)
    async with sit_at(Address("127.0.0.1", server.port), size=(100, 40)) as alice:
        await alice.sees("13 more")
        line = next(y for y, text in enumerate(alice.screen().splitlines()) if "13 more" in text)
        await alice.pilot.click("PeopleBar", offset=(4, line - alice.app.screen.query_one("PeopleBar").region.y))
        await alice.sees("People · 15", "alice  you", "p02")
        assert "p03" not in alice.screen()
        for last in ("p06", "p10", "p13"):
            await alice.type("<pagedown>")
            await alice.sees(last)


async def test_a_name_that_is_not_known_is_completed(sit_at: Any, crowd: tuple[Server, list[Client]]) -> None:
    """After an @ what fits is shown as it comes; elsewhere by Tab; a mention reaches them."""
    server, others = crowd
    async with sit_at(Address("127.0.0.1", server.port), size=(100, 24)) as alice:
        await alice.sees("13 more")
        await alice.type("@p1")
        await alice.sees("@p10", "@p13")
        await alice.type("2", "<tab>")
        assert alice.app.room.composer.text == "@p12 "
        await alice.type("see you ", "p05", "<tab>")
        await alice.until(lambda: alice.app.room.composer.text == "@p12 see you p05 ")
        await alice.type("nobody", "<tab>", "yet", "<enter>")
        async for batch in others[12].batches():
            named = [frame.mentions for frame in batch if isinstance(frame, frames.Message)]
            if named:
                assert named == [[others[12].user]]
                break
        await alice.type("/whois p0", "<tab>")
        await alice.until(lambda: "p00" in alice.app.room.composer.text)


def answered(seat: Any) -> bool:
    """Say whether nobody is being looked for."""
    return all(worker.group != "seek" for worker in seat.app.workers)


async def test_tab_offers_who_is_not_known_beside_who_is(sit_at: Any, crowd: tuple[Server, list[Client]]) -> None:
    """Who is known stands there at once; Tab goes on to the others."""
    server, _ = crowd
    async with sit_at(Address("127.0.0.1", server.port), size=(100, 24)) as alice:
        await alice.sees("p00", "13 more")
        await alice.type("p0", "<tab>")
        assert alice.app.room.composer.text == "p00: "
        await alice.sees("❯ p00", "p07")
        await alice.type("<tab>")
        assert alice.app.room.composer.text == "p01: "


@pytest.mark.parametrize(("typed", "put"), [("zed", "zed: "), ("@zed", "@zed ")])
async def test_who_was_not_here_is_found_by_another_tab(
    sit_at: Any, crowd: tuple[Server, list[Client]], typed: str, put: str
) -> None:
    """That nobody was called so a moment ago is not taken for an answer."""
    server, _ = crowd
    async with sit_at(Address("127.0.0.1", server.port), size=(100, 24)) as alice:
        await alice.sees("13 more")
        await alice.type(typed, "<tab>")
        await alice.until(lambda: answered(alice))
        async with Client("127.0.0.1", server.port, "zed"):
            await alice.sees("Online · 16")
            await alice.type("<tab>")
            await alice.until(lambda: alice.app.room.composer.text == put)


async def test_who_could_not_be_asked_for_is_asked_for_again(
    sit_at: Any, crowd: tuple[Server, list[Client]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same word is looked up once there is a connection again."""
    server, _ = crowd
    who, refused = Client.who, []

    async def refuse(client: Client, room: str, **more: Any) -> Any:
        refused.append(more["begins"])
        raise ClientError("not connected")

    async with sit_at(Address("127.0.0.1", server.port), size=(100, 24)) as alice:
        await alice.sees("13 more")
        monkeypatch.setattr(Client, "who", refuse)
        await alice.type("@p1")
        await alice.until(lambda: refused[-1:] == ["p1"] and answered(alice))
        monkeypatch.setattr(Client, "who", who)
        await alice.type("<end>")
        await alice.sees("@p10", "@p13")
