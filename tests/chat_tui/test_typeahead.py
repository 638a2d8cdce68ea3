"""Keys that come faster than what they open."""

from typing import Any

from support import Server
from textual.events import Key
from textual.keys import _character_to_key

from chat_tui.client import Client


def at_once(seat: Any, *parts: str) -> None:
    """Press keys as a script does, or a slow line that delivers them together: nothing waits for anything."""
    for part in parts:
        for key in [part.strip("<>")] if part.startswith("<") else part:
            printable = key if len(key) == 1 else None
            seat.app.post_message(Key(_character_to_key(key) if printable else key, printable))


async def test_an_answer_written_at_once(sit: Any, server: Server) -> None:
    """Choose, answer, write, send: no letter of it acts on the message, none is lost."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        asked = await bob.send("ready?")
        await alice.sees("ready?")
        at_once(alice, "<shift+tab>", "r", "open your doors", "<enter>", "next")
        await alice.until(lambda: alice.app.room.composer.text == "next")
        await alice.until(lambda: not alice.app.session.client.unconfirmed)
        last = (await bob.history()).messages[-1]
        assert (last.text, last.reply) == ("open your doors", asked.seq)


async def test_a_room_gone_to_at_once(sit: Any, server: Server) -> None:
    """The letters go to the list that comes, what follows to the room that was chosen."""
    async with sit() as alice:
        await alice.type("/make kitchen", "<enter>")
        await alice.sees("Message #kitchen")
        at_once(alice, "<alt+g>", "general", "<enter>", "hello", "<enter>")
        await alice.sees("Message #general", "alice  hello")


async def test_what_is_closed_at_once_holds_nothing_up(sit: Any) -> None:
    """Screens that end take no keys with them."""
    async with sit() as alice:
        at_once(alice, "<f1>", "<escape>", "<alt+g>", "<escape>", "here")
        await alice.until(lambda: alice.app.room.composer.text == "here")
