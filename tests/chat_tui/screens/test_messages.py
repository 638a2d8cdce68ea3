"""What is done with a message: by its key, and by its command."""

from typing import Any

import pytest
from support import Server

from chat_tui.client import Client
from chat_tui.state.entries import DELETED, PINNED


async def test_a_message_is_answered(sit: Any, server: Server) -> None:
    """Esc in the empty input, r, and the answer quotes it; Esc stops answering."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        asked = await bob.send("who has the key?")
        await alice.sees("who has the key?")
        await alice.type("<escape>")
        await alice.sees("r reply", "Esc back")
        await alice.type("r", "not I", "<escape>")
        await alice.until(lambda: "Replying" not in alice.screen())
        await alice.type("<ctrl+u>", "<shift+tab>", "r", "I do")
        await alice.sees("↪ Replying to bob: who has the key? · Esc stops")
        await alice.type("<enter>")
        await alice.until(lambda: not alice.app.session.client.unconfirmed)
        assert (await bob.history()).messages[-1].reply == asked.seq
        assert "Replying" not in alice.screen()
        await alice.type("/reply and a spare one", "<enter>")
        await alice.until(lambda: not alice.app.session.client.unconfirmed)
        assert (await bob.history()).messages[-1].reply == asked.seq


async def test_an_own_message_is_edited_and_what_was_being_written_stays(sit: Any, server: Server) -> None:
    """Nobody else's; its versions are shown."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.say("the tag is v1")
        await bob.send("fine")
        await alice.sees("fine")
        await alice.type("half a", "<shift+tab>", "e")
        await alice.sees("✗ Only your own")
        await alice.type("<up>", "e")
        await alice.sees("Editing your message · Esc stops", "❯ the tag is v1")
        await alice.type("<backspace>", "2", "<enter>")
        await alice.sees("the tag is v2 (edited)", "❯ half a")
        assert (await bob.history()).messages[0].text == "the tag is v2"
        await alice.type("<shift+tab>", "<up>", "i")
        await alice.sees("What it said, the first one first", "the tag is v1")
        await alice.type("<escape>", "<escape>", "<ctrl+u>", "/edit the tag is v3", "<enter>")
        await alice.sees("the tag is v3 (edited)")


async def test_an_edit_that_is_not_taken_is_not_lost(sit: Any, server: Server) -> None:
    """Not where the message is gone by then, nor without a connection, nor by a look at another room."""
    async with sit() as alice:
        await alice.say("//etc/hosts")
        await alice.type("/make dev", "<enter>")
        await alice.sees("# dev")
        await alice.type("<alt+down>", "half", "<shift+tab>", "e")
        await alice.sees("Editing your message", "❯ //etc/hosts")
        await alice.type(" too", "<alt+up>", "other", "<alt+down>")
        await alice.sees("# general", "Editing your message", "❯ //etc/hosts too")
        await alice.app.session.delete(alice.app.chat.current.timeline.newest)
        await alice.type("<enter>")
        await alice.sees("✗ ", "❯ //etc/hosts too")
        await alice.app.session.client.close()
        await alice.type("<enter>")
        await alice.sees("✗ Not connected", "❯ //etc/hosts too")
        await alice.type("<escape>", "<escape>")
        await alice.sees("❯ half")


async def test_deleting_asks_once(sit: Any, server: Server) -> None:
    """The second press deletes; anything else keeps it."""
    async with sit() as alice:
        await alice.say("oops")
        await alice.type("<shift+tab>", "d")
        await alice.sees("Delete “oops” for everyone?", "d deletes")
        await alice.type("<escape>")
        await alice.until(lambda: "Delete “oops”" not in alice.screen())
        await alice.type("<shift+tab>", "d")
        await alice.sees("d deletes")
        await alice.type("d")
        await alice.until(lambda: alice.app.chat.current.timeline.entries[-1].flags & DELETED)
        await alice.say("again")
        await alice.type("/delete", "<enter>")
        await alice.sees("Delete “again” for everyone?")
        await alice.type("d")
        await alice.until(lambda: alice.app.chat.current.timeline.entries[-1].flags & DELETED)


async def test_a_reaction_is_chosen_by_its_name_and_the_last_one_comes_first(sit: Any, server: Server) -> None:
    """By key and by command; the same once more takes it back."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await bob.send("it works")
        await alice.sees("it works")
        await alice.type("<shift+tab>", "<plus>", "rocket")
        await alice.sees("🚀  rocket")
        await alice.type("<enter>")
        await alice.sees("🚀 1")
        assert (await bob.history()).messages[-1].reactions == {"rocket": [alice.app.chat.user]}
        await alice.type("<plus>")
        await alice.sees("React", "🚀  rocket")
        await alice.type("<enter>")
        await alice.until(lambda: "🚀 1" not in alice.screen())
        await alice.type("<escape>", "/react +1", "<enter>")
        await alice.sees("👍 1")


async def test_a_thread_has_a_view_of_its_own(sit: Any, server: Server) -> None:
    """One key opens it, what is written goes there, Esc leads back to all."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        root = await bob.send("lunch?")
        await bob.send("something else")
        await alice.sees("something else")
        await alice.type("<shift+tab>", "<up>", "t")
        await alice.sees("# general › thread   bob: lunch?", "Esc back to all")
        await alice.until(lambda: "something else" not in alice.screen())
        await alice.say("soup")
        assert (await bob.history()).messages[-1].thread == root.seq
        await alice.type("<escape>")
        await alice.sees("something else", "soup", "1 reply")


async def test_a_thread_has_a_draft_of_its_own(sit: Any, server: Server) -> None:
    """What is being written for all is not said there, nor the other way round; both are there again."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        root = await bob.send("lunch?")
        await alice.sees("lunch?")
        await alice.type("for all", "<shift+tab>", "t")
        await alice.sees("› thread", "❯ Reply in this thread")
        await alice.type("for few", "<escape>")
        await alice.sees("❯ for all")
        await alice.type("<shift+tab>", "t")
        await alice.sees("› thread", "❯ for few")
        await alice.type("<enter>")
        await alice.until(lambda: not alice.app.session.client.unconfirmed)
        last = (await bob.history()).messages[-1]
        assert (last.text, last.thread) == ("for few", root.seq)
        await alice.type("<escape>")
        await alice.sees("❯ for all")
        assert list(alice.app.session.client._outbox.box.drafts) == ["general"]


async def test_pins_links_and_copies(sit: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that is pasted leads back to the message; what is pinned is listed."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        copied: list[str] = []
        monkeypatch.setattr(alice.app, "copy_to_clipboard", copied.append)
        opened: list[str] = []
        monkeypatch.setattr(alice.app, "open_url", opened.append)
        sent = await bob.send("see **https://ci.example/7**")
        await bob.send("later")
        await alice.sees("later")
        await alice.type("<shift+tab>", "<up>", "y", "l", "o", "p")
        await alice.until(lambda: alice.app.chat.current.timeline.message(sent.seq).flags & PINNED)
        link = f"chat://127.0.0.1:{server.port}/general/{sent.seq}"
        assert copied == ["see **https://ci.example/7**", link]
        assert opened == ["https://ci.example/7"]
        await alice.type("<escape>", "/pins", "<enter>")
        await alice.sees("Pinned", "see https://ci.example/7")
        await alice.type("<escape>", f"/goto {link}", "<enter>")
        await alice.until(lambda: alice.app.room.log_view.focused_message == sent.seq)
        await alice.type("<escape>", "/goto chat://elsewhere/general/1", "<enter>")
        await alice.sees("is no day and no link")


async def test_unread_from_here(sit: Any, server: Server) -> None:
    """The message and what follows count again once another room is shown."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        for text in ("one", "two @alice", "three"):
            await bob.send(text)
        await alice.sees("three")
        await alice.type("<shift+tab>", "<up>", "u")
        await alice.sees("Unread from here on")
        await alice.until(lambda: alice.app.chat.current.unread == 2)


async def test_names_rooms_and_emoji_complete_while_they_are_written(sit: Any, server: Server) -> None:
    """A list shows what fits; Tab puts it, Shift+Tab goes back; an emoji becomes its picture."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob"), Client("127.0.0.1", server.port, "bea"):
        await alice.sees("Online · 3")
        composer = alice.app.room.composer
        await alice.type("hi @b")
        await alice.sees("@bob", "@bea")
        await alice.type("<tab>")
        first = composer.text
        await alice.type("<tab>")
        assert {first, composer.text} == {"hi @bob ", "hi @bea "}
        await alice.type("<shift+tab>")
        assert composer.text == first
        await alice.type("<ctrl+u>", "see #gen", "<tab>")
        assert composer.text == "see #general "
        await alice.type("<ctrl+u>", ":tada", "<tab>")
        assert composer.text == "🎉 "
        await alice.type("<ctrl+u>", "well :rocket:")
        assert composer.text == "well 🚀"
        await alice.type("<ctrl+u>", "/notify ")
        await alice.sees("/notify all|mentions|none · what of the room", "mentions")
        await alice.type("me", "<tab>")
        assert composer.text == "/notify mentions "
        await alice.type("<ctrl+u>", "/react nothing_like_it", "<enter>")
        await alice.sees("There is no emoji called nothing_like_it")


async def test_keys_of_a_message_are_letters_again_in_the_composer(sit: Any) -> None:
    """And other letters lead back there."""
    async with sit() as alice:
        await alice.say("hello")
        await alice.type("<shift+tab>", "<tab>", "rust")
        assert alice.app.room.composer.text == "rust"
        await alice.type("<shift+tab>", "zoo")
        assert alice.app.room.composer.text == "rustzoo"
