"""Every request, by everyone, in every kind of room: refused or done as the table of rights says, and nothing leaks.

What each person may read is known here for every text that was said; no line that they are sent holds another one.
"""

import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import apsw
import pytest
from support import Server, Wire

from server.archive.database import connect as open_database
from server.protocol.frames import Before, ClientFrame, RoleName
from server.record.events import FOREVER
from server.record.rights import ROLES as KNOWN_ROLES
from server.record.rights import WHEN_ARCHIVED, WHEN_SILENCED, Act, Role, Sort, may

PASSWORD: Final = "correct horse"  # noqa: S105

ROLES: Final = {
    "stranger": Role.STRANGER,
    "former": Role.STRANGER,
    "invited": Role.INVITED,
    "member": Role.GUEST,
    "quiet": Role.GUEST,
    "warden": Role.MODERATOR,
    "steward": Role.ADMIN,
    "maker": Role.OWNER,
    "marshal": Role.MODERATOR,
    "regent": Role.ADMIN,
    "sovereign": Role.STRANGER,
}
"""People, and how they stand in a room that can be made; who was a member once is as a stranger. One may only read
there; the last three are so on the server, and the very last is in no room but `general`."""

ON_SERVER: Final[dict[str, RoleName]] = {"marshal": "moderator", "regent": "admin", "sovereign": "owner"}

GUESTS: Final = [f"guest-{role}" for role in ROLES]
"""Whom each may try to invite, and to ban."""

PREY: Final = "prey"
"""Who is in each room, and below everyone who may do anything to people."""

KNOWN: Final = (*ON_SERVER, PREY)
"""Who has an account, and so comes by TLS; the others come as it is quicker."""


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
            return ["member", "quiet", *ON_SERVER]  # everyone is in it, and nobody has made it
        return ["stranger", "member", "maker", "sovereign"] if self.sort == "direct" else list(ROLES)

    def role(self, who: str) -> Role:
        """Return how somebody stands there."""
        if self.sort == "general":
            return KNOWN_ROLES[ON_SERVER.get(who, "guest")]
        if self.sort == "direct":
            return Role.GUEST if who in ("member", "maker") else Role.STRANGER
        return ROLES[who]


EVERY_FRAME: Final = get_args(ClientFrame)

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
    sessions: dict[str, str] = field(default_factory=dict)
    """Of those who have an account: it took the place of the one in their welcome."""
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
        """Return what was told to whom who may not read it. Who moderates the server reads what was reported."""
        return [
            (who, text, str(frame))
            for who, wire in self.people.items()
            for frame in wire.heard
            for text in set(re.findall(r"word\d+x", str(frame)))
            if not self.may_read(who, text) and not (frame["type"] == "reports" and who in ON_SERVER)
        ]


@pytest.fixture
async def stage(server: Server, connect: Any) -> AsyncIterator[Stage]:
    """All people, in one server."""
    names = (*ROLES, *GUESTS, PREY)
    people = {name: await connect(name, backlog=50, tls=name in KNOWN, ping=False) for name in names}
    host = await connect(tls=True, ping=False, token=(server.data / "control.key").read_text().strip())
    sessions = {}
    for name in KNOWN:
        sessions[name] = (await people[name].ask(type="register", password=PASSWORD))["session"]
    for name, role in ON_SERVER.items():
        assert (await host.ask(type="appoint", name=name, role=role))["type"] == "ok"
    with contextlib.closing(open_database(server.data / "chat.db", read_only=True)) as database:
        yield Stage(database, people, sessions=sessions)


async def built(
    stage: Stage, kind: Kind, handle: str, *, archived: bool, talked: bool = False
) -> tuple[str, dict[str, int]]:
    """Return a room of a kind in which each stands as they should, and its messages by what they are for.

    Only where they have talked does each have messages to try everything at; else there is one early and one late.
    """
    targets: dict[str, int] = {}
    if kind.sort == "general":
        room = "general"
        for who in stage.people:
            stage.spans[room, who] = [[0, FOREVER]]
        await stage.done("sovereign", type="silence", name="quiet", on=False)
    elif kind.sort == "direct":
        answer = await stage.done("maker", type="direct", names=["member"])
        room = answer["room"]
        for who in ("maker", "member"):
            stage.spans[room, who] = [[answer.get("seq", 0), FOREVER]]
    else:
        room = handle
        private = kind.sort == "private"
        insiders = {who for who, role in ROLES.items() if role >= Role.GUEST} | {"former", PREY}
        title, topic = stage.word(), stage.word()
        stage.known[title] = {*insiders, "invited", *GUESTS} if private else set(stage.people)
        stage.known[topic] = insiders if private else set(stage.people)
        made = await stage.done(
            "maker", type="make", room=room, title=title, topic=topic, private=private, before=kind.before
        )
        stage.spans[room, "maker"] = [[made["seq"], FOREVER]]
        stage.before[room] = kind.before
        for who in (*insiders - {"maker"}, "invited"):
            await stage.done("maker", type="invite", room=room, name=who)
        await stage.enter("former", room)
    first = "maker" if "maker" in kind.cast else "guest-maker"  # someone else, in any case
    targets["early"] = await stage.said(first, room)
    await stage.done(
        first, type="edit", room=room, seq=targets["early"], text=await again(stage, room, "early", targets)
    )
    await stage.done(first, type="pin", room=room, seq=targets["early"])
    if kind.sort in ("public", "private"):
        for who in (*insiders - {"maker", "former"},):
            await stage.enter(who, room)
        for who, role in (("warden", "moderator"), ("steward", "admin")):
            await stage.done("maker", type="appoint", room=room, name=who, role=role)
    inside = [who for who in kind.cast if kind.role(who) >= Role.GUEST or who == "former"]
    for who in inside if talked else ():
        for use in ("edit", "delete"):
            targets[f"{who} {use}"] = await stage.said(who, room)
    for who in kind.cast if talked else ():
        for use in ("edit", "delete", "any"):
            other = "member" if who == "maker" else first
            targets[f"not {who} {use}"] = await stage.said(other, room)
    if "former" in kind.cast:
        await stage.leave("former", room)
        targets["late"] = await stage.said("maker", room)
        for name in ("guest-invited", "guest-former"):
            await stage.done("maker", type="invite", room=room, name=name)
        await stage.done("member", type="invite", room=room, name="guest-stranger")
        await stage.done("maker", type="silence", room=room, name="quiet")
        if archived:
            await stage.done("maker", type="change", room=room, archived=True)
    if kind.sort == "general":
        await stage.done("sovereign", type="silence", name="quiet")
    return room, targets


async def again(stage: Stage, room: str, use: str, targets: dict[str, int]) -> str:
    """Return another text for a message: who may read it may read that."""
    text = stage.word()
    stage.seqs[text], stage.room_of[text] = targets[use], room
    return text


def expected(kind: Kind, who: str, act: Act, *, archived: bool) -> str:
    """Return the code that the table of rights demands; empty where it is done."""
    role = kind.role(who)
    if may(role, act, kind.sort):
        if archived and act not in WHEN_ARCHIVED:
            return "archived"
        return "silenced" if who == "quiet" and act not in WHEN_SILENCED else ""
    if act is Act.ENTER:
        return "bad_room" if kind.sort == "direct" else "not_allowed"
    if act is Act.LEAVE and kind.sort == "general":
        return "bad_room"
    if role is Role.STRANGER and kind.sort != "public":
        return "no_such_room"
    return "not_allowed" if role >= Role.GUEST else "not_a_member"


Tried = tuple[Act, dict[str, Any], str]
"""The right that it needs, the request, and the message that it is about."""


def operations(stage: Stage, kind: Kind, who: str, targets: dict[str, int]) -> list[Tried]:
    """Return what someone tries in a room."""
    other = f"not {who} any"
    revoked = "guest-stranger" if who == "maker" else "guest-invited"
    own = {use: f"{who} {use}" if f"{who} {use}" in targets else f"not {who} {use}" for use in ("edit", "delete")}
    reads: list[dict[str, Any]] = [
        {"type": "history"},
        *[{"type": "history", bound: targets[other]} for bound in ("before", "around", "thread")],
        {"type": "history", "after": 0},
        {"type": "history", "at": "2020-01-01"},
        {"type": "get", "seqs": sorted(targets.values())[-50:]},
        {"type": "pins"},
        {"type": "who"},
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
        (Act.REPORT, {"type": "report", "seq": targets[other]}, other),
        (Act.REPORT, {"type": "report", "seq": targets["early"]}, "early"),
        (Act.DELETE, {"type": "delete", "seq": targets[own["delete"]]}, own["delete"]),
        (Act.DELETE_OTHERS, {"type": "delete", "seq": targets[f"not {who} delete"]}, f"not {who} delete"),
        (Act.TOPIC, {"type": "change", "topic": ""}, ""),
        (Act.RENAME, {"type": "change", "title": ""}, ""),
        (Act.PACE, {"type": "change", "slow": 0}, ""),
        (Act.PACE, {"type": "change", "read_only": False}, ""),
        (Act.KEEP, {"type": "change", "keep_days": 0}, ""),
        (Act.KEEP, {"type": "change", "keep_count": 0}, ""),
        (Act.INVITE, {"type": "invite", "name": f"guest-{who}"}, ""),
        (Act.REVOKE, {"type": "invite", "name": f"guest-{who}", "on": False}, ""),
        (Act.REVOKE_OTHERS, {"type": "invite", "name": revoked, "on": False}, ""),
        (Act.SEE_BANS, {"type": "bans"}, ""),
        (Act.SEE_AUDIT, {"type": "audit"}, ""),
        *[(Act.SILENCE, {"type": "silence", "name": PREY, "on": on}, "") for on in (True, False)],
        *[(Act.APPOINT, {"type": "appoint", "name": PREY, "role": role}, "") for role in ("moderator", "member")],
    ]


def acts_on_equals(kind: Kind) -> list[Tried]:
    """Return what is done to one who stands above all others: nobody may, whatever else they may do to people."""
    name = "sovereign" if kind.sort == "general" else "maker"
    return [
        (act, {"type": what, "name": name, **more}, "")
        for act, what, more in (
            (Act.KICK, "kick", {}),
            (Act.BAN, "ban", {}),
            (Act.SILENCE, "silence", {}),
            (Act.APPOINT, "appoint", {"role": "guest"}),
        )
    ]


def operations_of_the_server(who: str) -> list[Tried]:
    """Return what someone tries that concerns the whole server."""
    return [
        (Act.MAKE, {"type": "make", "room": f"made-by-{who}"}, ""),
        (Act.MAKE_DIRECT, {"type": "direct", "names": [f"guest-{who}"]}, ""),
        *[(Act.BAN_RANGE, {"type": "ban", "range": "203.0.113.0/24", "on": on}, "") for on in (True, False)],
        *[(Act.BAN, {"type": "ban", "name": f"guest-{who}", "on": False}, "")],
        (Act.SEE_AUDIT, {"type": "audit"}, ""),
        (Act.SEE_REPORTS, {"type": "reports"}, ""),
        (Act.SEE_REPORTS, {"type": "settle", "report": 1}, "no report"),
        (Act.SEE_ACCOUNTS, {"type": "accounts"}, ""),
        (Act.GIVE_TICKETS, {"type": "ticket"}, ""),
        (Act.GIVE_TICKETS, {"type": "tickets"}, ""),
        (Act.SET, {"type": "settings", "guests": True}, ""),
    ]


OWN: Final = frozenset(
    {"about", "hello", "register", "password", "devices", "end", "claim", "device", "block", "export", "erase"}
    | {"rooms", "list", "whois", "people", "withdraw", "nick", "ping", "pong", "quit", "away", "join", "leave", "kick"}
)
"""What takes no right in a room: it is about oneself, or is tried where it changes how someone stands."""


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_everyone_may_do_what_the_table_says(stage: Stage, kind: Kind) -> None:
    """All that is done in a room: with the answer that the table demands, and an event only where it was done."""
    room, targets = await built(stage, kind, "stage", archived=kind.archived, talked=True)
    tried: set[str] = set()
    for who in kind.cast:
        wire = stage.people[who]
        # The early message was said before them.
        unread = kind.before == "joined" and kind.role(who) >= Role.GUEST and who != "maker"
        for act, frame, target in operations(stage, kind, who, targets):
            mine = target.removeprefix("not ") == target
            code = expected(kind, who, act, archived=kind.archived)
            if act is Act.DELETE and not mine:
                continue  # they have none
            if act is Act.EDIT and not mine:
                code = code if kind.role(who) < Role.GUEST else "not_allowed"
            if target == "early" and unread and code in ("", "archived", "silenced"):
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
            tried.add(frame["type"])
            if code and "text" in frame and act is not Act.READ:
                del stage.seqs[frame["text"]], stage.room_of[frame["text"]]
        for act, frame, _ in acts_on_equals(kind):
            code = expected(kind, who, act, archived=kind.archived) or "not_allowed"
            if frame["type"] == "appoint" and frame["name"] == who:
                continue  # stepping down is one's own to do
            answer = await wire.ask(room=room, **frame)
            assert answer.get("code", "") == code, (who, act, frame, answer)
    if kind.sort == "general":
        assert tried | await on_the_server(stage, kind) | OWN == {frame.__struct_config__.tag for frame in EVERY_FRAME}
    for name, wire in stage.people.items():
        await wire.ask(type="list")
        await wire.ask(type="rooms")
        for text in (*list(stage.seqs)[::7], *stage.known):
            await wire.ask(type="search", text=text)
        for other in list(stage.people)[::5]:
            await wire.ask(type="whois", name=other)
        again_here = {key: wire.welcome[key] for key in ("session", "epoch", "seq")}
        again_here["session"] = stage.sessions.get(name, wire.welcome["session"])
        await wire.say(type="quit")
        await wire.rest()
        back = await Wire.connect(wire.writer.get_extra_info("peername")[1], tls=name in KNOWN, resume=again_here)
        await back.ask(type="rooms")
        wire.heard += back.heard
        await back.close()
        assert name in stage.people
    assert not stage.leaks()


async def on_the_server(stage: Stage, kind: Kind) -> set[str]:
    """Try what concerns the whole server; return what was."""
    for who in kind.cast:
        for act, frame, target in operations_of_the_server(who):
            code = expected(kind, who, act, archived=False)
            if target and not code:
                code = "no_such_message"
            answer = await stage.people[who].ask(**frame)
            assert answer.get("code", "") == code, (who, act, frame, answer)
    return {frame["type"] for _, frame, _ in operations_of_the_server("")}


ENTERED: Final = [kind for kind in KINDS if kind.sort in ("general", "direct") or str(kind).endswith("-joined")]


async def test_everyone_enters_leaves_archives_and_puts_out_as_the_table_says(stage: Stage) -> None:
    """What changes how someone stands, in rooms of their own; archived ones are entered and left as others."""
    put_out: list[tuple[Act, dict[str, Any]]] = [
        (Act.ARCHIVE, {"type": "change", "archived": True}),
        (Act.KICK, {"type": "kick", "name": PREY}),
        (Act.BAN, {"type": "ban", "name": PREY}),
    ]
    for kind in ENTERED:
        tried: list[list[tuple[Act, dict[str, Any]]]] = [
            [(Act.ENTER, {"type": "join"})],
            [(Act.LEAVE, {"type": "leave"})],
            put_out if kind.sort != "general" else put_out[:1],  # out of the server: see test_moderation
        ]
        for who, (number, together) in itertools.product(kind.cast, enumerate(tried)):
            room, _ = await built(stage, kind, f"{kind.sort}-{who}{number}", archived=together is not tried[-1])
            for act, frame in together:
                before = stage.head
                answer = await stage.people[who].ask(room=room, **frame)
                assert answer.get("code", "") == expected(kind, who, act, archived=False), (kind, who, act, answer)
                assert (stage.head > before) == ("seq" in answer), (kind, who, act, answer)
                if "seq" in answer:
                    await follow(stage, kind, room, who, act, answer["seq"])
    assert not stage.leaks()


async def follow(stage: Stage, kind: Kind, room: str, who: str, act: Act, seq: int) -> None:
    """Note what has come of an act, and make good what the next one needs."""
    match act:
        case Act.ENTER if kind.role(who) < Role.GUEST:
            stage.spans.setdefault((room, who), []).append([seq, FOREVER])
            await stage.done(who, type="history", room=room)
        case Act.ARCHIVE:
            await stage.done(who, type="change", room=room, archived=False)
        case Act.KICK:
            stage.spans[room, PREY][-1][1] = seq
            await stage.done("maker", type="invite", room=room, name=PREY)
            await stage.enter(PREY, room)
        case Act.BAN:
            stage.spans[room, PREY][-1][1] = seq


async def test_who_may_name_everyone_does(stage: Stage) -> None:
    """Others say the word, and nobody is named by it."""
    for kind in (Kind("public"), Kind("private"), Kind("direct"), Kind("general")):
        room, _ = await built(stage, kind, f"{kind.sort}-room", archived=False)
        for who in kind.cast:
            if kind.role(who) >= Role.GUEST and who != "quiet":
                seq = (await stage.done(who, type="send", room=room, text="@here"))["seq"]
                message = await stage.people[who].see("message", seq=seq)
                assert message.get("here", False) is may(kind.role(who), Act.CALL_ALL, kind.sort), (kind, who)
