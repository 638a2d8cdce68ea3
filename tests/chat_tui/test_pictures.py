"""Pictures of the main states: whatever changes how they look shows here.

`python3 run.py pytest tests/chat_tui/test_pictures.py --snapshot-update` takes a change in; look at the pictures first.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot

from chat_tui.app import ChatApp
from chat_tui.errors import ClientError, KeyChanged, NotEncrypted, NotVouchedFor, Refused, Untrusted, WrongPin
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
def still(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatApp]:
    """The program at nine in the morning, in UTC, without a server: it shows what the test gives it."""
    monkeypatch.setattr(ChatApp, "_start", lambda _app: None)
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()
    app = ChatApp(Address("chat.lab.example", 7373), "alice")
    app.chat.clock = lambda: NINE + 900
    yield app
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


def talk(app: ChatApp) -> None:
    """Let a morning pass."""
    chat = app.chat
    chat.apply(frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=0, rooms=["general"]))
    chat.apply(frames.Roster(room="general", names=["alice", "bob", "carol", "李雷"]))
    lines = [
        (-60_000, 2, "bob", "see you tomorrow", False),
        (0, 2, "bob", "good morning, everyone", False),
        (20, 2, "bob", "the nightly is green again, after a week of looking at logs that nobody had written", False),
        (70, 3, "carol", "nice. who merged the fix? see https://ci.lab.example/77", False),
        (300, 4, "李雷", "早上好，大家今天都好吗？ 🎉", False),
        (400, 1, "alice", "I did, at last\nnotes:\n  - tag after lunch\n  - \x1b[31m[red]not red[/]", False),
        (420, 3, "carol", "claps", True),
        (600, 2, "bob", "@alice please check the tag", False),
    ]
    for seq, (after, user, sender, text, me) in enumerate(lines, 1):
        chat.apply(
            frames.Message(
                seq=seq, room="general", user=user, sender=sender, time=stamp(after), text=text, me=me, id=seq
            )
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
        problem = "Nothing listens at chat.lab.example:7373."
        still.session._set(Link(Phase.OFFLINE, words, problem, "F5 tries again."))
        await pilot.pause()
        await pilot.pause()
        assert still.export_screenshot() == snapshot(extension_class=Svg)


# A morning in several rooms.


def stamp(after: float) -> str:
    """A time of the wire, in seconds after nine."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(NINE + after))


def said(
    seq: int, user: int, sender: str, text: str, after: float, room: str = "general", **more: Any
) -> frames.Message:
    """A message."""
    return frames.Message(seq=seq, room=room, user=user, sender=sender, text=text, time=stamp(after), **more)


def rooms(app: ChatApp) -> None:
    """Be in rooms of all kinds."""
    chat, info = app.chat, frames.RoomInfo
    mine = ["general", "dev", "plans", "d1", "d2", "d3", "noise", "old", "kitchen"]
    chat.apply(frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=0, rooms=mine))
    direct = [[(1, "alice"), (user, name)] for user, name in ((2, "bob"), (3, "carol"), (5, "dave"))]
    known = [
        info(room="general", title="general", topic="everything that concerns all of us", last=57, read=57),
        info(room="dev", title="dev", topic="release 2.0 on Friday", last=55, count=3, mentions=1, read=20, members=7),
        info(room="plans", title="plans of the release", kind="private", last=54, count=12, read=10, favourite=True),
        info(room="d1", title="", kind="direct", people=direct[0], last=56, count=2, mentions=2, read=50),
        info(room="d2", title="", kind="direct", people=direct[1], last=40, read=50),
        info(room="d3", title="", kind="direct", people=direct[2], last=39, read=50),
        info(room="noise", title="noise", last=53, count=400, muted=True, read=3),
        info(room="old", title="old", archived=True, last=4, read=4),
        info(room="board", title="board", kind="private", member=False, invited_by="carol", members=3),
        info(room="kitchen", title="kitchen", last=30, read=30),
    ]
    chat.apply(frames.Rooms(rooms=known, as_of=57))
    away = {"carol": "lunch"}
    chat.apply(frames.Roster(room="general", names=["alice", "bob", "carol", "李雷"], users=[1, 2, 3, 4], away=away))
    chat.apply(frames.Roster(room="d1", names=["alice", "bob"], users=[1, 2]))
    chat.apply(frames.Roster(room="d2", names=["alice", "carol"], users=[1, 3], away=away))
    for message in (
        said(50, 2, "bob", "see you tomorrow", -60_000),
        said(51, 2, "bob", "good morning, everyone", 0, reactions={"wave": [1, 3]}, rev=90),
        said(52, 3, "carol", "nice. who merged the fix?", 70, replies=1, rev=91),
        said(53, 4, "李雷", "早上好，大家今天都好吗？ 🎉", 300, pinned=True, rev=92),
        said(54, 1, "alice", "I did, at last", 400, reply=52, thread=52, edited=True, rev=93),
        said(55, 3, "carol", "claps", 420, me=True),
        said(57, 2, "bob", "@alice please check the tag", 600, mentions=[1]),
    ):
        chat.apply(message)
    chat.apply(frames.Typing(room="general", names=["bob"]))
    app.session._set(Link(Phase.ONLINE, ("● chat.lab.example:7373", "●")))
    app.room.changed(~Changed.NOTHING)


async def found(_: frames.Search) -> frames.Found:
    """What a search brings."""
    long = "green means go: " + "the long story of how the nightly build was repaired, told in one breath " * 3
    messages = [
        said(57, 2, "bob", "the nightly is green again, after a week of looking at logs", 20),
        said(30, 3, "carol", long, -90_000, "dev"),
        said(20, 2, "bob", "is it green?", -9_000_000, "d1"),
    ]
    return frames.Found(messages=messages, reached=10, time=stamp(-40_000_000), late=True, upto=60)


async def versions(seq: int) -> frames.Versions:
    """What a message said before."""
    first, then = frames.Version(53, stamp(400), "I did"), frames.Version(93, stamp(420), "I did, at last")
    return frames.Versions(room="general", seq=seq, versions=[first, then])


def unread(app: ChatApp) -> Callable[[], Awaitable[Any]]:
    """What is unread."""

    async def load() -> Any:
        look = said(54, 3, "carol", "@alice could you look at the failing build, please?", 200, "dev", mentions=[1])
        some = [said(53, 2, "bob", "is the tag there yet?", 100, "dev"), look]
        alone = [said(56, 2, "bob", "do you have a minute?", 300, "d1")]
        long = [said(40, 3, "carol", "soup first, doors open at two. " * 8, -50_000, "plans")]
        by_room = (("dev", some), ("d1", alone), ("plans", long))
        return [(app.chat.rooms[handle], messages) for handle, messages in by_room]

    return load


VIEWS = {
    "rooms": (),
    "message": ("shift+tab", "up", "up"),
    "reply": ("shift+tab", "r", *"sure"),
    "delete": ("shift+tab", "up", "up", "d"),
    "react": ("shift+tab", "plus", *"hea"),
    "info": ("shift+tab", "up", "up", "i"),
    "go_to": ("alt+g", "d"),
    "invitation": ("alt+1",),
    "commands": ("/",),
    "argument": tuple("/notify "),
    "names": (*"hey @", "tab", "tab"),
    "unknown": (*"/hlep", "enter"),
    "search": ("ctrl+f", *"green", "enter", "down"),
    "catch_up": ("alt+c", "down"),
    "help": ("f1",),
}
"""By name, what is pressed to see it."""


async def show(app: ChatApp, pilot: Pilot[Any], keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the morning pass, and press keys."""
    monkeypatch.setattr(app.session, "search", found)
    monkeypatch.setattr(app.session, "versions", versions)
    monkeypatch.setattr(app.session, "catch_up", unread(app))
    rooms(app)
    await pilot.pause()
    for key in keys:
        await pilot.press(key)
        if len(key) > 1:  # it may have opened something
            await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", VIEWS)
async def test_a_view(
    still: ChatApp, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, view: str, size: tuple[int, int]
) -> None:
    """Everything that can be opened, at three sizes."""
    async with still.run_test(size=size) as pilot:
        await show(still, pilot, VIEWS[view], monkeypatch)
        assert still.export_screenshot() == snapshot(extension_class=Svg)


@pytest.mark.parametrize("theme", ["chat-light", "ansi-dark"])
@pytest.mark.parametrize("view", ["rooms", "go_to", "catch_up"])
async def test_other_colours(
    still: ChatApp, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, view: str, theme: str
) -> None:
    """On paper, and in a terminal of sixteen colours."""
    async with still.run_test(size=(120, 30)) as pilot:
        still.theme = theme
        await show(still, pilot, VIEWS[view], monkeypatch)
        assert still.export_screenshot() == snapshot(extension_class=Svg)


# A room that is moderated.


async def reports(_: int | None = None) -> frames.Reports:
    """What people reported."""
    text = "cheap watches, the best there ever were, and cheaper than anywhere else: https://watches.example"
    first = frames.ReportInfo(
        report=90,
        time=stamp(700),
        by="carol",
        reason="Spam",
        room="general",
        seq=53,
        user=7,
        sender="mallory",
        text=text,
    )
    gone = frames.ReportInfo(report=80, time=stamp(-90_000), by="李雷", room="dev", seq=20, user=2, sender="bob")
    return frames.Reports(reports=[first, gone])


async def bans(_: str) -> list[frames.BanInfo]:
    """Who is kept out or silenced."""
    until = stamp(100_000)
    return [
        frames.BanInfo(kind="ban", user=7, name="mallory", until=until, reason="spam", by="alice", time=stamp(800)),
        frames.BanInfo(kind="silence", user=2, name="bob", by="carol", time=stamp(-90_000)),
        frames.BanInfo(kind="range", range="203.0.113.0/24", until=until, by="alice", time=stamp(800)),
    ]


def moderated(app: ChatApp) -> None:
    """Own a server on which somebody was put out, and whom one has blocked oneself."""
    rooms(app)
    chat = app.chat
    mine = frames.RoomInfo(room="general", title="general", last=57, read=57, role="owner", keep_days=30)
    chat.apply(frames.Rooms(rooms=[mine], as_of=57))
    chat.apply(frames.Blocked(people=[(7, "mallory")]))
    for message in (
        said(58, 7, "mallory", "cheap watches!", 620),
        said(59, 7, "mallory", "cheap watches!!", 640),
        said(60, 3, "carol", "please not here", 650, reply=59),
    ):
        chat.apply(message)
    by: dict[str, Any] = {"room": "general", "user": 1, "sender": "alice", "time": stamp(700)}
    chat.apply(frames.Kicked(seq=61, **by, who=7, name="mallory", reason="spam"))
    chat.apply(frames.Silenced(seq=62, **by, who=2, name="bob", until=stamp(4000), reason="no shouting, please"))
    chat.apply(frames.Appointed(seq=63, **by, who=3, name="carol", role="moderator"))
    chat.general.people.appoint("alice", "owner")
    app.room.changed(~Changed.NOTHING)


async def whois(name: str) -> frames.Person:
    """Answer as the server does."""
    return frames.Person(user=9, name=name)


MODERATED = {
    "room": (),
    "hidden": ("shift+tab", "up"),
    "ban": (*"/ban bob 2h spam", "enter"),
    "role": (*"/role carol", "enter"),
    "bans": (*"/bans", "enter", "down"),
    "reports": (*"/reports", "enter", "d"),
    "report": ("shift+tab", "exclamation_mark"),
    "erase": (*"/erase", "enter"),
}
"""By name, what is pressed to see it."""


async def moderate(still: ChatApp, pilot: Pilot[Any], monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    """Do what shows a view."""
    monkeypatch.setattr(still.session.client, "reports", reports)
    monkeypatch.setattr(still.session.client, "bans", bans)
    monkeypatch.setattr(still.session.client, "whois", whois)
    moderated(still)
    await pilot.pause()
    for key in MODERATED[view]:
        await pilot.press(key)
        if len(key) > 1:  # it may have opened something
            await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("theme", ["chat-light", "ansi-dark"])
@pytest.mark.parametrize("view", ["hidden", "reports"])
async def test_what_moderators_see_in_other_colours(
    still: ChatApp, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, view: str, theme: str
) -> None:
    """On paper, and in a terminal of sixteen colours."""
    async with still.run_test(size=(120, 30)) as pilot:
        still.theme = theme
        await moderate(still, pilot, monkeypatch, view)
        assert still.export_screenshot() == snapshot(extension_class=Svg)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", MODERATED)
async def test_what_moderators_see(
    still: ChatApp, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, view: str, size: tuple[int, int]
) -> None:
    """What is done, what can be done, and what it means, at three sizes."""
    async with still.run_test(size=size) as pilot:
        await moderate(still, pilot, monkeypatch, view)
        assert still.export_screenshot() == snapshot(extension_class=Svg)


# Coming in.

THEIRS, OURS = "aspz-1mzw-xk15-sqk4-4def", "gb46-5ryx-0zyk-fzp5-h5jp"
REFUSED: dict[str, tuple[Phase, ClientError]] = {
    "trust": (Phase.TRUST, Untrusted("chat.lab.example", 7373, b"", OURS)),
    "changed": (Phase.DISTRUST, KeyChanged("chat.lab.example:7373", OURS, THEIRS)),
    "vouched": (Phase.DISTRUST, NotVouchedFor("chat.lab.example:7373", "it has expired")),
    "invited": (Phase.DISTRUST, WrongPin("chat.lab.example:7373", OURS, THEIRS)),
    "plain": (Phase.DISTRUST, NotEncrypted("chat.lab.example:7373")),
    "log in": (Phase.LOGIN, Refused("login_needed", "This name is an account's.")),
    "members": (Phase.LOGIN, Refused("no_guests", "Only accounts come in here.")),
    "ended": (Phase.ENDED, Refused("session_ended", "This session was ended.")),
}
"""By name, what stands in the way."""
ACCOUNT = {"register": "/register", "password": "/password", "devices": "/devices", "key": "/key", "log out": "/logout"}
"""By name, what is typed to see it."""


async def stand_in_the_way(still: ChatApp, pilot: Pilot[Any], view: str) -> None:
    """Refuse whoever comes in, once all of the screen is there, behind what is said then."""
    while not still.room._complete:
        await pilot.pause()
    session = still.session
    session.client.ways = frames.Server(id="i", server="s", guests=view != "members", sso="Lab")
    phase, session.refusal = REFUSED[view]
    session._set(Link(phase, ("◌ coming in", "◌"), session.refusal.message))
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", REFUSED)
async def test_what_stands_in_the_way(
    still: ChatApp, snapshot: SnapshotAssertion, view: str, size: tuple[int, int]
) -> None:
    """The question of trust, the refusal, the password."""
    async with still.run_test(size=size) as pilot:
        await stand_in_the_way(still, pilot, view)
        assert still.export_screenshot() == snapshot(extension_class=Svg)


@pytest.mark.parametrize("theme", ["chat-light", "ansi-dark"])
@pytest.mark.parametrize("view", ["trust", "changed", "members"])
async def test_what_stands_in_the_way_in_other_colours(
    still: ChatApp, snapshot: SnapshotAssertion, view: str, theme: str
) -> None:
    """On paper, and in a terminal of sixteen colours."""
    async with still.run_test(size=(80, 24)) as pilot:
        still.theme = theme
        await stand_in_the_way(still, pilot, view)
        assert still.export_screenshot() == snapshot(extension_class=Svg)


async def devices() -> list[frames.DeviceInfo]:
    """Where alice is logged in."""
    by: dict[str, Any] = {"since": stamp(-90_000), "used": stamp(0)}
    return [
        frames.DeviceInfo(id=3, device="", waiting=True, since=stamp(800), used=stamp(800)),
        frames.DeviceInfo(id=2, device="laptop", address="192.0.2.7", online=True, current=True, **by),
        frames.DeviceInfo(id=1, device="the old phone", address="2001:db8::17", **by),
    ]


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", ACCOUNT)
async def test_an_account(
    still: ChatApp, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, view: str, size: tuple[int, int]
) -> None:
    """What is done about it."""
    async with still.run_test(size=size) as pilot:
        talk(still)
        session = still.session
        monkeypatch.setattr(session.client, "devices", devices)
        session.client.account, session.server_key = view != "register", OURS
        await pilot.press(*ACCOUNT[view], "enter")
        for _ in range(3):
            await pilot.pause()
        assert still.export_screenshot() == snapshot(extension_class=Svg)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_crowd(still: ChatApp, snapshot: SnapshotAssertion, size: tuple[int, int]) -> None:
    """How many are here, who is known, and who of them has spoken."""
    async with still.run_test(size=size) as pilot:
        talk(still)
        names = ["alice", "dora", *(f"guest{number}" for number in range(1, 100)), "bob", "carol"]
        users = [*range(1, len(names) + 1)]
        roster = frames.Roster(room="general", names=names, users=users, count=9950)
        roster.away, roster.roles = {"carol": "lunch"}, {"dora": "moderator"}
        still.chat.apply(roster)
        still.chat.apply(frames.Count(room="general", count=9951, names=["李雷"], users=[900]))
        still.room.changed(~Changed.NOTHING)
        await pilot.pause()
        await pilot.pause()
        assert still.export_screenshot() == snapshot(extension_class=Svg)
