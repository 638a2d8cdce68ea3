"""Finding one's way: searching, catching up, days gone by, people."""

from typing import Any

import pytest
from support import Server

from chat_tui.cli import device_code
from chat_tui.client import Client


async def test_what_was_said_is_found_and_read_where_it_stands(sit: Any, server: Server) -> None:
    """Enter goes there, in another room, too; the way back is End."""
    async with Client("127.0.0.1", server.port, "bob") as bob:
        await bob.join("dev")
        await bob.send("the nightly build is green", room="dev")
        for number in range(150):
            await bob.send(f"number {number}", room="dev")
        async with sit() as alice:
            await alice.type("/join dev", "<enter>")
            await alice.sees("Message #dev", "number 149")
            await alice.type("<alt+1>", "<alt+2>", "<ctrl+f>")
            await alice.sees("Search all your rooms", "from:bob")
            await alice.type("nightly from:bob", "<enter>")
            await alice.sees("1 message, newest first", "bob  #dev")
            await alice.type("<enter>")
            await alice.sees("# dev · ", "the nightly build is green", "End returns")
            assert "number 149" not in alice.screen()
            await alice.type("<escape>", "<end>")
            await alice.sees("number 149")
            await alice.type("/search nothing-like-it", "<enter>")
            await alice.sees("Nothing found.")
            await alice.type("<ctrl+u>", "in:nowhere x")
            await alice.sees("You are in no room called nowhere.")
            await alice.type("<escape>")
            await alice.sees("Message #dev")


async def test_ctrl_f_moves_on_while_there_is_text_after_the_cursor(sit: Any) -> None:
    """It is readline's first."""
    async with sit() as alice:
        await alice.type("ab", "<ctrl+a>", "<ctrl+f>", "x")
        assert alice.app.room.composer.text == "axb"
        await alice.type("<ctrl+e>", "<ctrl+f>")
        await alice.sees("Search all your rooms")


async def test_catching_up(sit: Any, server: Server) -> None:
    """All that is unread on one screen; Enter goes there, r and R clear."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        for name in ("ant", "bee", "cow"):
            await alice.type(f"/make {name}", "<enter>")
            await alice.sees(f"Message #{name}")
            await bob.join(name)
        await alice.type("/go general", "<enter>")
        await alice.sees("Message #general")
        await alice.type("<alt+c>")
        await alice.sees("Nothing unread. You are up to date.")
        await alice.type("<enter>")
        for name in ("ant", "bee", "cow"):
            await bob.send(f"news of the {name}", room=name)
        await bob.send("@alice look", room="bee")
        await alice.until(lambda: alice.app.chat.unread_total == 4)
        await alice.type("<alt+c>")
        await alice.sees("# bee  2 unread · @1", "news of the ant", "@ bob", "3 rooms with something new")
        await alice.type("r")
        await alice.until(lambda: "# bee" not in alice.screen())
        await alice.sees("2 rooms")
        await alice.type("<enter>")
        await alice.until(lambda: alice.app.chat.current.handle in ("ant", "cow"))
        await alice.until(lambda: alice.app.chat.unread_total == 1)
        await alice.type("<alt+c>")
        await alice.sees("1 room with something new")
        await alice.type("R")
        await alice.sees("You are up to date.")
        await alice.until(lambda: not alice.app.chat.unread_total)


@pytest.mark.parametrize("where", ["today", "2020-01-01"])
async def test_a_day_is_gone_to(sit: Any, server: Server, where: str) -> None:
    """The first message of it, or the first after it."""
    async with Client("127.0.0.1", server.port, "bob") as bob:
        for number in range(150):
            await bob.send(f"number {number}")
        async with sit() as alice:
            await alice.sees("number 149")
            await alice.type(f"/goto {where}", "<enter>")
            await alice.sees("number 0", "End returns")
            await alice.type("<escape>", "<escape>")
            await alice.sees("number 149")
            await alice.type("/goto soon", "<enter>")
            await alice.sees("soon is no day and no link")


async def test_people_are_written_to_and_asked_about(sit: Any, server: Server) -> None:
    """/msg, /whois, /away with a text that others see."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.sees("bob came in")
        await alice.type("/msg bob psst, ", "over here", "<enter>")
        await alice.sees("@ bob", "psst, over here")
        await alice.type("/whois bob", "<enter>")
        await alice.sees("bob, a guest, is here.")
        await bob.away(True, "lunch")
        await alice.sees("○ bob")
        await alice.type("/go general", "<enter>")
        await alice.sees("bob  lunch")
        await alice.type("/away out", "<enter>")
        await alice.sees("You are away.", "alice  you · out")
        await alice.type("/back", "<enter>")
        await alice.sees("You are here again.")
        await alice.type("/whois nobody", "<enter>")
        await alice.sees("✗ ")


async def test_who_writes_is_seen(sit: Any, server: Server) -> None:
    """Beside the name, and where people are folded in the line above the input."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.sees("bob came in")
        bob.typing("general")
        await alice.sees("bob  writing")
        await alice.type("<f2>")
        await alice.sees("bob is writing")
        await bob.send("done")
        await alice.until(lambda: "is writing" not in alice.screen())


async def test_another_device_is_let_in(sit: Any, server: Server) -> None:
    """By a code that is shown on the first; both are the same person."""
    async with sit() as alice:
        await alice.type("/device", "<enter>")
        await alice.sees("--device", "It is good once")
        code = next(
            line.strip("│ ")
            for line in alice.screen().splitlines()
            if len(line.strip("│ ")) > 20 and " " not in line.strip("│ ")
        )
        await alice.type("<escape>")
        async with Client("127.0.0.1", server.port, "", device=device_code(code)) as second:
            assert second.name == "alice"
            assert second.user == alice.app.chat.user
