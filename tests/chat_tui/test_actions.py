"""The table of actions: complete, and free of conflicts."""

import re
from collections import Counter
from inspect import signature

from chat_tui.actions import ACTIONS, Where, key_text, of
from chat_tui.app import ChatApp
from chat_tui.commands import COMMANDS
from chat_tui.screens.chat import ChatScreen
from chat_tui.screens.help import columns
from chat_tui.state.editor import Editor
from chat_tui.widgets.composer import Composer
from chat_tui.widgets.log import MessageLog

READLINE = {f"ctrl+{key}" for key in "abdefhklnptuwy"} | {"alt+b", "alt+d", "alt+f", "alt+backspace", "ctrl+underscore"}


def test_ids_are_unique_and_keys_mean_one_thing_in_one_place() -> None:
    """The composer leaves four to the chat while it has nothing to do with them. A message has a place of its own."""
    assert max(Counter(action.id for action in ACTIONS).values()) == 1
    for where in Where:
        assert max(Counter(key for action in of(where) for key in action.keys).values()) == 1
    writing = {key for action in of(Where.WRITING) for key in action.keys}
    others = {key for where in (Where.APP, Where.CHAT) for action in of(where) for key in action.keys}
    assert writing & others == {"home", "end", "ctrl+f", "shift+tab"}


def test_no_shortcut_takes_a_key_of_readline() -> None:
    """They edit. Ctrl+L draws the screen anew in readline, too; Ctrl+F searches where it can't move on."""
    for action in ACTIONS:
        if action.where is not Where.WRITING:
            assert not (READLINE - {"ctrl+l", "ctrl+f"}) & set(action.keys), action.id


def test_every_action_can_be_done() -> None:
    """Each names a method of who does it."""
    for action in ACTIONS:
        name = action.action.partition("(")[0]
        match action.where:
            case Where.WRITING:
                assert hasattr(Editor, name) or hasattr(Composer, f"_do_{name}"), action.id
            case _ if name.startswith("app.") or action.where is Where.APP:
                assert hasattr(ChatApp, f"action_{name.removeprefix('app.')}"), action.id
            case Where.MESSAGE:
                assert hasattr(MessageLog, f"action_{name}"), action.id
            case _:
                assert hasattr(ChatScreen, f"action_{name}"), action.id


def test_the_help_has_every_action_and_its_key() -> None:
    """It is made from the table, and has one place for each group. What some keys do another line says."""
    page = columns(1, 200)[0].plain
    for action in ACTIONS:
        if action.group and action.keys:
            assert action.text in page
            assert (action.shown or key_text(action.keys[0])) in page
    for command in COMMANDS:
        assert f"/{command.name}" in page
    lines = page.split("\n")
    assert all(lines.count(group) == 1 for group in {action.group for action in ACTIONS if action.group})


def test_the_help_is_about_one_page() -> None:
    """In the terminal that most people have, for who moderates nothing."""
    offered = [command for command in COMMANDS if command.least == "guest"]
    assert max(len(column.plain.split("\n")) for column in columns(2, 54, offered)) <= 45


def test_every_command_can_be_run() -> None:
    """Each has a method that takes its arguments; two are messages."""
    for command in COMMANDS:
        if command.name not in ("say", "me"):
            method = getattr(ChatApp, f"command_{command.name}")
            assert len(signature(method).parameters) == 1 + len(command.args), command.name


def test_what_is_done_with_a_message_can_be_done() -> None:
    """By the name that the key says."""
    for action in of(Where.MESSAGE):
        what = re.fullmatch(r"act\('(\w+)'\)", action.action)
        assert what is None or hasattr(ChatApp, f"_do_{what[1]}"), action.id
