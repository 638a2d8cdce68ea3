"""chat-tui as a person uses it, in memory: what is pressed and what stands on the screen."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import Server
from textual.events import Key, Paste

from chat_tui import config
from chat_tui.app import ChatApp
from chat_tui.client import Client
from chat_tui.state.entries import NOTICE
from chat_tui.state.link import Address, Phase


async def test_two_people_talk(sit: Any, server: Server) -> None:
    """Names, messages both ways, an action, and leaving."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.sees("Online · 2", "alice  you", "bob came in")
        await bob.send("hello @alice")
        await alice.sees("hello @alice")
        await alice.say("hi bob")
        await alice.say("/me waves")
        await alice.sees("alice  hi bob", "alice waves")
        page = await bob.history()
        assert [(entry.text, entry.me) for entry in page.messages[1:]] == [("hi bob", False), ("waves", True)]
        await bob.quit()
        await alice.sees("bob left", "Online · 1")


async def test_the_empty_room_says_how_others_join(sit: Any, server: Server) -> None:
    """Not a blank."""
    async with sit() as alice:
        await alice.sees("Nobody has written yet", "Message #general", f"● 127.0.0.1:{server.port}")


async def test_several_lines_are_one_message(sit: Any) -> None:
    """Keys for a new line, and a paste."""
    async with sit() as alice:
        await alice.type("one", "<ctrl+j>", "two", "<alt+enter>", "three", "<shift+enter>", "four")
        await alice.until(lambda: alice.app.room.composer.size.height == 4)
        await alice.type("<enter>")
        await alice.until(lambda: not alice.app.session.client.unconfirmed)
        assert alice.app.chat.current.timeline.entries[-1].text == "one\ntwo\nthree\nfour"
        await alice.until(lambda: alice.app.room.composer.size.height == 1)
        alice.app.post_message(Paste("a\r\nb\x1b[2J\n"))
        await alice.until(lambda: alice.app.room.composer.text)
        assert alice.app.room.composer.text == "a\nb␛[2J"


async def test_keys_and_enter_written_at_once_lose_nothing(sit: Any) -> None:
    """Enter never overtakes what was typed before it."""
    async with sit() as alice:
        for character in "quick":
            alice.app.post_message(Key(character, character))
        alice.app.post_message(Key("enter", "\r"))
        for character in "next":
            alice.app.post_message(Key(character, character))
        await alice.until(lambda: alice.app.room.composer.text == "next")
        assert alice.app.chat.current.timeline.entries[-1].text == "quick"


async def test_history_and_completion(sit: Any, server: Server) -> None:
    """Up brings back what was sent, Tab completes who is here."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob"):
        await alice.sees("bob came in")
        await alice.say("first")
        await alice.type("draft", "<up>")
        assert alice.app.room.composer.text == "first"
        await alice.type("<down>", "<ctrl+u>", "b", "<tab>")
        assert alice.app.room.composer.text == "bob: "


async def test_commands(sit: Any) -> None:
    """They answer in the log; what is unknown stays to be corrected and is never sent."""
    async with sit() as alice:
        await alice.type("/who", "<enter>")
        await alice.sees("1 here: alice (you)")
        await alice.type("/nick Alicia", "<enter>")
        await alice.sees("you are now called Alicia", "Alicia  you")
        await alice.type("/nick not a name", "<enter>")
        await alice.sees("letters, digits")
        await alice.type("<ctrl+u>", "/hlep", "<enter>")
        await alice.sees("Did you mean /help?")
        assert alice.app.room.composer.text == "/hlep"
        await alice.type("<ctrl+c>", "/clear", "<enter>")
        await alice.until(lambda: not alice.app.chat.current.timeline.entries)
        await alice.type("/n")
        await alice.sees("/nick new name", "Tab complete")
        await alice.type("<ctrl+u>", "/help", "<enter>")
        await alice.sees("Everyone in the room reads it", "Esc closes")
        await alice.type("<escape>")
        assert all(entry.flags & NOTICE for entry in alice.app.chat.current.timeline.entries)


@pytest.mark.parametrize("way", ["exit", "/quit"])
async def test_leaving_by_a_line(sit: Any, server: Server, way: str) -> None:
    """`exit` alone says that it leaves, and does."""
    async with Client("127.0.0.1", server.port, "bob"), sit() as alice:
        await alice.type(way)
        if way == "exit":
            await alice.sees("Enter leaves", "/say exit says it")
        await alice.type("<enter>")
        await alice.until(lambda: alice.app.session.link.phase is Phase.LEFT)
        await alice.until(lambda: alice.app.return_code is not None)


async def test_ctrl_c_clears_then_says_that_it_leaves_then_leaves(sit: Any) -> None:
    """Writing something in between stays."""
    async with sit() as alice:
        await alice.type("text", "<ctrl+c>")
        assert alice.app.room.composer.text == ""
        await alice.type("<ctrl+c>")
        await alice.sees("Ctrl+C again leaves")
        await alice.type("x", "<ctrl+c>")
        assert alice.app.room.composer.text == ""
        assert "again leaves" not in alice.screen()
        await alice.type("<ctrl+c>", "<ctrl+c>")
        await alice.until(lambda: alice.app.session.link.phase is Phase.LEFT)


async def test_without_a_name_one_is_asked_for_and_a_refusal_is_said_there(sit: Any, server: Server) -> None:
    """The login name is offered; what can't be a name is said at once, what is taken by the server."""
    async with Client("127.0.0.1", server.port, "alice"), sit(name=None) as seat:
        await seat.sees("What should people call you?", "❯ login")
        await seat.type("no name", "<enter>")
        await seat.sees("without spaces", "❯ no_name")
        await seat.type("Alice", "<enter>")
        await seat.sees("alice is taken here", "Pick another name:", "❯ Alice")
        assert "Pick another name." not in seat.screen()
        await seat.type("<end>", "2", "<enter>")
        await seat.sees("Alice2  you", "Online · 2")


async def test_the_server_goes_and_comes_back(sit: Any, start_server: Callable[..., Server], tmp_path: Path) -> None:
    """Said where one looks, with the key that helps; what is written meanwhile is sent then, and nothing is lost."""
    server = start_server(data=tmp_path / "d")
    async with sit(address=Address("127.0.0.1", server.port)) as alice:
        await alice.say("before")
        server.stop(signal.SIGTERM)
        await alice.sees("◌ Nothing listens at", "◌ reconnecting in", "F5 try again")
        await alice.type("meanwhile", "<enter>")
        await alice.sees("meanwhile", "◌")
        start_server(data=tmp_path / "d", port=server.port)
        await alice.type("<f5>")
        await alice.sees("● 127.0.0.1")
        await alice.until(lambda: not alice.app.session.client.unconfirmed)
        assert [entry.text for entry in alice.app.chat.current.timeline.entries] == ["before", "meanwhile"]
        assert "◌" not in alice.screen()


async def test_a_server_that_restarts_is_found_again_by_itself(
    sit: Any, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Nothing to press; what others said in between is there."""
    server = start_server(data=tmp_path / "d")
    async with sit(address=Address("127.0.0.1", server.port)) as alice:
        await alice.say("before")
        server.stop(signal.SIGTERM)
        start_server(data=tmp_path / "d", port=server.port)
        async with Client("127.0.0.1", server.port, "bob") as bob:
            await bob.send("between")
        await alice.sees("● 127.0.0.1", "between")
        assert alice.app.chat.name == "alice"


async def test_a_failed_message_is_kept_and_can_be_taken_back_or_sent_again(sit: Any) -> None:
    """With the reason, and the keys."""
    async with sit() as alice:
        timeline = alice.app.chat.current.timeline
        for id, text in ((1, "first"), (2, "second")):
            timeline.pend(id, text, alice.app.chat.clock())
            timeline.fail(id, "No reason")
        await alice.sees("✗", "No reason", "Alt+R send again", "Alt+X take back")
        await alice.type("<alt+x>")
        assert alice.app.room.composer.text == "second"
        await alice.type("<ctrl+u>", "<alt+r>")
        await alice.until(lambda: not alice.app.session.client.unconfirmed)
        assert not timeline.failed()
        assert timeline.entries[-1].text == "first"
        assert timeline.entries[-1].seq > 0


async def test_what_waits_for_the_server_can_be_taken_back(
    sit: Any, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """What never left, at once; of what may have arrived the server is asked when it is there again."""
    server = start_server(data=tmp_path / "d")
    async with sit(address=Address("127.0.0.1", server.port)) as alice:
        await alice.until(lambda: alice.app.session.link.phase is Phase.ONLINE)
        server.process.send_signal(signal.SIGSTOP)
        await alice.type("may have arrived", "<enter>")
        await alice.sees("may have arrived", "◌")
        server.stop(signal.SIGKILL)
        await alice.sees("reconnecting in")
        await alice.type("never left", "<enter>")
        await alice.sees("never left", "Alt+X take back")
        await alice.type("<alt+x>")
        assert alice.app.room.composer.text == "never left"
        await alice.type("<ctrl+u>", "<alt+x>")
        await alice.sees("Taking it back")
        start_server(data=tmp_path / "d", port=server.port)
        await alice.type("<f5>")
        await alice.until(lambda: alice.app.room.composer.text == "may have arrived")
        assert not alice.app.chat.current.timeline.entries


async def test_drafts_and_what_is_not_sent_are_there_after_a_restart(
    sit: Any, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Leaving says that they are kept; the next start shows them before the server is there, and sends them then."""
    server = start_server(data=tmp_path / "d")
    async with sit(address=Address("127.0.0.1", server.port)) as alice:
        await alice.say("before")
        server.stop(signal.SIGKILL)
        await alice.sees("reconnecting in")
        await alice.type("meanwhile", "<enter>", "half a")
        await alice.type("<ctrl+q>")
        await alice.sees("kept for the next time")
    async with sit(address=Address("127.0.0.1", server.port), online=False) as alice:
        await alice.sees("meanwhile", "◌", "❯ half a", "not connected")
        start_server(data=tmp_path / "d", port=server.port)
        await alice.type("<f5>")
        await alice.until(lambda: not alice.app.session.client.unconfirmed)
        await alice.sees("before", "meanwhile", "❯ half a")


async def test_what_is_too_long_goes_back_to_where_it_was_written(sit: Any) -> None:
    """Nothing typed is lost."""
    async with sit() as alice:
        alice.app.room.composer.put("x" * 20_000)
        await alice.type("<enter>")
        await alice.sees("too long")
        assert alice.app.room.composer.text == "x" * 20_000


async def test_older_messages_come_when_the_top_is_reached(sit: Any, server: Server) -> None:
    """Page by page."""
    async with Client("127.0.0.1", server.port, "bob") as bob:
        for number in range(120):
            await bob.send(f"number {number}")
    async with sit() as alice:
        timeline = alice.app.chat.current.timeline
        await alice.until(lambda: timeline.messages >= 50)
        assert timeline.messages < 120
        for _ in range(20):
            await alice.type("<pageup>")
            if timeline.messages == 120:
                break
        await alice.until(lambda: timeline.messages == 120)
        await alice.type("<home>")
        await alice.sees("number 0")
        await alice.type("<end>")
        await alice.sees("number 119")


@pytest.mark.parametrize("size", [(40, 12), (79, 20), (80, 24), (120, 40), (300, 80)])
async def test_every_size_shows_what_matters(sit: Any, server: Server, size: tuple[int, int]) -> None:
    """Room, composer, keys; the sidebar beside the log or, in narrow terminals, over it."""
    async with sit(size=size) as alice, Client("127.0.0.1", server.port, "bob"):
        await alice.until(lambda: "bob" in alice.app.chat.current.people.names)
        narrow = size[0] < 80
        await alice.sees("# general", "❯ Message #general", "F1 help", "2 here" if narrow else "Online · 2")
        await alice.type("<f2>")
        await alice.until(lambda: ("Online · 2" in alice.screen()) is narrow)
        await alice.type("<escape>" if narrow else "<f2>")
        await alice.until(lambda: ("Online · 2" in alice.screen()) is not narrow)
        await alice.pilot.resize_terminal(60, 15)
        await alice.sees("2 here", "❯ Message #general")


async def test_the_choice_of_colours_is_remembered(sit: Any) -> None:
    """F4, in this run and the next."""
    async with sit() as alice:
        assert alice.app.theme == "chat-dark"
        await alice.type("<f4>")
        assert alice.app.theme == "chat-light"
        assert config.load(config.settings_path()).theme == "chat-light"
    async with sit("bob") as bob:
        assert bob.app.theme == "chat-light"


async def test_a_sidebar_that_was_folded_stays_so(sit: Any) -> None:
    """The next run starts as this one ended."""
    async with sit() as alice:
        await alice.sees("Online · 1")
        await alice.type("<f2>", "<ctrl+q>")
        await alice.until(lambda: alice.app.return_code is not None)
    assert not config.load(config.settings_path()).people
    async with sit("bob") as bob:
        await bob.sees("1 here")


async def test_a_terminal_of_sixteen_colours_is_left_its_own(sit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours can't be shown there."""
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "xterm")
    async with sit() as alice:
        assert alice.app.theme == "ansi-dark"


async def test_the_palette_does_what_it_offers(sit: Any) -> None:
    """Every action by its name."""
    async with sit() as alice:
        await alice.type("<f3>")
        await alice.sees("Read what was said before")
        await alice.type("Dark or li")
        await alice.sees("Dark or light")
        await alice.type("<down>", "<enter>")
        await alice.until(lambda: alice.app.theme == "chat-light")


async def test_typing_goes_to_the_composer_whatever_has_the_focus(sit: Any) -> None:
    """After a click into the log."""
    async with sit() as alice:
        await alice.pilot.click("MessageLog")
        await alice.type("hey")
        assert alice.app.room.composer.text == "hey"


async def test_leaving_with_an_unsent_message_asks_first(sit: Any, server: Server) -> None:
    """Once; then it leaves."""
    async with sit() as alice:
        server.stop(signal.SIGKILL)
        await alice.sees("reconnecting")
        await alice.type("unsent", "<enter>", "<ctrl+q>")
        await alice.sees("A message is not sent yet")
        assert alice.app.return_code is None
        await alice.type("<ctrl+q>")
        await alice.until(lambda: alice.app.return_code is not None)


def test_a_mistake_of_this_program_shows_no_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it was is printed for who mends it; what variables held may be a password."""

    def break_down(_: ChatApp) -> None:
        password = "".join(("tops", "3cret"))
        raise RuntimeError(f"a mistake after {len(password)} letters")

    monkeypatch.setattr(ChatApp, "on_mount", break_down)
    app = ChatApp(Address("127.0.0.1", 9), "alice")
    app.run(headless=True)
    said = capsys.readouterr().err
    assert "a mistake after 9 letters" in said
    assert "break_down" in said
    assert "tops3cret" not in said
    assert app.return_code == 1


async def test_f1_opens_and_closes_the_help(sit: Any) -> None:
    """The same key both ways."""
    async with sit() as alice:
        await alice.type("<f1>")
        await alice.sees("Just type and press Enter", "Read what was said before")
        await alice.pilot.resize_terminal(40, 24)
        await alice.sees("│                   said before")
        await alice.type("<f1>")
        await alice.sees("Message #general")
        assert "Just type" not in alice.screen()


async def test_ctrl_c_at_the_question_for_a_name_clears_then_leaves(sit: Any) -> None:
    """No question back."""
    async with sit(name=None) as seat:
        await seat.sees("❯ login")
        await seat.type("<ctrl+c>")
        await seat.sees("your name")
        await seat.type("<ctrl+c>")
        await seat.until(lambda: seat.app.return_code is not None)


async def test_exit_leaves_at_the_question_for_a_name_and_no_secret_becomes_one(sit: Any) -> None:
    """A name is seen by everyone: a code or an invitation is none, and does not stay."""
    async with sit(name=None) as seat:
        await seat.sees("❯ login")
        await seat.type("k7qd-93mf-x2wp-08tz-hv4n", "<enter>")
        await seat.sees("That is a code")
        assert "k7qd" not in seat.screen()
        await seat.type("chat-tui join chat://h/k7qd-93mf-x2wp-08tz-hv4n", "<enter>")
        await seat.sees("That is an invitation")
        await seat.type("exit", "<enter>")
        await seat.until(lambda: seat.app.return_code is not None)


async def test_a_name_is_remembered_until_nobody_has_it(sit: Any, server: Server) -> None:
    """By server; another name takes the place of the one before, and a second one stands beside it."""

    def names() -> list[str]:
        return config.load_names(config.names_path(), f"127.0.0.1:{server.port}")

    async with sit(name="alice") as alice:
        assert names() == ["alice"]
        await alice.type("/nick ann", "<enter>")
        await alice.until(lambda: names() == ["ann"])
    async with sit(name="bob") as bob:
        assert names() == ["bob", "ann"]
        bob.app.remember_name("")
        assert names() == ["ann"]


@pytest.mark.parametrize(("count", "whom"), [(0, "dave"), (2001, "2,000 others")])
async def test_who_hosted_and_leaves_others_is_told_that_the_server_goes_on(sit_at: Any, count: int, whom: str) -> None:
    """In the shell, where everything else has gone; of a crowd, by how many they are."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with sit_at(Address("127.0.0.1", port, may_host=True), online=False) as alice:
        await alice.sees("hosting")
        async with Client("127.0.0.1", port, "dave"):
            await alice.sees("dave came in")
            alice.app.chat.general.people.count = count
            await alice.type("exit", "<enter>")
            await alice.until(lambda: alice.app.return_code is not None)
            assert f"Your server goes on for {whom}." in str(alice.app._exit_renderables)
