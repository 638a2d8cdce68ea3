"""The table of actions: complete, and free of conflicts."""

from collections import Counter

from chat_tui.actions import ACTIONS, Where, key_text, of
from chat_tui.app import ChatApp
from chat_tui.screens.chat import ChatScreen
from chat_tui.screens.help import help_text
from chat_tui.state.editor import Editor
from chat_tui.widgets.composer import Composer

READLINE = {f"ctrl+{key}" for key in "abdefhklnptuwy"} | {"alt+b", "alt+d", "alt+f", "alt+backspace", "ctrl+underscore"}


def test_ids_are_unique_and_keys_mean_one_thing_in_one_place() -> None:
    """Home and End alone are shared: the log has them while the input is empty."""
    assert max(Counter(action.id for action in ACTIONS).values()) == 1
    for where in Where:
        assert max(Counter(key for action in of(where) for key in action.keys).values()) == 1
    writing = {key for action in of(Where.WRITING) for key in action.keys}
    others = {key for action in ACTIONS if action.where is not Where.WRITING for key in action.keys}
    assert writing & others == {"home", "end"}


def test_no_shortcut_takes_a_key_of_readline() -> None:
    """They edit, wherever else shortcuts are; Ctrl+L draws the screen anew in readline, too."""
    for action in ACTIONS:
        if action.where is not Where.WRITING:
            assert not READLINE - {"ctrl+l"} & set(action.keys), action.id


def test_every_action_can_be_done() -> None:
    """Each names a method of who does it."""
    for action in ACTIONS:
        name = action.action.partition("(")[0]
        match action.where:
            case Where.WRITING:
                assert hasattr(Editor, name) or hasattr(Composer, f"_do_{name}"), action.id
            case _ if name.startswith("app.") or action.where is Where.APP:
                assert hasattr(ChatApp, f"action_{name.removeprefix('app.')}"), action.id
            case _:
                assert hasattr(ChatScreen, f"action_{name}"), action.id


def test_the_help_has_every_action_and_its_key() -> None:
    """It is made from the table."""
    page = help_text().plain
    for action in ACTIONS:
        assert action.text in page
        assert key_text(action.keys[0]) in page
