"""Pictures of the main states: whatever changes how they look shows here.

`python3 run.py pytest tests/chat_tui/test_pictures.py --snapshot-update` takes a change in; look at the pictures first.
"""

import time

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from chat_tui.app import ChatApp
from chat_tui.state.chat import Changed
from chat_tui.state.link import Address, Link, Phase
from server.protocol import frames

NINE = 1_795_251_600.0
"""2026-11-21 09:00:00 UTC."""


class Svg(SingleFileSnapshotExtension):
    """One SVG file a picture."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> ChatApp:
    """The program at nine in the morning, in UTC, without a server: it shows what the test gives it."""
    monkeypatch.setattr(ChatApp, "_start", lambda _app: None)
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()
    app = ChatApp(Address("chat.lab.example", 7373), "alice")
    app.chat.clock = lambda: NINE + 900
    return app


def talk(app: ChatApp) -> None:
    """Let a morning pass."""
    chat = app.chat
    chat.apply(frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=0, rooms=["general"]))
    chat.apply(frames.Roster(room="general", names=["alice", "bob", "carol", "李雷"]))
    said = [
        (-60_000, 2, "bob", "see you tomorrow", False),
        (0, 2, "bob", "good morning, everyone", False),
        (20, 2, "bob", "the nightly is green again, after a week of looking at logs that nobody had written", False),
        (70, 3, "carol", "nice. who merged the fix? see https://ci.lab.example/77", False),
        (300, 4, "李雷", "早上好，大家今天都好吗？ 🎉", False),
        (400, 1, "alice", "I did, at last\nnotes:\n  - tag after lunch\n  - \x1b[31m[red]not red[/]", False),
        (420, 3, "carol", "claps", True),
        (600, 2, "bob", "@alice please check the tag", False),
    ]
    for seq, (after, user, sender, text, me) in enumerate(said, 1):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(NINE + after))
        chat.apply(
            frames.Message(seq=seq, room="general", user=user, sender=sender, time=stamp, text=text, me=me, id=seq)
        )
    chat.apply(frames.Joined(room="general", names=["dave"]))
    timeline = chat.current.timeline
    timeline.pend(100, "checking", NINE + 900)
    timeline.pend(101, "this one was too long", NINE + 900)
    timeline.fail(101, "This text is too long: more than 16 KiB. Send it in parts.")
    app.session._set(Link(Phase.ONLINE, ("● chat.lab.example:7373", "●")))
    app.room.changed(~Changed.NOTHING)


@pytest.mark.parametrize(
    ("size", "theme"),
    [((120, 36), "chat-dark"), ((80, 24), "chat-light"), ((40, 12), "chat-dark"), ((80, 24), "ansi-dark")],
)
async def test_a_room(still: ChatApp, snapshot: SnapshotAssertion, size: tuple[int, int], theme: str) -> None:
    """A conversation with all that can stand in it."""
    async with still.run_test(size=size) as pilot:
        still.theme = theme
        talk(still)
        await pilot.pause()
        await pilot.pause()
        assert still.export_screenshot() == snapshot(extension_class=Svg)


async def test_the_help(still: ChatApp, snapshot: SnapshotAssertion) -> None:
    """Every key and command."""
    async with still.run_test(size=(100, 40)) as pilot:
        talk(still)
        await pilot.press("f1")
        await pilot.pause()
        assert still.export_screenshot() == snapshot(extension_class=Svg)


async def test_a_name_is_taken(still: ChatApp, snapshot: SnapshotAssertion) -> None:
    """The question for another one."""
    async with still.run_test(size=(80, 24)) as pilot:
        still.session._set(Link(Phase.NAME, ("◌ waiting for a name", "◌"), "alice is taken here. Pick another name."))
        await pilot.pause()
        await pilot.pause()
        assert still.export_screenshot() == snapshot(extension_class=Svg)


async def test_no_connection(still: ChatApp, snapshot: SnapshotAssertion) -> None:
    """What happened, and what to press."""
    async with still.run_test(size=(80, 24)) as pilot:
        talk(still)
        words = ("✗ not connected · F5 tries again", "✗ not connected", "✗")
        still.session._set(Link(Phase.OFFLINE, words, "Nothing listens at chat.lab.example:7373."))
        await pilot.pause()
        await pilot.pause()
        assert still.export_screenshot() == snapshot(extension_class=Svg)
