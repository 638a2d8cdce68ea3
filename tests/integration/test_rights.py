"""Every request, by everyone, in every kind of room: refused or done as the table of rights says, and nothing leaks.

What each person may read is known here for every text that was said; no line that they are sent holds another one.
"""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import apsw
import pytest
from support import Server, Wire

from server.archive.database import connect as open_database
from server.chat.events import FOREVER
from server.chat.rights import WHEN_ARCHIVED, Act, Role, Sort, may
from server.protocol.frames import Before

ROLES: Final = {
    "stranger": Role.STRANGER,
    "former": Role.STRANGER,
    "invited": Role.INVITED,
    "member": Role.MEMBER,
    "owner": Role.OWNER,
}
"""People, and how they stand in the room; who was a member once is as a stranger."""

GUESTS: Final = [f"guest-{role}" for role in ROLES]
"""Whom each may try to invite."""


@dataclass
class Kind:
    """A kind of room."""

    sort: Sort
    before: Before = "all"
    archived: bool = False

    def __str__(self) -> str:
        return f"{self.sort}-{self.before}{'-archived' * self.archived}"

    @property
    def cast(self) -> list[str]:
        """Who there can be."""
        if self.sort == "general":
            return ["member"]  # everyone is one, and nobody has made it
        return ["stranger", "member", "owner"] if self.sort == "direct" else list(ROLES)


KINDS: Final = [
    Kind("general"),
    Kind("direct"),
    *[
        Kind(sort, before, archived)
        for sort in ("public", "private")
        for before in ("all", "joined")
        for archived in (False, True)
    ],
]


@dataclass
class Stage:
    """A server, its people, and what each of them may read."""

    database: apsw.Connection
    people: dict[str, Wire]
    seqs: dict[str, int] = field(default_factory=dict)
    """Per text the seq of its message."""
    room_of: dict[str, str] = field(default_factory=dict)
    spans: dict[tuple[str, str], list[list[int]]] = field(default_factory=dict)
    """Per room and person when they were members."""
    before: dict[str, Before] = field(default_factory=dict)
    known: dict[str, set[str]] = field(default_factory=dict)
    """Per title or topic who may know it."""
    count: int = 0

    @property
    def head(self) -> int:
        """How far the log has come."""
        seq: int = self.database.execute("SELECT max(seq) FROM events").get
        return seq

    def word(self) -> str:
        """Return a text that nobody has said."""
        self.count += 1
        return f"word{self.count}x"

    async def done(self, who: str, **frame: Any) -> dict[str, Any]:
        """Do something that is allowed."""
        answer = await self.people[who].ask(**frame)
        assert answer["type"] != "error", (who, frame, answer)
        return answer

    async def said(self, who: str, room: str) -> int:
        """Have someone say something; return its seq."""
        text = self.word()
        seq: int = (await self.done(who, type="send", room=room, text=text))["seq"]
        self.seqs[text], self.room_of[text] = seq, room
        return seq

    async def enter(self, who: str, room: str) -> None:
        """Have someone become a member."""
        answer = await self.done(who, type="join", room=room)
        self.spans.setdefault((room, who), []).append([answer["seq"], FOREVER])

    async def leave(self, who: str, room: str) -> None:
        """Have a member leave."""
        self.spans[room, who][-1][1] = (await self.done(who, type="leave", room=room))["seq"]

    def may_read(self, who: str, text: str) -> bool:
        """Say whether someone may have read this at some time."""
        if text in self.known:
            return who in self.known[text]
        room = self.room_of.get(text, "")
        early = self.before.get(room, "all") == "all"
        spans = self.spans.get((room, who), [])
        return any((early or since < self.seqs[text]) and self.seqs[text] <= until for since, until in spans)

    def leaks(self) -> list[tuple[str, str, str]]:
        """Return what was told to whom who may not read it."""
        return [
            (who, text, str(frame))
            for who, wire in self.people.items()
            for frame in wire.heard
            for text in set(re.findall(r"word\d+x", str(frame)))
            if not self.may_read(who, text)
        ]


@pytest.fixture
async def stage(server: Server, connect: Any) -> AsyncIterator[Stage]:
    """All people, in one server."""
    people = {name: await connect(name, backlog=50) for name in (*ROLES, *GUESTS)}
    with contextlib.closing(open_database(server.data / "chat.db", read_only=True)) as database:
        yield Stage(database, people)


async def built(stage: Stage, kind: Kind, handle: str, *, archived: bool) -> tuple[str, dict[str, int]]:
    """Return a room of a kind in which each stands as they should, and its messages by what they are for."""
    targets: dict[str, int] = {}
    if kind.sort == "general":
        room = "general"
        for who in stage.people:
            stage.spans[room, who] = [[0, FOREVER]]
    elif kind.sort == "direct":
        answer = await stage.done("owner", type="direct", names=["member"])
        room = answer["room"]
        for who in ("owner", "member"):
            stage.spans[room, who] = [[answer.get("seq", 0), FOREVER]]
    else:
        room = handle
        private = kind.sort == "private"
        insiders = {"owner", "member", "former"}
        title, topic = stage.word(), stage.word()
        stage.known[title] = {*insiders, "invited", *GUESTS} if private else set(stage.people)
        stage.known[topic] = insiders if private else set(stage.people)
        made = await stage.done(
            "owner", type="make", room=room, title=title, topic=topic, private=private, before=kind.before
        )
        stage.spans[room, "owner"] = [[made["seq"], FOREVER]]
        stage.before[room] = kind.before
        for who in ("former", "member", "invited"):
            await stage.done("owner", type="invite", room=room, name=who)
        await stage.enter("former", room)
    first = "owner" if "owner" in kind.cast else "guest-owner"  # someone else, in any case
    targets["early"] = await stage.said(first, room)
    await stage.done(
        first, type="edit", room=room, seq=targets["early"], text=await again(stage, room, "early", targets)
    )
    await stage.done(first, type="pin", room=room, seq=targets["early"])
    if kind.sort in ("public", "private"):
        await stage.enter("member", room)
    inside = [who for who in ("former", "member", "owner") if who in kind.cast]
    for who in inside:
        for use in ("edit", "delete"):
            targets[f"{who} {use}"] = await stage.said(who, room)
    for who in kind.cast:
        for use in ("edit", "delete", "any"):
            other = "member" if who == "owner" else first
            targets[f"not {who} {use}"] = await stage.said(other, room)
    if "former" in kind.cast:
        await stage.leave("former", room)
        targets["late"] = await stage.said("owner", room)
        for name in ("guest-invited", "guest-former"):
            await stage.done("owner", type="invite", room=room, name=name)
        await stage.done("member", type="invite", room=room, name="guest-stranger")
        if archived:
            await stage.done("owner", type="change", room=room, archived=True)
    return room, targets


async def again(stage: Stage, room: str, use: str, targets: dict[str, int]) -> str:
    """Return another text for a message: who may read it may read that."""
    text = stage.word()
    stage.seqs[text], stage.room_of[text] = targets[use], room
    return text


def expected(kind: Kind, who: str, act: Act, *, archived: bool) -> str:
    """Return the code that the table of rights demands; empty where it is done."""
    role = ROLES[who]
    if may(role, act, kind.sort):
        return "archived" if archived and act not in WHEN_ARCHIVED else ""
    if act is Act.ENTER:
        return "bad_room" if kind.sort == "direct" else "not_allowed"
    if act is Act.LEAVE and kind.sort == "general":
        return "bad_room"
    if role is Role.STRANGER and kind.sort != "public":
        return "no_such_room"
    return "not_allowed" if role >= Role.MEMBER else "not_a_member"


def operations(stage: Stage, kind: Kind, who: str, targets: dict[str, int]) -> list[tuple[Act, dict[str, Any], str]]:
    """Return what someone tries: the right that it needs, the request, and the message that it is about."""
    other = f"not {who} any"
    revoked = "guest-stranger" if who == "owner" else "guest-invited"
    own = {use: f"{who} {use}" if f"{who} {use}" in targets else f"not {who} {use}" for use in ("edit", "delete")}
    reads: list[dict[str, Any]] = [
        {"type": "history"},
        *[{"type": "history", bound: targets[other]} for bound in ("before", "around", "thread")],
        {"type": "history", "after": 0},
        {"type": "history", "at": "2020-01-01"},
        {"type": "get", "seqs": sorted(targets.values())[-50:]},
        {"type": "pins"},
        {"type": "versions", "seq": targets["early"]},
        {"type": "mark", "read": targets["early"]},
        {"type": "typing"},
        *[{"type": "search", "text": text} for text in list(stage.seqs)[:3]],
    ]
    return [
        *[(Act.READ, frame, "") for frame in reads],
        (Act.SAY, {"type": "send"}, ""),
        (Act.SAY, {"type": "send", "id": 1}, ""),
        (Act.SAY, {"type": "send", "reply": targets[other]}, other),
        (Act.SAY, {"type": "send", "reply": targets["early"]}, "early"),
        (Act.EDIT, {"type": "edit", "seq": targets[own["edit"]]}, own["edit"]),
        (Act.REACT, {"type": "react", "seq": targets[other], "emoji": "tada"}, other),
        (Act.REACT, {"type": "react", "seq": targets["early"], "emoji": "tada"}, "early"),
        (Act.PIN, {"type": "pin", "seq": targets[other]}, other),
        (Act.PIN, {"type": "pin", "seq": targets["early"], "on": False}, "early"),
        (Act.DELETE, {"type": "delete", "seq": targets[own["delete"]]}, own["delete"]),
        (Act.DELETE_OTHERS, {"type": "delete", "seq": targets[f"not {who} delete"]}, f"not {who} delete"),
        (Act.TOPIC, {"type": "change", "topic": ""}, ""),
        (Act.RENAME, {"type": "change", "title": ""}, ""),
        (Act.INVITE, {"type": "invite", "name": f"guest-{who}"}, ""),
        (Act.REVOKE, {"type": "invite", "name": f"guest-{who}", "on": False}, ""),
        (Act.REVOKE_OTHERS, {"type": "invite", "name": revoked, "on": False}, ""),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_everyone_may_do_what_the_table_says(stage: Stage, kind: Kind) -> None:
    """All that is done in a room: with the answer that the table demands, and an event only where it was done."""
    room, targets = await built(stage, kind, "stage", archived=kind.archived)
    for who in kind.cast:
        wire = stage.people[who]
        unread = kind.before == "joined" and who == "member"  # the early message was said before them
        for act, frame, target in operations(stage, kind, who, targets):
            mine = target.removeprefix("not ") == target
            code = expected(kind, who, act, archived=kind.archived)
            if act is Act.DELETE and not mine:
                continue  # they have none
            if act is Act.EDIT and not mine:
                code = code if ROLES[who] < Role.MEMBER else "not_allowed"
            if target == "early" and unread and ROLES[who] >= Role.MEMBER and code in ("", "archived"):
                code = code if act is Act.SAY and code else "no_such_message"
            if frame["type"] == "search":
                frame["rooms"] = [room]
            else:
                frame["room"] = room
            if frame["type"] in ("send", "edit"):
                frame["text"] = await again(stage, room, target or "late", {"late": stage.head + 1, **targets})
                if frame["type"] == "send":
                    stage.seqs[frame["text"]] = stage.head + 1
            before = stage.head
            answer = await wire.ask(**frame)
            assert answer.get("code", "") == code, (who, act, frame, answer)
            assert (stage.head > before) == ("seq" in answer and answer["type"] == "ok"), (who, act, frame, answer)
            if code and "text" in frame and act is not Act.READ:
                del stage.seqs[frame["text"]], stage.room_of[frame["text"]]
    for name, wire in stage.people.items():
        await wire.ask(type="list")
        await wire.ask(type="rooms")
        for text in (*list(stage.seqs)[::7], *stage.known):
            await wire.ask(type="search", text=text)
        for other in stage.people:
            await wire.ask(type="whois", name=other)
        again_here = {key: wire.welcome[key] for key in ("session", "epoch", "seq")}
        await wire.say(type="quit")
        await wire.rest()
        back = await Wire.connect(wire.writer.get_extra_info("peername")[1], resume=again_here)
        await back.ask(type="rooms")
        wire.heard += back.heard
        await back.close()
        assert name in stage.people
    assert not stage.leaks()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.archived], ids=str)
async def test_everyone_enters_leaves_and_archives_as_the_table_says(stage: Stage, kind: Kind) -> None:
    """What changes how someone stands, each in a room of its own; archived ones are entered and left as others."""
    for who in kind.cast:
        tried: list[tuple[Act, dict[str, Any]]] = [
            (Act.ENTER, {"type": "join"}),
            (Act.LEAVE, {"type": "leave"}),
            (Act.ARCHIVE, {"type": "change", "archived": True}),
        ]
        for number, (act, frame) in enumerate(tried):
            room, _ = await built(stage, kind, f"{who}{number}", archived=act is not Act.ARCHIVE)
            before = stage.head
            answer = await stage.people[who].ask(room=room, **frame)
            assert answer.get("code", "") == expected(kind, who, act, archived=False), (who, act, answer)
            assert (stage.head > before) == ("seq" in answer), (who, act, answer)
            if act is Act.ENTER and ROLES[who] < Role.MEMBER and "seq" in answer:
                stage.spans.setdefault((room, who), []).append([answer["seq"], FOREVER])
                await stage.done(who, type="history", room=room)
            if act is Act.ARCHIVE and "seq" in answer:
                await stage.done(who, type="change", room=room, archived=False)
    assert not stage.leaks()


@pytest.mark.parametrize("sort", ["public", "private", "direct", "general"])
async def test_who_may_name_everyone_does(stage: Stage, sort: Sort) -> None:
    """Others say the word, and nobody is named by it."""
    kind = Kind(sort)
    room, _ = await built(stage, kind, "stage", archived=False)
    for who in kind.cast:
        if ROLES[who] >= Role.MEMBER:
            seq = (await stage.done(who, type="send", room=room, text="@here"))["seq"]
            message = await stage.people[who].see("message", seq=seq)
            assert message.get("here", False) is may(ROLES[who], Act.CALL_ALL, sort)
