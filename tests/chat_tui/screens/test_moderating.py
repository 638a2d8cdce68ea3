"""Moderating, reporting, blocking and erasing, as people do it, against a real server."""

import json
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support import Server

from chat_tui.acts.moderating import parse_kept
from chat_tui.client import Client, Refused

WORDS = "a long enough pass phrase"
WIDE = (140, 30)
"""Columns and rows of a terminal in which few lines are wrapped."""


@pytest.fixture
def own(sit: Any, server: Server) -> Callable[..., Any]:
    """Open a chat-tui as alice, who has an account and owns the server."""

    @asynccontextmanager
    async def open_one(**options: Any) -> AsyncIterator[Any]:
        code = server.owner_code
        async with sit(**options) as alice:
            await alice.app.session.register(WORDS)
            await alice.app.session.claim(code)
            await alice.sees("you own this server now")
            yield alice

    return open_one


async def ended(client: Client) -> str:
    """Return the server's last word, once a client is put out."""
    async for _ in client.batches():
        pass
    assert client.ended is not None
    return client.ended.message


async def test_out_of_the_server_is_asked_once(own: Any, server: Server) -> None:
    """What it means is said; Escape does nothing, y does it; who is put out is told by whom, and why."""
    async with own() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.sees("bob came in")
        await alice.type("/kick bob spam", "<enter>")
        await alice.sees("Put bob out?", "is put out of the whole server", "y puts bob out")
        await alice.type("<escape>")
        await bob.send("still here")
        await alice.sees("still here")
        await alice.type("/kick bob spam", "<enter>")
        await alice.sees("Put bob out?")
        await alice.type("y")
        await alice.sees("you put bob out of the server: spam")
        assert "alice" in (last := await ended(bob))
        assert "spam" in last
        assert "bob left" not in alice.screen()


async def test_a_ban_is_taken_back_from_the_list(own: Any, server: Server) -> None:
    """Nobody gets in while it holds. What the question says is what is done."""
    async with own(size=(80, 24)) as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev")
        await bob.join("dev")
        await alice.type("/ban bob tomorrow too loud", "<enter>")
        await alice.sees("tomorrow is no time: 10m, 2h, 7d or forever is", "❯ /ban bob tomorrow too loud")
        await alice.type("<ctrl+u>", "/ban bob 2hours too loud", "<enter>")
        await alice.sees("Ban bob?", "out of #dev and kept out", "Until: ", "Reason: too loud")
        await alice.sees("bob is a guest, and can come back under another name", "/ban and an address, like")
        await alice.type("y")
        await alice.sees("you banned bob until")
        with pytest.raises(Refused):
            await bob.join("dev")
        await alice.type("/bans", "<enter>")
        await alice.sees("Bans of #dev", "bob  banned until", "by alice", "Enter takes it back")
        await alice.type("<enter>")
        await alice.sees("Let bob in again? y does it, Esc does not.")
        await alice.type("y")
        await alice.sees("bob is let in again.")
        await alice.type("<escape>")
        await bob.join("dev")
        await alice.type("/bans", "<enter>")
        await alice.sees("Nobody is kept out or silenced here.")


async def test_addresses_are_banned_and_let_in_again(own: Any) -> None:
    """Always of the server; it is asked, since there may be many people behind them."""
    async with own(size=WIDE) as alice:
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev")
        await alice.type("/ban 203.0.113.0/24 1d spam", "<enter>")
        await alice.sees("Ban 203.0.113.0/24?", "Many people may share")
        await alice.type("y")
        await alice.sees("Nobody gets in from 203.0.113.0/24 any more.")
        await alice.type("/go general", "<enter>")
        await alice.sees("Message #general")
        await alice.type("/bans", "<enter>")
        await alice.sees("203.0.113.0/24  nobody gets in from there until tomorrow", "spam")
        await alice.type("<escape>", "/unban 203.0.113.0/24", "<enter>")
        await alice.sees("People from 203.0.113.0/24 are let in again.")
        await alice.type("/ban 203.0.113.0/99", "<enter>")
        await alice.sees("✗ 203.0.113.0/99 is no address")
        await alice.type("<ctrl+u>", "/ban 198.51.100.7", "<enter>")
        await alice.sees("Ban 198.51.100.7?", "For good: /unban 198.51.100.7 ends it")
        await alice.type("y")
        await alice.sees("Nobody gets in from 198.51.100.7 any more.")


async def test_a_role_on_the_server_is_asked_once(own: Any, server: Server) -> None:
    """What whoever gets it can do then is said; only accounts get one."""
    async with own(size=WIDE) as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.sees("bob came in")
        await alice.type("/role bob moderator", "<enter>")
        await alice.sees("✗ bob has no account")
        await bob.register(WORDS)
        await alice.type("<ctrl+u>", "/role bob moderator", "<enter>")
        await alice.sees("Make bob a moderator of the server?", "every room", "y makes bob a moderator")
        await alice.type("y")
        await alice.sees("you made bob a moderator of the server")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("30 days", (30, 0)),
        ("30d", (30, 0)),
        ("30", (30, 0)),
        ("2 weeks", (14, 0)),
        ("1,000 messages", (0, 1000)),
        ("Off", (0, 0)),
        ("0", None),
        ("40000 days", None),
        ("a while", None),
    ],
)
def test_how_long_messages_are_kept_is_typed(typed: str, kept: tuple[int, int] | None) -> None:
    """In days, weeks or messages."""
    assert parse_kept(typed) == kept


async def test_the_last_owner_is_told_what_stepping_down_means(own: Any) -> None:
    """Nobody but who runs the server could undo it."""
    async with own(size=WIDE) as alice:
        await alice.type("/role alice member", "<enter>")
        await alice.sees("Be no longer an owner of the server?", "That is you, and you are the only owner")
        await alice.type("<escape>", "/role alice owner", "<enter>")
        await alice.sees("✗ You are an owner already.")
        await alice.type("<ctrl+u>", "/kick alice", "<enter>")
        await alice.sees("✗ That is you.")


async def test_who_is_silenced_reads_so_where_they_would_write(own: Any, sit: Any) -> None:
    """With until when; it ends as it began."""
    async with own() as alice, sit("bob") as bob:
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev")
        await bob.type("/join dev", "<enter>")
        await bob.sees("Message #dev")
        await alice.type("/silence bob 10m caps", "<enter>")
        await alice.sees("you silenced bob here until")
        await bob.sees("You may only read here until", "caps (alice)", "❯ You may only read here until")
        await alice.type("/unsilence bob", "<enter>")
        await bob.sees("alice lets you speak again here", "Message #dev")


async def test_a_room_has_rules(own: Any, sit: Any) -> None:
    """Slow, read-only, how long messages are kept: each is said where it matters, and moderators write on."""
    async with own(size=WIDE) as alice, sit("bob", size=WIDE) as bob:
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev")
        await bob.type("/join dev", "<enter>")
        await bob.sees("Message #dev")
        await alice.type("/slow 5m", "<enter>")
        await bob.sees("alice set slow mode: one message each in 5 minutes")
        await bob.say("first")
        await bob.sees("Next message in ")
        await bob.type("second", "<enter>")
        await bob.sees("Slow mode, 5 minutes between two messages: the next in ", "❯ second")
        await bob.type("<ctrl+u>")
        await alice.say("and mine")
        await alice.say("and another")
        await alice.type("/slow off", "<enter>")
        await bob.sees("❯ Message #dev")
        await alice.type("/slow 99999", "<enter>")
        await alice.sees("✗ That is too slow: 6 hours is the most.", "❯ /slow 99999")
        await alice.type("<ctrl+u>", "/readonly", "<enter>")
        await bob.sees("❯ Only moderators write here")
        await alice.type("/readonly on", "<enter>")
        await alice.sees("✗ Only moderators write here already.")
        await alice.type("<ctrl+u>", "/readonly off", "<enter>")
        await bob.sees("alice lets everyone write again", "❯ Message #dev")
        await alice.type("/keep", "<enter>")
        await alice.sees("Messages are kept for ever here. /keep 30 days")
        await alice.type("/keep soon", "<enter>")
        await alice.sees("“soon” is not how long", "❯ /keep soon")
        await alice.type("<ctrl+u>", "/keep 30 days", "<enter>")
        await alice.sees("What is older than 30 days is erased for good here")
        await alice.type("y")
        await bob.sees("Older messages are erased here after 30 days.")
        await alice.type("/keep 30 days", "<enter>")
        await alice.sees("That is how it is already.")
        assert "how many messages" not in bob.screen()
        await alice.type("<ctrl+u>", "/keep off", "<enter>")
        await bob.until(lambda: "Older messages are erased" not in bob.screen())


async def test_a_role_is_chosen_and_opens_what_it_may(own: Any, sit: Any) -> None:
    """Tab offers what one may do; what one may not is refused in words."""
    async with own() as alice, sit("bob") as bob:
        await alice.type("/make dev", "<enter>")
        await alice.sees("Message #dev")
        await bob.type("/join dev", "<enter>")
        await bob.sees("Message #dev")
        await bob.type("/ki")
        await bob.until(lambda: bob.app.room.composer.text == "/ki")
        assert "/kick name" not in bob.screen()
        await bob.type("<ctrl+u>", "/kick alice", "<enter>")
        await bob.sees("✗ Only moderators may do this here.")
        await bob.type("<ctrl+u>", "/server", "<enter>")
        await bob.sees("✗ Only admins of the server may do this.")
        await alice.type("/ban ghost", "<enter>")
        await alice.sees("✗ Nobody is known by this name", "❯ /ban ghost")
        await alice.type("<ctrl+u>")
        await alice.type("/role bob", "<enter>")
        await alice.sees("What is bob in #dev?", "moderator   puts out, silences")
        await alice.type("mod", "<enter>")
        await bob.sees("alice made you a moderator")
        await bob.type("<ctrl+u>", "/who", "<enter>")
        await bob.sees("2 here: bob (you, moderator), alice")
        await bob.type("<ctrl+u>", "/ki")
        await bob.sees("/kick name [reason]")


async def test_a_report_comes_before_the_moderators(own: Any, sit: Any) -> None:
    """With a reason; they delete it, and it is settled with that."""
    async with own(size=WIDE) as alice, sit("bob") as bob, sit("carol") as carol:
        await bob.say("buy watches")
        await carol.sees("buy watches")
        await carol.type("<escape>")
        await carol.sees("! report")
        await carol.type("!")
        await carol.sees("Report “buy watches”", "Spam", "Insults or threats")
        await carol.type("spa")
        await carol.sees("“spa”")
        await carol.type("<enter>")
        await carol.sees("The moderators will see what bob said.")
        await alice.sees("carol reported what bob said in #general: Spam · /reports", "1 report ")
        await bob.say("and pens")
        await carol.sees("and pens")
        await carol.type("/report and once more", "<enter>")
        await carol.until(lambda: carol.screen().count("The moderators will see") == 2)
        await alice.sees("and once more · /reports", "2 reports ")
        await alice.type("/reports", "<enter>")
        await alice.sees("“buy watches”", "carol: Spam", "“and pens”", "carol: and once more", "x settles it")
        assert alice.app.chat.reports == set()
        await alice.type("x")
        await alice.sees("Settled.")
        await alice.until(lambda: "carol: and once more" not in alice.screen())
        await alice.type("d")
        await alice.sees("Delete it for everyone?")
        await alice.type("y")
        await alice.sees("Deleted, and settled.")
        await alice.type("<escape>")
        await carol.sees("message deleted")
        await alice.type("/audit", "<enter>")
        await alice.sees("What moderators did on the server", "alice  deleted a message", "alice  settled a report")
        await alice.sees("chat-server  made alice an owner")


async def test_a_moderator_deletes_what_others_said(own: Any, server: Server) -> None:
    """With the key for one's own, asked once."""
    async with own() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await bob.send("rude")
        await alice.sees("rude")
        await alice.type("<escape>")
        await alice.sees("d delete")
        await alice.type("d")
        await alice.sees("Delete “rude” for everyone?")
        await alice.type("d")
        await alice.sees("message deleted")


async def test_who_is_blocked_is_one_quiet_line(sit: Any, server: Server) -> None:
    """However much they say; Enter opens it, and so does the end of the block."""
    async with sit() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await bob.send("one")
        await alice.sees("one")
        await alice.type("/block bob", "<enter>")
        await alice.sees("bob is blocked: what they say stands as “hidden”.", "  hidden")
        await alice.until(lambda: " one" not in alice.screen())
        await alice.type("/search one", "<enter>")
        await alice.sees("Nothing found.")
        await alice.type("<escape>", "/clear", "<enter>")
        for text in ("two", "three", "four"):
            await bob.send(text)
        await alice.until(lambda: len(alice.app.chat.current.timeline.entries) == 3)
        await alice.sees("  hidden")
        assert alice.screen().count("  hidden") == 1
        await alice.type("<escape>")
        await alice.sees("Enter show")
        await alice.type("r")
        await alice.sees("This message is hidden: Enter shows it.")
        await alice.type("<enter>")
        await alice.sees("two", "three", "four", "r reply")
        await alice.type("<escape>", "/blocked", "<enter>")
        await alice.sees("bob", "Enter shows them again")
        await alice.type("<enter>")
        await alice.sees("You see bob again.", "You have blocked nobody.")
        await alice.type("<escape>")
        await bob.send("five")
        await alice.sees("five")


async def test_who_may_come_in_is_set(own: Any, server: Server) -> None:
    """Guests, sign-up, tickets; what shuts people out is asked."""
    async with own() as alice:
        await alice.type("/server", "<enter>")
        await alice.sees("Guests  may come in", "Sign-up  open")
        await alice.type("<enter>")
        await alice.sees("Let nobody in who has no account?")
        await alice.type("y")
        await alice.sees("Guests  may not come in")
        await alice.type("<down>", "<enter>")
        await alice.sees("Change it to with a ticket: who has a ticket may get an account?")
        await alice.type("y")
        await alice.sees("Sign-up  with a ticket")
        await alice.type("t")
        await alice.sees("A ticket", "chat-tui join", "chat://127.0.0.1", "It is good once, until")
        await alice.type("<escape>", "/server", "<enter>")
        await alice.sees("Ticket  good once", "by alice")
        stranger = Client("127.0.0.1", server.port, "dave")
        with pytest.raises(Refused) as refusal:
            await stranger.connect()
        await stranger.close()
        assert refusal.value.code == "no_guests"
        await alice.type("<end>", "<enter>")
        await alice.sees("Take this ticket back?")
        await alice.type("y")
        await alice.sees("The ticket is good no more.")
        await alice.until(lambda: "good once" not in alice.screen())


async def test_accounts_are_listed(own: Any) -> None:
    """With their roles; one of them gets another."""
    async with own() as alice:
        await alice.type("/accounts", "<enter>")
        await alice.sees("alice  owner  here")
        await alice.type("r")
        await alice.sees("What is alice on the server?", "owner       also all else")


async def test_all_that_is_mine_is_saved(own: Any, home: Path) -> None:
    """For my eyes alone; a file that is there stays as it is."""
    async with own(size=WIDE) as alice:
        await alice.say("to be kept")
        await alice.type("/export", "<enter>")
        await alice.sees("Saved what the server has of you", "~/alice-127.0.0.1-export.jsonl")
        file = home / "alice-127.0.0.1-export.jsonl"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        saved = [json.loads(line) for line in file.read_text().splitlines()]
        assert "to be kept" in [one.get("text") for one in saved]
        assert {"kind": "person", "user": alice.app.chat.user, "name": "alice"} in saved
        await alice.type(f"/export {file}", "<enter>")
        await alice.sees("is there already: give another name.")


async def test_one_is_erased_by_name_and_password(own: Any, server: Server) -> None:
    """Nothing less does it; others see that something was said, and nothing else."""
    async with own() as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.say("soon gone")
        await alice.type("/erase", "<enter>")
        await alice.sees("This erases you for good", "Your name, alice, to say that you mean it")
        await alice.type("bob", "<tab>", WORDS, "<enter>")
        await alice.sees("That is not alice. Nothing was erased.")
        await alice.type("<escape>", "/erase", "<enter>")
        await alice.sees("This erases you for good")
        await alice.type("alice", "<tab>", "not the password", "<enter>")
        await alice.until(lambda: "…" not in alice.screen() and alice.app.screen._state.display)
        assert (await bob.history()).messages[-1].text == "soon gone"
        await alice.type("<escape>", "/erase", "<enter>")
        await alice.sees("This erases you for good")
        await alice.type("alice", "<tab>", WORDS, "<enter>")
        await alice.until(lambda: not alice.app.session.client.connected)
        said = (await bob.history()).messages[-1]
        assert (said.text, said.sender, said.deleted) == ("", "", True)
