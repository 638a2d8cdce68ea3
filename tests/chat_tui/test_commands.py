"""What a line of input means."""

import pytest

from chat_tui.actions import BY_ID
from chat_tui.commands import BY_NAME, COMMANDS, Call, Complaint, Say, read, suggest, tells_secret, typing, written


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("hello", Say("hello")),
        ("  indented", Say("  indented")),
        ("//x", Say("/x")),
        (" //x", Say(" /x")),
        ("/say exit", Say("exit")),
        ("/say /help", Say("/help")),
        ("/me waves", Say("waves", me=True)),
        ("/ME waves\ntwice", Say("waves\ntwice", me=True)),
        ("exit now", Say("exit now")),
        ("", None),
        (" \n", None),
    ],
)
def test_what_is_said(line: str, meaning: Say | None) -> None:
    """Text to send, as it is sent."""
    assert read(line) == meaning


@pytest.mark.parametrize(
    ("line", "name", "values"),
    [
        ("exit", "quit", ()),
        (" exit ", "quit", ()),
        ("/quit", "quit", ()),
        ("  /quit", "quit", ()),
        ("/nick  bo ", "nick", ("bo",)),
        ("/who", "who", ()),
        ("/join #dev", "join", ("dev",)),
        ("/go release plans", "go", ("release plans",)),
        ("/room dev", "go", ("dev",)),
        ("/leave", "leave", ("",)),
        ("/make plans", "make", ("plans", "", "")),
        ("/make plans private", "make", ("plans", "private", "")),
        ("/make plans Private who does what", "make", ("plans", "private", "who does what")),
        ("/make party p is for pizza", "make", ("party", "", "p is for pizza")),
        ("/make party p", "make", ("party", "", "p")),
        ("/invite @bob", "invite", ("bob", "")),
        ("/invite bob release plans", "invite", ("bob", "release plans")),
        ("/msg bob", "msg", ("bob", "")),
        ("/msg @bob, carol hello you two", "msg", ("bob,carol", "hello you two")),
        ("/react :+1:", "react", ("thumbsup",)),
        ("/notify MENTIONS", "notify", ("mentions",)),
        ("/reply two\nlines", "reply", ("two\nlines",)),
        ("/ban @bob", "ban", ("bob", "", "")),
        ("/ban bob 2h spam, again", "ban", ("bob", "7200", "spam, again")),
        ("/ban bob 10 times spam", "ban", ("bob", "", "10 times spam")),
        ("/ban bob 2hours spam", "ban", ("bob", "7200", "spam")),
        ("/ban bob forever tomorrow, too", "ban", ("bob", "", "tomorrow, too")),
        ("/ban 203.0.113.0/24 1d", "ban", ("203.0.113.0/24", "86400", "")),
        ("/role bob Admin", "role", ("bob", "admin")),
        ("/role bob", "role", ("bob", "")),
        ("/slow 30", "slow", ("30",)),
        ("/slow 1m", "slow", ("60",)),
        ("/slow OFF", "slow", ("0",)),
    ],
)
def test_what_is_run(line: str, name: str, values: tuple[str, ...]) -> None:
    """Commands with their arguments, as the acts take them."""
    asked = read(line)
    assert isinstance(asked, Call)
    assert (asked.command.name, asked.values) == (name, values)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/hlep", "Did you mean /help?"),
        ("/", "no command"),
        ("/ x", "no command"),
        ("/etc/passwd is readable", "no command"),
        ("/qqqqq", "F1 shows all"),
        ("/me", "/me what you do"),
        ("/make", "/make name [private] [topic]"),
        ("/who bob", "takes nothing"),
        ("/notify loud", "none of all, mentions, none"),
        ("/react heartt", "no emoji"),
        ("/slow soon", "soon is no time"),
        ("/ban bob tomorrow", "tomorrow is no time: 10m, 2h, 7d or forever is"),
        ("/silence bob 2 months caps", "2 is no time"),
        ("/ban bob 10", "10 is no time"),
        ("/ban bob for a week", "for is no time"),
        ("/role bob king", "none of member"),
        ("/react hear", "Did you mean heart"),
    ],
)
def test_what_can_not_be_run_is_never_sent_and_says_why(line: str, why: str) -> None:
    """A slip of the finger is not shown to everyone; the nearest is named, and what is missing."""
    asked = read(line)
    assert isinstance(asked, Complaint)
    assert why in asked.text


@pytest.mark.parametrize("text", ["x", "/x", " /x", "//x", "\n /x", "exit"])
def test_what_was_said_can_be_said_again(text: str) -> None:
    """Whatever it starts with."""
    assert read(written(text)) == Say(text)


def test_commands_are_suggested_while_their_name_is_written() -> None:
    """By any of their names, and no longer once something follows it."""
    assert suggest("/") == list(COMMANDS)
    assert [command.name for command in suggest("/ni")] == ["nick"]
    assert [command.name for command in suggest("/dm")] == ["msg"]
    assert suggest("/n ") == suggest("//") == suggest("x") == []


def test_commands_are_suggested_to_who_may_run_them() -> None:
    """Those of moderators to nobody else; typed anyway they are understood, and refused."""
    offered = suggest("/", lambda command: command.least == "guest")
    assert BY_NAME["report"] in offered
    assert BY_NAME["kick"] not in offered
    assert isinstance(read("/kick bob"), Call)


def test_the_table_is_whole() -> None:
    """Names mean one thing, and every text fits where it is shown."""
    assert len(BY_NAME) == sum(1 + len(command.also) for command in COMMANDS)
    for command in COMMANDS:
        assert len(command.short) <= 24
        assert command.help[0].islower()
        assert not command.same or command.same in BY_ID
        assert not any(arg.needed for arg in command.args[1:]), "what is needed comes first"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/make ", "name"),
        ("/make x", "name"),
        ("/make x ", "private"),
        ("/make x pri", "private"),
        ("/make x y", "topic"),
        ("/msg bob, ", "name, name"),
        ("/msg bob hi", "text"),
        ("/invite bob ", "room"),
        ("/who ", None),
        ("/ban bob ", "time"),
        ("/ban bob 1", "time"),
        ("/ban bob 10m ", "reason"),
        ("/ban bob sp", "reason"),
    ],
)
def test_which_argument_is_being_typed(line: str, hint: str | None) -> None:
    """By what stands before the cursor."""
    where = typing(line, len(line))
    assert where is not None
    assert (where.arg.hint if where.arg else None) == hint


def test_no_argument_is_being_typed_elsewhere() -> None:
    """In the name, in a message, after a command that is none."""
    for line in ("/ma", "//make x", "make x", "/etc/passwd x", ""):
        assert typing(line, len(line)) is None


@pytest.mark.parametrize("name", ["claim", "register", "password"])
def test_what_is_asked_for_unseen_is_not_taken_from_the_line(name: str) -> None:
    """The command runs all the same, and is told that something was typed; a line that holds it is kept nowhere."""
    assert read(f"/{name}") == Call(BY_NAME[name], ("",))
    assert read(f"/{name} s3cret") == Call(BY_NAME[name], ("typed",))
    assert BY_NAME[name].usage == f"/{name}"
    assert tells_secret(f"/{name} s")
    assert tells_secret(f"/{name.upper()}  s3cret and more")
    assert not tells_secret(f"/{name} ")
    assert not tells_secret(f"//{name} s3cret")
    assert not tells_secret(f"{name} s3cret")
