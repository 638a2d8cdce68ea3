"""What a line of input means."""

import pytest

from chat_tui.commands import COMMANDS, Call, Complaint, Say, read, suggest


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("hello", Say("hello")),
        ("  indented", Say("  indented")),
        ("//x", Say("/x")),
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
    ("line", "action", "argument"),
    [
        ("exit", "quit", ""),
        (" exit ", "quit", ""),
        ("/quit", "quit", ""),
        ("/nick  bo ", "nick", "bo"),
        ("/who", "who", ""),
    ],
)
def test_what_is_run(line: str, action: str, argument: str) -> None:
    """Commands with what follows them."""
    asked = read(line)
    assert isinstance(asked, Call)
    assert (asked.command.action, asked.argument) == (action, argument)


def test_an_unknown_command_is_never_sent_and_the_nearest_is_named() -> None:
    """A slip of the finger is not shown to everyone."""
    asked = read("/hlep")
    assert isinstance(asked, Complaint)
    assert "Did you mean /help?" in asked.text
    for line in ("/", "/ x", "/etc/passwd is readable", "/qqqqq"):
        assert isinstance(read(line), Complaint), line


def test_a_command_without_its_argument_says_what_is_missing() -> None:
    """/me alone says nothing to anyone."""
    asked = read("/me")
    assert isinstance(asked, Complaint)
    assert "/me what you do" in asked.text


def test_commands_are_suggested_while_their_name_is_written() -> None:
    """No longer once something follows it."""
    assert suggest("/") == list(COMMANDS)
    assert [command.name for command in suggest("/n")] == ["nick"]
    assert suggest("/n ") == suggest("//") == suggest("x") == []
    assert all(len(command.short) <= 24 for command in COMMANDS)
