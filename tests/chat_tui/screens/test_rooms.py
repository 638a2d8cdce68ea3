"""Rooms as a person uses them: entering, walking, being invited, writing to someone alone."""

from typing import Any

import pytest
from support import Server

from chat_tui import config
from chat_tui.client import Client


async def test_rooms_are_made_entered_and_walked(sit: Any, server: Server) -> None:
    """By commands and by keys; the sidebar is there as soon as there is a second room."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.sees("bob came in")
        assert "Rooms" not in alice.screen()
        await alice.type("/make dev what we build", "<enter>")
        await alice.sees("Rooms", "# dev   what we build", "Message #dev")
        await bob.join("dev")
        await bob.send("first", room="dev")
        await alice.sees("first")
        await alice.type("<alt+down>")
        await alice.sees("Message #general")
        await bob.send("second", room="dev")
        await alice.sees("# dev             1", "Alt+A next unread")
        await alice.type("<alt+a>")
        await alice.sees("Message #dev", "second")
        await alice.until(lambda: "# dev             1" not in alice.screen())
        await alice.type("<alt+2>")
        await alice.sees("Message #general")


async def test_a_draft_stays_in_its_room(sit: Any, server: Server) -> None:
    """Switching rooms neither carries it along nor loses it; undo brings nothing over."""
    async with sit() as alice:
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev")
        await alice.type("half a", "<alt+up>")
        await alice.sees("Message #general")
        assert alice.app.room.composer.text == ""
        await alice.type("<ctrl+underscore>")
        assert alice.app.room.composer.text == ""
        await alice.type("other", "<alt+down>")
        await alice.until(lambda: alice.app.room.composer.text == "half a")
        await alice.type("<alt+up>")
        await alice.until(lambda: alice.app.room.composer.text == "other")
        await alice.type("<ctrl+u>", "/go dev", "<enter>")
        await alice.until(lambda: alice.app.room.composer.text == "half a")
        await alice.type("<alt+up>")
        await alice.sees("Message #general")


async def test_a_room_that_is_named_is_a_click_away(sit: Any, server: Server) -> None:
    """One that I am in; of another it says how to find out about it."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev")
        await alice.type("/go general", "<enter>")
        await bob.send("ask in #dev or #ops")
        await alice.sees("ask in #dev or #ops")
        for word, then in (("#ops", "You are in no room called #ops"), ("#dev or", "Message #dev")):
            rows = alice.screen().split("\n")
            at = next((row.index(word), y) for y, row in enumerate(rows) if "ask in" in row)
            await alice.pilot.click(offset=at)
            await alice.sees(then)


async def test_an_invitation_is_told_where_the_rooms_are_folded(sit: Any, server: Server) -> None:
    """In the top line."""
    async with sit(size=(80, 24)) as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await bob.make("board", private=True)
        await bob.invite("board", "alice")
        await alice.sees("1 invitation")


async def test_an_invitation_is_taken_by_its_place_in_the_list(sit: Any, server: Server) -> None:
    """It stands first; Enter comes in."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await bob.make("board", topic="who decides", private=True)
        await bob.invite("board", "alice")
        await alice.sees("+ board     invited")
        await alice.type("<alt+1>")
        await alice.sees("bob invites you to # board", "Enter comes in")
        await alice.type("<enter>")
        await alice.sees("# board   who decides", "Message #board")
        await alice.say("here I am")
        assert (await bob.history("board")).messages[-1].text == "here I am"


async def test_an_invitation_is_declined(sit: Any, server: Server) -> None:
    """It is gone then, and the sidebar with it."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await bob.make("board", private=True)
        await bob.invite("board", "alice")
        await alice.sees("invited")
        await alice.type("<alt+1>")
        await alice.sees("bob invites you")
        await alice.type("d")
        await alice.until(lambda: "invited" not in alice.screen() and "Rooms" not in alice.screen())


async def test_a_few_letters_lead_to_a_room_or_a_person(sit: Any, server: Server) -> None:
    """Alt+G; who was never written to alone is reached, too."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.sees("bob came in")
        await alice.type("/make kitchen", "<enter>")
        await alice.sees("Message #kitchen")
        await alice.type("<alt+g>", "gnr")
        await alice.sees("# general")
        await alice.type("<enter>")
        await alice.sees("Message #general")
        await alice.type("<alt+g>", "bo")
        await alice.sees("@ bob")
        await alice.type("<enter>")
        await alice.sees("@ bob", "Message bob", "● bob")
        await alice.say("psst")
        handle = alice.app.chat.current.handle
        assert (await bob.history(handle)).messages[-1].text == "psst"
        await alice.type("<alt+g>", "zzz")
        await alice.sees("No room and nobody is called so.")
        await alice.type("<escape>")


async def test_public_rooms_are_listed_and_entered(sit: Any, server: Server) -> None:
    """With topic and how many are in."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await bob.make("kitchen", topic="who cooks")
        await bob.make("secret", private=True)
        await alice.type("/rooms", "<enter>")
        await alice.sees("# kitchen  1 person", "who cooks", "# general  everyone")
        assert "secret" not in alice.screen()
        await alice.type("kit", "<enter>")
        await alice.sees("Message #kitchen")


async def test_a_room_is_changed_by_commands(sit: Any, server: Server) -> None:
    """Topic, title, closing; what may not be done says why."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await bob.make("hers")
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev")
        await alice.type("/topic all that is built", "<enter>")
        await alice.sees("# dev   all that is built")
        await alice.type("/rename workshop", "<enter>")
        await alice.sees("# workshop")
        await alice.type("/archive", "<enter>")
        await alice.sees("This room is closed")
        await alice.type("/unarchive", "<enter>")
        await alice.sees("Message #workshop")
        await alice.type("/join hers", "<enter>")
        await alice.sees("Message #hers")
        await alice.type("/rename mine", "<enter>")
        await alice.sees("✗ Only admins may do this here.", "❯ /rename mine")
        await alice.type("<ctrl+u>", "/leave", "<enter>")
        await alice.until(lambda: "# hers" not in alice.screen())


async def test_what_the_server_refuses_stays_to_be_mended(sit: Any, server: Server) -> None:
    """Where it was typed, with why, until something else is written."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await bob.make("dev")
        await alice.type("/make dev", "<enter>")
        await alice.sees("✗ ", "❯ /make dev")
        await alice.type("2", "<enter>")
        await alice.sees("❯ Message #dev2")


async def test_what_one_wants_to_be_told_of(sit: Any, server: Server) -> None:
    """Favourites first, muted ones last and without a count."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.type("/make noise", "<enter>")
        await alice.sees("Message #noise")
        await bob.join("noise")
        await alice.type("/mute", "<enter>")
        await alice.sees("noise is muted")
        await alice.type("<alt+1>")
        await alice.sees("Message #general")
        await bob.send("loud", room="noise")
        await alice.until(lambda: alice.app.chat.room("noise").unread)
        await alice.pilot.pause()
        assert "# noise\n" in alice.screen() or "# noise  " in alice.screen()
        await alice.type("/notify mentions", "<enter>")
        await alice.sees("what names you")
        await alice.type("/favourite", "<enter>")
        await alice.sees("stands at the top")
        assert alice.app.chat.room("general").favourite


async def test_the_order_of_rooms_is_a_choice_that_stays(sit: Any) -> None:
    """By what is newest, or by name."""
    async with sit() as alice:
        for name in ("ant", "zebra"):
            await alice.type(f"/make {name}", "<enter>")
            await alice.sees(f"Message #{name}")
        await alice.say("hello")
        await alice.type("<f3>", "Sort rooms")
        await alice.until(lambda: "Read what was said" not in alice.screen())
        await alice.sees("Sort rooms by name")
        await alice.type("<enter>")
        await alice.until(lambda: [row.handle for row in alice.app.room.rooms.rows] == ["ant", "general", "zebra"])
    assert config.load(config.settings_path()).sort == "name"


@pytest.mark.parametrize(("width", "beside"), [(120, True), (90, False), (40, False)])
async def test_the_sidebar_folds_and_opens_over_the_log(sit: Any, width: int, beside: bool) -> None:
    """F6; what is new is said at the top meanwhile."""
    async with sit(size=(width, 20)) as alice:
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev")
        await alice.until(lambda: ("Rooms" in alice.screen()) is beside)
        await alice.type("<f6>")
        await alice.until(lambda: ("Rooms" in alice.screen()) is not beside)
        await alice.type("<f6>")
        await alice.until(lambda: ("Rooms" in alice.screen()) is beside)


async def test_a_room_is_clicked(sit: Any) -> None:
    """The mouse is no worse than the keys."""
    async with sit() as alice:
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev", "▌ # dev")
        await alice.pilot.pause()
        rows = [row.handle for row in alice.app.room.rooms.rows]
        await alice.pilot.click("RoomsBar", offset=(4, 3 + rows.index("general")))
        await alice.sees("Message #general")
