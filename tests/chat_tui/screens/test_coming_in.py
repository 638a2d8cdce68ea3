"""Coming in: the question of trust, logging in, getting an account. Against a server that does as each test says."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import certificates
import pytest

from chat_tui import config
from chat_tui.client.known import Known
from chat_tui.errors import NotConnected
from chat_tui.state.link import Address, Phase

Frame = dict[str, Any]
Answer = Callable[[Frame], Iterable[Frame]]
ABOUT = {"type": "about", "id": "test", "server": "a test"}
WELCOME = {"type": "welcome", "user": 1, "session": "s" * 32, "epoch": "e", "seq": 0, "rooms": ["general"]}


class Keeper:
    """A server that answers by a script, and remembers what it was told."""

    def __init__(self, port: int, short: str) -> None:
        self.port = port
        self.short = short
        self.heard: list[Frame] = []

    @property
    def address(self) -> Address:
        """Where it is."""
        return Address("127.0.0.1", self.port)

    def of(self, kind: str) -> list[Frame]:
        """Return what it was told of one kind."""
        return [frame for frame in self.heard if frame["type"] == kind]


@asynccontextmanager
async def keeping(folder: Path, answer: Answer, *, known: bool = True, **about: Any) -> AsyncIterator[Keeper]:
    """Run a server in TLS; where it is not `known` already, its key has to be compared."""
    certificate = certificates.make()
    keeper = Keeper(0, certificate.short)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                frame = json.loads(line)
                keeper.heard.append(frame)
                answers = [ABOUT | about] if frame["type"] == "about" else list(answer(frame))
                for said in answers:
                    ref = {"ref": frame["ref"]} if "ref" in frame else {}
                    writer.write(json.dumps({**said, **ref}).encode() + b"\n")
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certificate.context(folder))
    keeper.port = server.sockets[0].getsockname()[1]
    if known:
        Known(config.known_path()).keep("127.0.0.1", keeper.port, certificate.digest.hex())
    try:
        yield keeper
    finally:
        server.close()


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address is this machine's: as if the server were somewhere in the network."""
    monkeypatch.setattr("chat_tui.client.secure.Way._local", False)


def error(code: str, message: str, **more: Any) -> Frame:
    """Return a refusal."""
    return {"type": "error", "code": code, "message": message, **more}


def open_door(frame: Frame) -> Iterable[Frame]:
    """Let everyone in as who they say they are."""
    if frame["type"] == "hello":
        yield WELCOME | {"name": frame["name"]}
        yield {"type": "roster", "room": "general", "names": [frame["name"]], "users": [1]}


def with_password(right: str, *, guests: bool = True) -> Answer:
    """Let alice in by her password alone."""

    def answer(frame: Frame) -> Iterable[Frame]:
        if frame["type"] == "hello" and frame["name"] != "alice" and guests:
            yield from open_door(frame)
        elif frame["type"] == "hello" and not frame.get("password"):
            yield error("login_needed" if guests else "no_guests", "Say who you are.")
        elif frame["type"] == "hello" and frame["password"] == right:
            yield WELCOME | {"name": frame["name"], "account": True}
            yield {"type": "roster", "room": "general", "names": [frame["name"]], "users": [1]}
        elif frame["type"] == "hello":
            yield error("login_failed", "Name and password do not fit.")
        elif frame["type"] == "register":
            yield {"type": "account", "user": 1, "name": frame.get("name", "alice"), "session": ""}

    return answer


# Is it the right server?


async def test_a_first_visit_asks_once_and_says_the_key(sit_at: Any, tmp_path: Path) -> None:
    """Nothing is said before; who says yes is not asked again."""
    async with keeping(tmp_path, open_door, known=False) as keeper:
        async with sit_at(keeper.address, online=False) as alice:
            await alice.sees("Is this the right server?", keeper.short, "Enter comes in")
            await alice.type("q", "x")
            assert keeper.heard == []
            await alice.type("<enter>")
            await alice.sees("Message #general", "● 127.0.0.1")
        async with sit_at(keeper.address) as again:
            assert again.app.session.server_key == keeper.short


async def test_who_does_not_trust_leaves(sit_at: Any, tmp_path: Path) -> None:
    """Nothing is kept, and nothing was said."""
    async with keeping(tmp_path, open_door, known=False) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees(keeper.short)
        await alice.type("<escape>")
        await alice.until(lambda: alice.app.return_code is not None)
        assert keeper.heard == []
        assert Known(config.known_path()).get("127.0.0.1", keeper.port) == ""


async def test_trust_that_cannot_be_kept_is_none(sit_at: Any, tmp_path: Path, home: Path) -> None:
    """A file that can't be written: it says so, and goes nowhere."""
    async with keeping(tmp_path, open_door, known=False) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees(keeper.short)
        config.known_path().mkdir(parents=True)
        await alice.type("<enter>")
        await alice.until(lambda: alice.app.return_code is not None)
        assert alice.app.return_value == 2
        assert keeper.heard == []


async def test_another_key_is_refused_and_there_is_no_way_on(sit_at: Any, tmp_path: Path) -> None:
    """What was expected, what answers, what to do; no key but Escape does anything."""
    async with keeping(tmp_path, open_door) as keeper:
        Known(config.known_path()).keep("127.0.0.1", keeper.port, "ab" * 32)
        async with sit_at(keeper.address, online=False) as alice:
            forget = f"chat-tui --forget-key --host 127.0.0.1 --port {keeper.port}"
            await alice.sees("is not the", keeper.short, "Nothing secret was sent", forget)
            for key in ("<enter>", "q", "<f5>", "<ctrl+c>", "<space>"):
                await alice.type(key)
            await alice.sees(keeper.short)
            assert keeper.heard == []
            await alice.type("y")
            await alice.until(lambda: alice.app.return_code is not None)
            assert alice.app.clipboard == forget
        invited = keeper.address._replace(pin=keeper.short)
        async with sit_at(invited, online=False) as alice:
            await alice.sees("The invitation you came with says the key that answers now")
            assert keeper.heard == []


async def test_an_invitation_is_for_one_key(sit_at: Any, tmp_path: Path) -> None:
    """The right one is not asked about, a wrong one refused."""
    async with keeping(tmp_path, open_door, known=False) as keeper:
        wrong = keeper.address._replace(pin="0000-0000-0000-0000-0000")
        async with sit_at(wrong, online=False) as alice:
            await alice.sees("you are invited to", "0000-0000-0000-0000-0000", keeper.short)
            assert keeper.heard == []
        async with sit_at(keeper.address._replace(pin=keeper.short)) as alice:
            await alice.sees("Message #general")


async def test_the_key_and_the_invitation_can_be_shown(
    sit_at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole line, to be copied."""
    monkeypatch.setattr("chat_tui.session.door._HERE", ())
    async with keeping(tmp_path, open_door) as keeper, sit_at(keeper.address) as alice:
        await alice.type("/key", "<enter>")
        line = f"chat-tui join chat://127.0.0.1:{keeper.port}/{keeper.short}"
        await alice.sees("The key of this server", line)
        await alice.type("y")
        await alice.sees("The line is copied")
        assert alice.app.clipboard == line


async def test_a_server_on_this_machine_says_how_others_reach_it(
    sit_at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner sits beside it: what they give to others leads there from elsewhere, too."""
    monkeypatch.setenv("CHAT_TUI_COMMAND", "python3 run.py chat-tui")
    outward = "192.0.2.7:7421"

    def answer(frame: Frame) -> Iterable[Frame]:
        yield from open_door(frame)
        if frame["type"] == "device":
            yield {"type": "device", "session": "0123456789abcdef0123456789abcdef"}

    async with keeping(tmp_path, answer, address=outward) as keeper, sit_at(keeper.address) as alice:
        line = f"join chat://{outward}/{keeper.short}"
        await alice.sees("Others join with", f"chat-tui {line}")
        assert alice.app.session.invitation("tick").endswith(f"{line}/tick")
        await alice.type("/key", "<enter>")
        await alice.sees("Others come in with", f"chat-tui {line}")
        await alice.type("<escape>", "/device", "<enter>")
        await alice.sees("On the other device run", f"python3 run.py chat-tui {line} --device")
        await alice.sees("0123-4567-89ab-cdef-0123-4567-89ab-cdef")


# Is it you?


async def test_an_account_is_asked_for_its_password(sit_at: Any, tmp_path: Path) -> None:
    """A wrong one is said where it was typed; the right one lets in, and nothing keeps it."""
    async with keeping(tmp_path, with_password("right")) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees("alice has an account here", "Esc another name")
        await alice.type("wrong", "<enter>")
        await alice.sees("Name and password do not fit.")
        assert "wrong" not in alice.screen()
        await alice.type("right")
        await alice.sees("❯ •••••")
        await alice.type("<enter>")
        await alice.sees("Message #general", "● 127.0.0.1")
        assert alice.app.session.client.account
        assert [hello.get("password", "") for hello in keeper.of("hello")] == ["", "wrong", "right"]
        kept = b"".join(path.read_bytes() for path in config.data_path().rglob("*") if path.is_file())
        assert b"right" not in kept


async def test_who_has_no_password_takes_another_name(sit_at: Any, tmp_path: Path) -> None:
    """Escape asks for it."""
    async with keeping(tmp_path, with_password("right")) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees("alice has an account here")
        await alice.type("<escape>")
        await alice.sees("What should people call you?")
        await alice.type("<ctrl+u>", "bob", "<enter>")
        await alice.sees("Message #general", "bob  you")


async def test_logging_in_that_is_given_up_lets_nobody_in_later(sit_at: Any, tmp_path: Path) -> None:
    """Escape while the server thinks: the question for a name comes, and one is only who one is called then."""

    def answer(frame: Frame) -> Iterable[Frame]:
        return () if frame.get("password") else with_password("right")(frame)

    async with keeping(tmp_path, answer) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees("alice has an account here")
        await alice.type("right", "<enter>")
        await alice.until(lambda: any(hello.get("password") for hello in keeper.of("hello")))
        await alice.type("<escape>")
        await alice.sees("What should people call you?")
        await alice.type("<ctrl+u>", "bob", "<enter>")
        await alice.sees("Message #general", "bob  you")
        assert not alice.app.session.client.account


async def test_who_waits_may_type_another_one(sit_at: Any, tmp_path: Path) -> None:
    """It takes the place of what stands there."""

    def answer(frame: Frame) -> Iterable[Frame]:
        if frame["type"] == "hello" and frame.get("password") == "wrong":
            yield error("rate_limited", "Too many tries.", wait_ms=500)
            return
        yield from with_password("right")(frame)

    async with keeping(tmp_path, answer) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees("alice has an account here")
        await alice.type("wrong", "<enter>")
        await alice.sees("Too many tries.")
        await alice.type("right")
        await alice.sees("Enter tries again.")
        await alice.type("<enter>")
        await alice.sees("Message #general")


async def test_what_is_refused_is_typed_anew_and_nothing_else(sit_at: Any, tmp_path: Path) -> None:
    """A wrong ticket leaves the passwords, a wrong old password the new ones; the cursor is where it was wrong."""

    def answer(frame: Frame) -> Iterable[Frame]:
        if frame["type"] == "register" and frame["ticket"] == "bad":
            yield error("bad_code", "This code is not good.")
        elif frame["type"] == "password" and frame["old"] == "wrong":
            yield error("login_failed", "That is not your password.")
        elif frame["type"] == "password":
            yield {"type": "ok"}
        elif frame["type"] == "register":
            yield {"type": "account", "user": 1, "name": "alice", "session": "t" * 32}
        else:
            yield from open_door(frame)

    async with keeping(tmp_path, answer, sign_up="invite") as keeper, sit_at(keeper.address) as alice:
        await alice.type("/register", "<enter>")
        await alice.sees("An account for you")
        await alice.type("long enough", "<enter>", "long enough", "<enter>", "bad", "<enter>")
        await alice.sees("This ticket is not good")
        await alice.type("good", "<enter>")
        await alice.sees("The name alice is yours now")
        assert [(frame["password"], frame["ticket"]) for frame in keeper.of("register")] == [
            ("long enough", "bad"),
            ("long enough", "good"),
        ]
        await alice.type("/password", "<enter>")
        await alice.sees("Another password")
        await alice.type("wrong", "<enter>", "<enter>")
        await alice.sees("A new one is missing.")
        await alice.type("quite long", "<enter>", "quite long", "<enter>")
        await alice.sees("That is not your password.")
        await alice.type("old one", "<enter>")
        await alice.sees("Your password is another one now.")
        assert keeper.of("password")[1]["old"] == "old one"
        assert keeper.of("password")[1]["new"] == "quite long"


async def test_a_wrong_password_to_erase_oneself_stays_unseen(sit_at: Any, tmp_path: Path) -> None:
    """It is typed anew where it stood, not where everything can be read."""

    def answer(frame: Frame) -> Iterable[Frame]:
        if frame["type"] == "hello":
            yield WELCOME | {"name": frame["name"], "account": True}
            yield {"type": "roster", "room": "general", "names": [frame["name"]], "users": [1]}
        elif frame["type"] == "erase":
            yield error("login_failed", "That is not your password.")

    async with keeping(tmp_path, answer) as keeper, sit_at(keeper.address) as alice:
        await alice.type("/erase", "<enter>")
        await alice.sees("Erase yourself")
        await alice.type("alice", "<enter>", "wrong", "<enter>")
        await alice.sees("That is not your password.", "❯ alice")
        await alice.type("s3cret")
        await alice.sees("••••••")
        assert "s3cret" not in alice.screen()


async def test_who_is_logged_in_is_asked_before_another_logs_in(sit_at: Any, tmp_path: Path) -> None:
    """Escape stays; what follows the command is kept nowhere, and what is no name leads nowhere."""

    def answer(frame: Frame) -> Iterable[Frame]:
        if frame["type"] == "hello":
            yield WELCOME | {"name": frame["name"], "account": True}
            yield {"type": "roster", "room": "general", "names": [frame["name"]], "users": [1]}

    async with keeping(tmp_path, answer) as keeper, sit_at(keeper.address) as alice:
        await alice.type("/login hunter2s3cret", "<enter>")
        await alice.sees("Log in as hunter2s3cret?", "alice stays logged in")
        await alice.type("<escape>", "/login two words", "<enter>")
        await alice.sees("the password is asked for unseen")
        await alice.type("<up>")
        assert alice.app.room.writer.composer.text == ""
        assert alice.app.again is None
        kept = b"".join(path.read_bytes() for path in config.data_path().rglob("*") if path.is_file())
        assert b"hunter2" not in kept
        await alice.type("/login bob", "<enter>")
        await alice.sees("Log in as bob?")
        await alice.type("y")
        await alice.until(lambda: alice.app.return_code is not None)
        again = alice.app.again
        assert again is not None
        assert (again.name, again.log_in, again.back) == ("bob", True, "alice")


async def test_a_password_that_is_too_short_is_said_before_it_is_typed_again(sit_at: Any, tmp_path: Path) -> None:
    """Enter goes on only from what is right; nothing is sent."""
    async with keeping(tmp_path, open_door) as keeper, sit_at(keeper.address) as alice:
        await alice.type("/register", "<enter>")
        await alice.sees("An account for you", "Enter registers")
        await alice.type("short", "<enter>")
        await alice.sees("It needs at least 8 characters.")
        await alice.type("er than that", "<enter>", "shorter than that", "<enter>")
        await alice.until(lambda: keeper.of("register"))
        assert [frame["password"] for frame in keeper.of("register")] == ["shorter than that"]


async def test_nobody_gets_an_account_or_logs_out_without_a_connection(sit_at: Any, tmp_path: Path) -> None:
    """It says so, and coming back goes on by itself."""
    async with keeping(tmp_path, open_door) as keeper, sit_at(keeper.address) as alice:
        session = alice.app.session
        await session.client.close()
        with pytest.raises(NotConnected, match="needs a connection"):
            await session.register("long enough")
        with pytest.raises(NotConnected, match="needs a connection"):
            await session.logout()
        for _ in range(2):
            session.hurry()
            await alice.until(lambda: session.link.phase is Phase.ONLINE)
            await session.client.close()
            await alice.until(lambda: session.link.phase is not Phase.ONLINE)
        assert not keeper.of("register") + keeper.of("end")


async def test_too_many_tries_are_waited_out(sit_at: Any, tmp_path: Path) -> None:
    """What was typed stays, and is sent when the time is over."""
    tries: list[str] = []

    def answer(frame: Frame) -> Iterable[Frame]:
        if frame["type"] == "hello" and frame.get("password"):
            tries.append(frame["password"])
            if len(tries) == 1:
                yield error("rate_limited", "Too many tries. Again in 2 s.", wait_ms=1900)
                return
        yield from with_password("right")(frame)

    async with keeping(tmp_path, answer) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees("alice has an account here")
        await alice.type("right", "<enter>")
        await alice.until(lambda: re.search(r"Too many tries\. Again in [12] s\.", alice.screen()))
        assert "2 s. Again" not in alice.screen()
        await alice.type("<enter>")
        assert tries == ["right"]
        await alice.sees("Enter tries again.")
        await alice.type("<enter>")
        await alice.sees("Message #general")


async def test_where_no_guests_are_taken_one_gets_an_account(sit_at: Any, tmp_path: Path) -> None:
    """Before anything else: the name, a password twice, and one is in."""
    door = with_password("a long password", guests=False)
    async with keeping(tmp_path, door, guests=False) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees("Only who has an account comes in here", "Ctrl+R gets an account")
        await alice.type("<ctrl+r>")
        await alice.sees("The name alice will be yours")
        await alice.type("a long password", "<tab>", "another", "<enter>")
        await alice.sees("The two are not the same")
        assert "•" not in alice.screen()  # nobody knows which of the two was mistyped
        await alice.type("a long password", "<enter>", "a long password", "<enter>")
        await alice.sees("Message #general", "The name alice is yours now")
        assert [frame["password"] for frame in keeper.of("register")] == ["a long password"]


async def test_a_ticket_leads_past_a_door_that_lets_no_guests_in(sit_at: Any, tmp_path: Path) -> None:
    """An account is what is asked for first; who has one already logs in."""
    door = with_password("a long password", guests=False)
    async with keeping(tmp_path, door, guests=False, sign_up="invite") as keeper:
        invited = keeper.address._replace(ticket="one-time")
        async with sit_at(invited, online=False) as alice:
            await alice.sees("You are invited", "The ticket you were given", "Ctrl+R logs in")
            await alice.type("<ctrl+r>")
            await alice.sees("Only who has an account", "Ctrl+R gets an account")
            await alice.type("<ctrl+r>")
            await alice.sees("You are invited")
            await alice.type("a long password", "<enter>", "a long password", "<enter>")
            await alice.sees("Message #general")
            assert keeper.of("register")[0]["ticket"] == "one-time"


async def test_where_there_are_no_new_accounts_that_is_said(sit_at: Any, tmp_path: Path) -> None:
    """Nobody looks for how to get one."""
    door = with_password("right", guests=False)
    async with (
        keeping(tmp_path, door, guests=False, sign_up="closed") as keeper,
        sit_at(keeper.address._replace(ticket="one-time"), online=False) as alice,
    ):
        await alice.sees("and no new ones", "Password")
        assert "Ctrl+R" not in alice.screen()


async def test_a_ticket_offers_an_account(sit_at: Any, tmp_path: Path) -> None:
    """Who comes by an invitation with a ticket has only to choose a password."""
    async with (
        keeping(tmp_path, open_door, sign_up="invite") as keeper,
        sit_at(keeper.address._replace(ticket="one-time")) as alice,
    ):
        await alice.sees("An account for you", "The ticket you were given", "••••••••")
        await alice.type("long enough", "<tab>", "long enough", "<enter>")
        await alice.until(lambda: keeper.of("register"))
        assert keeper.of("register")[0]["ticket"] == "one-time"


async def test_secrets_are_never_typed_where_messages_are(sit_at: Any, tmp_path: Path) -> None:
    """What follows such a command is not taken, not sent and not kept; it is asked for unseen."""
    async with keeping(tmp_path, open_door) as keeper, sit_at(keeper.address) as alice:
        await alice.type("/register tops3cret", "<enter>")
        await alice.sees("An account for you", "was not taken")
        assert "tops3cret" not in alice.screen()
        assert "tops3cret" not in json.dumps(keeper.heard)
        await alice.type("<escape>", "hello", "<enter>", "<up>")
        await alice.sees("❯ hello")
        await alice.type("<up>", "<up>")
        await alice.until(lambda: "tops3cret" not in alice.screen())
        assert alice.app.room.writer.composer.text == "hello"
        kept = b"".join(path.read_bytes() for path in config.data_path().rglob("*") if path.is_file())
        assert b"tops3" not in kept


@pytest.mark.parametrize(
    ("code", "words", "next_key"),
    [
        ("kicked", "F5 comes in again.", "<f5>"),
        ("session_ended", "Enter logs in again", "<enter>"),
        ("erased", "Esc leaves", "<escape>"),
    ],
)
async def test_who_is_put_out_reads_why_and_what_to_do(
    sit_at: Any, tmp_path: Path, code: str, words: str, next_key: str
) -> None:
    """Put out one may come back; logged out one logs in again, and nothing is left to read."""
    came: list[Frame] = []

    def answer(frame: Frame) -> Iterable[Frame]:
        yield from open_door(frame)
        if frame["type"] == "hello":
            came.append(frame)
        if frame["type"] == "hello" and len(came) == 1:
            yield error(code, "bob did it: enough.")

    async with keeping(tmp_path, answer) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees("alice was logged out here" if code == "session_ended" else "bob did it: enough.", words)
        await alice.type(next_key)
        if code == "kicked":
            await alice.sees("● 127.0.0.1")
            assert alice.app.session.link.phase is Phase.ONLINE
        else:
            await alice.until(lambda: alice.app.return_code is not None)
            assert (alice.app.again is not None) == (code == "session_ended")


@pytest.mark.parametrize(("seconds", "offered"), [(0.3, True), (3600, False), (None, False)])
async def test_who_is_banned_may_come_in_again_once_that_ends(
    sit_at: Any, tmp_path: Path, seconds: float | None, offered: bool
) -> None:
    """Until then nothing says that trying helps; the time is that of who reads."""
    ends = datetime.now(UTC) + timedelta(seconds=seconds or 0)
    until = {} if seconds is None else {"until": ends.isoformat().replace("+00:00", "Z")}
    said = "for good." if seconds is None else f"until {ends:%Y-%m-%d %H:%M} UTC."

    def answer(frame: Frame) -> Iterable[Frame]:
        if frame["type"] == "hello":
            yield error("banned", f"You are banned {said}", **until)

    async with keeping(tmp_path, answer) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees("You are banned")
        assert "UTC" not in alice.screen()
        assert seconds is None or f"{ends.astimezone():%H:%M}" in alice.screen()
        if offered:
            await alice.sees("F5 comes in again.", "F5 try again")
        else:
            assert "F5" not in alice.screen()


async def test_a_line_that_is_nothing_but_a_secret_is_asked_about(sit_at: Any, tmp_path: Path) -> None:
    """Enter once more says it; it is no draft meanwhile. The server's own key is no secret."""
    code = "0123-4567-89ab-cdef-0123"
    async with keeping(tmp_path, open_door) as keeper, sit_at(keeper.address) as alice:
        await alice.type(code, "<enter>")
        await alice.sees("This is a code or a ticket, and everyone here would read it.")
        assert alice.app.session.draft("general") == ""
        assert not keeper.of("send")
        await alice.type("<enter>")
        await alice.until(lambda: keeper.of("send"))
        await alice.type(keeper.short, "<enter>")
        await alice.until(lambda: len(keeper.of("send")) == 2)
        await alice.type("  /register tops3cret", "<enter>")
        await alice.sees("An account for you", "was not taken")
        assert len(keeper.of("send")) == 2


async def test_who_is_asked_for_a_password_sees_that_the_server_is_gone(sit_at: Any, tmp_path: Path) -> None:
    """Nothing waits any more; what is typed connects anew."""
    door = with_password("right")
    async with keeping(tmp_path, door) as keeper, sit_at(keeper.address, online=False) as alice:
        await alice.sees("alice has an account here", "waiting for you to log in")
        await alice.app.session.client.close()
        await alice.sees("not connected · logging in connects")
        assert "waiting for you" not in alice.screen()
        await alice.type("right", "<enter>")
        await alice.sees("Message #general")


async def test_devices_of_one_name_are_told_apart(sit_at: Any, tmp_path: Path) -> None:
    """Which of them ends is said; a code is no device."""
    since = {"since": "2026-11-20T09:00:00.000Z", "used": "2026-11-20T09:00:00.000Z"}
    desks = [
        {"id": 3, "waiting": True, **since},
        {"id": 2, "device": "chat-tui ann@vm", **since},
        {"id": 1, "device": "chat-tui ann@vm", "current": True, **since},
    ]

    def answer(frame: Frame) -> Iterable[Frame]:
        yield from open_door(frame)
        if frame["type"] == "devices":
            yield {"type": "devices", "devices": desks}
        elif frame["type"] == "end":
            yield {"type": "ok"}

    async with keeping(tmp_path, answer) as keeper, sit_at(keeper.address) as alice:
        assert re.fullmatch(r"chat-tui( \S+@| )\S+", alice.app.session.client.device_name)
        await alice.type("/devices", "<enter>")
        await alice.sees("chat-tui ann@vm  this one", "chat-tui ann@vm (2)", "A code that is not used yet")
        await alice.type("<enter>", "y")
        await alice.sees("The code is withdrawn.")
        await alice.type("<down>", "<enter>")
        await alice.sees("Log chat-tui ann@vm (2) out?")
        await alice.type("y")
        await alice.sees("chat-tui ann@vm (2) is logged out.")
