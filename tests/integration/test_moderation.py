"""Moderators over real sockets: who is put out gets nothing of what comes after, and others are told what was done."""

import asyncio
import json
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from support import PATIENCE, Server, Wire, trusting

PASSWORD = "correct horse"  # noqa: S105
LARGE = "x" * 8000
WAITING = 900
"""Such texts that wait for who reads nothing: more than the systems in between take off the server's hands."""

Connect = Callable[..., Awaitable[Wire]]


@pytest.fixture
async def connect(server: Server) -> Any:
    """Connect; all connections are closed with the test. None is given up for being silent: others have much to say."""
    wires: list[Wire] = []

    async def open_one(name: str | None = None, *, tls: bool = False, **hello: Any) -> Wire:
        if name is not None or hello:
            hello["ping"] = False
        wires.append(await Wire.connect(server.port, name, tls=tls, **hello))
        return wires[-1]

    yield open_one
    for wire in wires:
        await wire.close()


@pytest.fixture
async def host(server: Server, connect: Connect) -> Wire:
    """Whoever runs the server."""
    return await connect(tls=True, token=(server.data / "control.key").read_text().strip())


async def done(wire: Wire, **frame: Any) -> dict[str, Any]:
    """Do something that is allowed."""
    answer = await wire.ask(**frame)
    assert answer["type"] != "error", (frame, answer)
    return answer


async def registered(connect: Connect, name: str, host: Wire | None = None, role: str = "member") -> Wire:
    """Come in with a new account, appointed to a role on the server by the host."""
    wire = await connect(name, tls=True)
    await done(wire, type="register", password=PASSWORD)
    if host is not None:
        await done(host, type="appoint", name=name, role=role)
    return wire


def seqs(frames: list[dict[str, Any]], room: str = "") -> list[int]:
    """Return the positions of the events among these frames, of a room or of all."""
    events = [frame for frame in frames if "seq" in frame and "time" in frame]
    return [frame["seq"] for frame in events if not room or frame["room"] == room]


async def chatter(wire: Wire, room: str, count: int, text: str = "on and on") -> int:
    """Say so many things; return the seq of the last one."""
    seq = 0
    for start in range(0, count, 20):
        last = min(start + 20, count) - 1
        for number in range(start, last):
            await wire.say(type="send", room=room, text=f"{number} {text}")
        seq = (await done(wire, type="send", room=room, text=f"{last} {text}"))["seq"]
    return seq


async def met(wire: Wire, name: str, room: str = "general") -> None:
    """Wait until somebody has been told to be in a room: who leaves before that was never seen."""
    while not any(
        frame["type"] in ("joined", "roster") and frame["room"] == room and name in frame["names"]
        for frame in wire.heard
    ):
        await wire.next()


async def gone(wire: Wire, name: str) -> str:
    """Return the reason for which somebody has left, once that is told."""
    while True:
        for frame in wire.heard:
            if frame["type"] == "left" and name in frame["names"]:
                reason: str = frame["reason"]
                return reason
        await wire.next()


# Who is put out of the server.


@pytest.mark.parametrize(("act", "code"), [("kick", "kicked"), ("ban", "banned")])
async def test_who_is_put_out_is_told_by_whom_and_gets_nothing_after(
    connect: Connect, host: Wire, act: str, code: str
) -> None:
    """The act itself, and why the connection ends; others see them leave for that."""
    warden = await registered(connect, "warden", host, "moderator")
    alice, bob = await connect("alice"), await connect("bob")
    await met(alice, "bob")
    seq = (await done(warden, type=act, name="bob", reason="spam"))["seq"]
    await chatter(alice, "general", 20)
    frames = await bob.rest()
    assert frames[-1]["type"] == "error"
    assert frames[-1]["code"] == code
    assert re.search(r"It was warden\. .*Reason: spam", frames[-1]["message"])
    assert max(seqs(frames)) == seq
    event = await alice.see(code, who=bob.welcome["user"])
    assert (event["sender"], event["name"], event["reason"], event["seq"]) == ("warden", "bob", "spam", seq)
    assert await gone(alice, "bob") == code


async def test_who_was_kicked_comes_back_and_who_is_banned_does_not(
    server: Server, connect: Connect, host: Wire
) -> None:
    """By whatever name or device, until that ends or is taken back."""
    bob = await connect("bob")
    again = {key: bob.welcome[key] for key in ("session", "epoch", "seq")}
    await done(host, type="kick", name="bob")
    await bob.rest()
    back = await connect(resume=again)
    assert back.welcome["user"] == bob.welcome["user"]
    await done(host, type="ban", name="bob", minutes=60, reason="spam")
    await back.rest()
    for name in ("", "robert"):
        wire = await connect()
        await wire.say(type="hello", name=name, resume=again)
        (refused,) = await wire.rest()
        assert refused["code"] == "banned"
        assert re.search(r"It lasts until 20\d\d-\d\d-\d\d \d\d:\d\d UTC\. Reason: spam\.$", refused["message"])
        assert refused["until"][:16].replace("T", " ") in refused["message"]
    await done(host, type="ban", name="bob", on=False)
    assert (await connect(resume=again)).welcome["name"] == "bob"


class Sluggish:
    """A client that reads nothing until it is told to, with little room for what waits."""

    def __init__(self, port: int, hello: dict[str, Any], *, tls: bool = False) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", port))
        if tls:
            self.socket = trusting().wrap_socket(self.socket)
        self.say(type="hello", ping=False, **hello)
        self.data = b""
        while b"\n" not in self.data:
            self.data += self.socket.recv(4096)
        self.welcome = json.loads(self.data.split(b"\n")[0])

    def say(self, **frame: Any) -> None:
        """Send a frame."""
        self.socket.sendall(json.dumps(frame).encode() + b"\n")

    def rest(self, upto: int = -1) -> list[dict[str, Any]]:
        """Return all frames that still arrive, up to an event or the end of the connection."""
        self.socket.settimeout(PATIENCE)
        try:
            while b'"seq":%d,' % upto not in self.data[-65536:] and (data := self.socket.recv(1 << 20)):
                self.data += data
        except (ConnectionError, ssl.SSLError):
            pass  # torn down with something still on its way
        finally:
            self.socket.close()
        return [json.loads(line) for line in self.data.split(b"\n")[:-1]]


@pytest.mark.parametrize("how", ["slow", "slow in the ring", "slow over TLS", "behind in the archive", "in grace"])
async def test_whoever_is_behind_gets_nothing_above_the_act(
    server: Server, connect: Connect, host: Wire, how: str
) -> None:
    """With megabytes waiting, read from memory or from the disk, or not even there; while others go on talking."""
    alice = await connect("alice", backlog=0)
    bob = await connect("bob", resumes=True)
    await met(alice, "bob")
    again = {key: bob.welcome[key] for key in ("session", "epoch", "seq")}
    if how in ("behind in the archive", "in grace"):
        await bob.close()
    if how != "in grace":
        before = 20 if how == "slow" else WAITING
        if how == "behind in the archive":
            await chatter(alice, "general", 2400, LARGE)  # more than the ring holds
        slow = await asyncio.to_thread(
            partial(Sluggish, server.port, {"resume": again, "backlog": 0}, tls=how.endswith("TLS"))
        )
        await chatter(alice, "general", before, LARGE)
    seq = (await done(host, type="ban", name="bob"))["seq"]
    last = await chatter(alice, "general", 50)
    assert last > seq
    assert await gone(alice, "bob") == "banned"
    if how != "in grace":
        frames = await asyncio.to_thread(slow.rest)
        assert seqs(frames), "there was something to be sent"
        assert max(seqs(frames)) <= seq
        if how != "slow":
            assert len(seqs(frames)) < before, "what waited is dropped, not drained"
            assert "error" not in [frame["type"] for frame in frames]
    wire = await connect()
    await wire.say(type="hello", resume=again)
    assert [frame.get("code") for frame in await wire.rest()] == ["banned"]
    assert (await connect("bob")).welcome["user"] != bob.welcome["user"], "the name is free at once"


async def test_what_they_were_saying_when_they_were_put_out_is_not_said(connect: Connect, host: Wire) -> None:
    """The log's order counts: what comes after the ban is refused, whoever sent it first."""
    alice, bob = await connect("alice"), await connect("bob")
    await asyncio.gather(done(host, type="ban", name="bob"), flood(bob))
    seq = (await alice.see("banned"))["seq"]
    await done(alice, type="send", room="general", text="is anybody there")
    page = await done(alice, type="history", room="general", limit=500)
    theirs = [message["seq"] for message in page["messages"] if message["user"] == bob.welcome["user"]]
    assert all(number < seq for number in theirs)
    assert max(seqs(await bob.rest()), default=0) <= seq


async def flood(wire: Wire) -> None:
    """Say things until the connection ends."""
    try:
        for number in range(300):
            await wire.say(type="send", room="general", text=str(number))
            await asyncio.sleep(0)
    except ConnectionError:
        pass


async def test_addresses_are_kept_out(connect: Connect, host: Wire) -> None:
    """All that come from there are put out, and none comes in, but whoever runs the server."""
    bob = await connect("bob")
    await done(host, type="ban", range="127.0.0.0/8", reason="spam")
    assert (await bob.rest())[-1]["code"] == "banned"
    wire = await connect()
    await wire.say(type="hello", name="bob")
    assert [frame["code"] for frame in await wire.rest()] == ["banned"]
    bans = (await done(host, type="bans"))["bans"]
    assert [(ban["kind"], ban["range"], ban["reason"], ban["by"]) for ban in bans] == [
        ("range", "127.0.0.0/8", "spam", "chat-server")
    ]
    await done(host, type="ban", range="127.0.0.1/8", on=False)
    assert (await connect("bob")).welcome["name"] == "bob"


async def test_nobody_keeps_out_their_own_address(connect: Connect, host: Wire) -> None:
    """That would be the last they do."""
    admin = await registered(connect, "anna", host, "admin")
    for range_, code in (("127.0.0.1", "not_allowed"), ("0.0.0.0/0", "not_allowed"), ("nowhere", "bad_query")):
        assert (await admin.ask(type="ban", range=range_))["code"] == code
    await done(admin, type="ban", range="203.0.113.0/24")


# Who is put out of a room.


@pytest.mark.parametrize(("act", "code"), [("kick", "kicked"), ("ban", "banned")])
@pytest.mark.parametrize("slow", [False, True])
async def test_who_is_put_out_of_a_room_gets_nothing_of_it_after(
    server: Server, connect: Connect, act: str, code: str, slow: bool
) -> None:
    """But of all other rooms as before; also one who is behind gets the rest of both in order."""
    alice, bob = await connect("alice", backlog=0), await connect("bob", resumes=True)
    await done(alice, type="join", room="dev")
    await done(bob, type="join", room="dev")
    again = {key: bob.welcome[key] for key in ("session", "epoch", "seq")}
    if slow:
        await bob.close()
        sluggish = await asyncio.to_thread(Sluggish, server.port, {"resume": again, "backlog": 0})
        await chatter(alice, "dev", WAITING, LARGE)
    seq = (await done(alice, type=act, room="dev", name="bob", reason="heat"))["seq"]
    await chatter(alice, "dev", 20)
    last = await chatter(alice, "general", 20)
    if slow:
        frames = await asyncio.to_thread(sluggish.rest, last)
    else:
        await bob.see("message", seq=last)
        frames = bob.heard
    assert seqs(frames) == sorted(seqs(frames))
    assert max(seqs(frames, "dev")) == seq, "they are told what was done"
    assert max(seqs(frames, "general")) == last
    assert [(frame["names"], frame["reason"]) for frame in frames if frame["type"] == "left"] == [(["bob"], code)]
    if slow:
        return
    assert (await bob.ask(type="send", room="dev", text="hello?"))["code"] == "not_a_member"
    answer = await bob.ask(type="join", room="dev")
    assert answer.get("code") == (None if act == "kick" else "kept_out")
    if act == "ban":
        assert "Reason: heat" in answer["message"]


async def test_others_see_who_was_put_out_of_their_room(connect: Connect) -> None:
    """The members, and nobody else."""
    alice, bob, carol = await connect("alice"), await connect("bob"), await connect("carol")
    await done(alice, type="make", room="plans", private=True)
    await done(alice, type="invite", room="plans", name="bob")
    await done(bob, type="join", room="plans")
    await met(alice, "bob", "plans")
    await done(alice, type="kick", room="plans", name="bob")
    await alice.see("kicked", room="plans", name="bob")
    assert await gone(alice, "bob") == "kicked"
    await done(carol, type="send", room="general", text="later")
    assert not [frame for frame in carol.heard if frame.get("room") == "plans"]


# Silence, slow mode, read-only rooms.


async def test_who_is_silenced_only_reads_until_it_is_taken_back(connect: Connect) -> None:
    """They are told until when, and why; the room says so, too."""
    alice, bob = await connect("alice"), await connect("bob")
    await done(alice, type="join", room="dev")
    await done(bob, type="join", room="dev")
    await done(alice, type="silence", room="dev", name="bob", minutes=10, reason="heat")
    refused = await bob.ask(type="send", room="dev", text="but")
    assert refused["code"] == "silenced"
    assert re.search(r"It lasts until .* UTC\. Reason: heat\.$", refused["message"])
    assert refused["until"][:16].replace("T", " ") in refused["message"]
    event = await bob.see("silenced", room="dev")
    (info,) = (await done(bob, type="rooms", rooms=["dev"]))["rooms"]
    assert info["silenced"] == event["until"]
    await done(bob, type="send", room="general", text="elsewhere")
    await done(alice, type="silence", room="dev", name="bob")
    (info,) = (await done(bob, type="rooms", rooms=["dev"]))["rooms"]
    assert info["silenced"] == "forever"
    await done(alice, type="silence", room="dev", name="bob", on=False)
    await done(bob, type="send", room="dev", text="thanks")
    (info,) = (await done(bob, type="rooms", rooms=["dev"]))["rooms"]
    assert not info.get("silenced")


async def test_slow_mode_is_for_all_but_moderators(connect: Connect) -> None:
    """A message that comes too early is not kept for later; the next one with another number may come in its time."""
    alice, bob = await connect("alice"), await connect("bob")
    await done(alice, type="join", room="dev")
    await done(bob, type="join", room="dev")
    await done(alice, type="change", room="dev", slow=3600)
    assert (await bob.see("changed", room="dev"))["slow"] == 3600
    await done(bob, type="send", room="dev", id=1, text="one")
    refused = await bob.ask(type="send", room="dev", id=2, text="two")
    assert refused["code"] == "slow_mode"
    assert 0 < refused["wait_ms"] <= 3_600_000
    for text in ("three", "four"):
        await done(alice, type="send", room="dev", text=text)
    await done(alice, type="change", room="dev", slow=0)
    await done(bob, type="send", room="dev", id=3, text="five")
    await done(alice, type="change", room="dev", slow=3600)
    carol = await connect("carol")
    await done(carol, type="join", room="dev")
    together = [{"type": "send", "room": "dev", "text": "at once", "ref": f"t{number}"} for number in range(5)]
    await carol.raw(b"".join(json.dumps(frame).encode() + b"\n" for frame in together))
    codes = [(await carol.see("error", "ok", ref=frame["ref"])).get("code") for frame in together]
    assert codes == [None, *["slow_mode"] * 4], "also what one transaction takes is one after another"


async def test_in_a_read_only_room_moderators_speak(connect: Connect) -> None:
    """Others react; whoever is appointed may speak at once, and no more when that is taken back."""
    alice, bob = await connect("alice"), await connect("bob")
    await done(alice, type="join", room="news")
    await done(bob, type="join", room="news")
    seq = (await done(bob, type="send", room="news", text="mine"))["seq"]
    await done(alice, type="change", room="news", read_only=True)
    for frame in ({"type": "send", "text": "more"}, {"type": "edit", "seq": seq, "text": "more"}):
        assert (await bob.ask(room="news", **frame))["code"] == "read_only"
    await done(bob, type="react", room="news", seq=seq, emoji="tada")
    await done(alice, type="appoint", room="news", name="bob", role="moderator")
    assert (await bob.see("appointed", room="news"))["role"] == "moderator"
    (info,) = (await done(bob, type="rooms", rooms=["news"]))["rooms"]
    assert (info["role"], info["read_only"]) == ("moderator", True)
    await done(bob, type="send", room="news", text="more")
    await done(alice, type="appoint", room="news", name="bob", role="guest")
    assert (await bob.ask(type="send", room="news", text="more"))["code"] == "read_only"


async def test_roles_on_the_server_count_in_rooms(connect: Connect, host: Wire) -> None:
    """Where they are members; people see the role of others."""
    warden = await registered(connect, "warden", host, "moderator")
    alice, bob = await connect("alice"), await connect("bob")
    await done(alice, type="join", room="dev")
    await done(bob, type="join", room="dev")
    assert (await warden.ask(type="kick", room="dev", name="bob"))["code"] == "not_a_member"
    await done(warden, type="join", room="dev")
    assert (await warden.ask(type="kick", room="dev", name="alice"))["code"] == "not_allowed", "she made it"
    await done(warden, type="kick", room="dev", name="bob")
    who = await done(alice, type="whois", name="warden")
    assert (who["account"], who["role"]) == (True, "moderator")
    who = await done(warden, type="whois", name="alice")
    assert (who.get("account", False), who.get("role", "guest")) == (False, "guest")
    assert (await done(alice, type="appoint", room="dev", name="warden", role="admin"))["seq"]
    (info,) = (await done(warden, type="rooms", rooms=["dev"]))["rooms"]
    assert info["role"] == "admin"


# What moderators see.


async def test_the_audit_has_every_act_and_who_did_it(connect: Connect, host: Wire) -> None:
    """The latest first, in parts; of one room for its admins, of all for the server's."""
    anna = await registered(connect, "anna", host, "admin")
    alice, bob = await connect("alice"), await connect("bob")
    await done(alice, type="join", room="dev")
    await done(bob, type="join", room="dev")
    seq = (await done(bob, type="send", room="dev", text="a secret"))["seq"]
    own = (await done(bob, type="send", room="dev", text="oops"))["seq"]
    await done(bob, type="delete", room="dev", seq=own)
    await done(alice, type="delete", room="dev", seq=seq)
    await done(alice, type="change", room="dev", topic="not for the audit")
    await done(alice, type="change", room="dev", slow=30, read_only=True)
    await done(alice, type="appoint", room="dev", name="bob", role="moderator")
    await done(alice, type="silence", room="dev", name="bob", minutes=1, reason="heat")
    await done(alice, type="ban", room="dev", name="bob", reason="spam")
    await done(alice, type="ban", room="dev", name="bob", on=False)
    await done(anna, type="settings", guests=False)
    await done(anna, type="ban", range="203.0.113.0/24", reason="spam")
    await done(anna, type="kick", name="bob")
    told = [
        ("kicked", "general", "anna", "bob", "", True),
        ("range", "general", "anna", "", "203.0.113.0/24 spam", True),
        ("settings", "general", "anna", "", "guests: off", True),
        ("banned", "dev", "alice", "bob", "", False),
        ("banned", "dev", "alice", "bob", "spam", True),
        ("silenced", "dev", "alice", "bob", "heat", True),
        ("appointed", "dev", "alice", "bob", "moderator", True),
        ("changed", "dev", "alice", "", "read only: on, slow: 30", True),
        ("deleted", "dev", "alice", "bob", "", True),
        ("appointed", "general", "chat-server", "anna", "admin", True),
    ]
    acts: list[dict[str, Any]] = []
    before: dict[str, int] = {}
    more = True
    while more:
        page = await done(anna, type="audit", limit=3, **before)
        acts += page["acts"]
        before, more = {"before": acts[-1]["seq"]}, page.get("more", False)
    fields = ("what", "room", "by", "name", "detail", "on")
    assert [tuple(act.get(field, field == "on" or "") for field in fields) for act in acts] == told
    assert "secret" not in str(acts)
    of_room = (await done(alice, type="audit", room="dev"))["acts"]
    assert [act["seq"] for act in of_room] == [act["seq"] for act in acts if act["room"] == "dev"]
    assert (await alice.ask(type="audit"))["code"] == "not_allowed"


async def test_a_report_shows_the_message_to_moderators_until_it_is_settled(connect: Connect, host: Wire) -> None:
    """Also one of a private room; nobody else is told, and what is deleted shows nothing any more."""
    warden = await registered(connect, "warden", host, "moderator")
    alice, bob = await connect("alice"), await connect("bob")
    await done(alice, type="make", room="plans", private=True)
    await done(alice, type="invite", room="plans", name="bob")
    await done(bob, type="join", room="plans")
    seq = (await done(alice, type="send", room="plans", text="rude words"))["seq"]
    await done(alice, type="edit", room="plans", seq=seq, text="ruder words")
    report = (await done(bob, type="report", room="plans", seq=seq, reason="rude"))["seq"]
    assert "seq" not in await done(bob, type="report", room="plans", seq=seq), "once is enough"
    (info,) = (await done(warden, type="reports"))["reports"]
    assert (info["report"], info["by"], info["reason"]) == (report, "bob", "rude")
    assert (info["room"], info["seq"], info["sender"], info["text"]) == ("plans", seq, "alice", "ruder words")
    assert (await bob.ask(type="reports"))["code"] == "not_allowed"
    await done(alice, type="delete", room="plans", seq=seq)
    (info,) = (await done(warden, type="reports"))["reports"]
    assert not info.get("text")
    await done(warden, type="settle", report=report)
    assert (await done(warden, type="reports"))["reports"] == []
    assert (await warden.ask(type="settle", report=report))["code"] == "no_such_message"
    assert not [frame for frame in alice.heard if frame.get("seq") == report]


async def test_what_is_hidden_is_no_gap_and_counts_nowhere(connect: Connect, host: Wire) -> None:
    """Accounts, ranges, reports and settings: no line of them reaches a member, live or back later."""
    alice = await connect("alice", resumes=True)
    again = {key: alice.welcome[key] for key in ("session", "epoch", "seq")}
    await alice.close()
    carol = await registered(connect, "carol", host, "admin")
    seq = (await done(carol, type="send", room="general", text="hi"))["seq"]
    hidden = [(await done(carol, type="report", room="general", seq=seq))["seq"]]
    hidden.append((await done(carol, type="ban", range="203.0.113.0/24"))["seq"])
    await done(carol, type="settings", sign_up="invite")
    hidden.append((await done(carol, type="settle", report=hidden[0]))["seq"])
    last = (await done(carol, type="send", room="general", text="bye"))["seq"]
    back = await connect(resume=again)
    await back.see("message", seq=last)
    types = {frame["type"] for frame in back.heard if "time" in frame and "seq" in frame}
    assert types == {"message", "appointed"}
    assert not [
        frame for wire in (back, carol) for frame in wire.heard if frame["type"] != "ok" and frame.get("seq") in hidden
    ]
    (info,) = (await done(back, type="rooms", rooms=["general"]))["rooms"]
    assert info["count"] == 2
    assert info["last"] == last


async def test_bans_are_listed_while_they_last(connect: Connect) -> None:
    """Of a room, for its moderators."""
    alice, bob = await connect("alice"), await connect("bob")
    await connect("carol")
    await done(alice, type="join", room="dev")
    await done(alice, type="ban", room="dev", name="carol", minutes=5)
    await done(alice, type="silence", room="dev", name="bob", reason="heat")
    listed = (await done(alice, type="bans", room="dev"))["bans"]
    assert [(ban["kind"], ban["name"], ban["by"], ban.get("reason", "")) for ban in listed] == [
        ("silence", "bob", "alice", "heat"),
        ("ban", "carol", "alice", ""),
    ]
    assert listed[1]["until"] > listed[1]["time"]
    assert (await bob.ask(type="bans", room="dev"))["code"] == "not_a_member"
    await done(alice, type="ban", room="dev", name="carol", on=False)
    assert [ban["name"] for ban in (await done(alice, type="bans", room="dev"))["bans"]] == ["bob"]


async def test_who_hid_somebody_hears_nothing_from_them_alone(connect: Connect) -> None:
    """Neither a direct room nor an invitation reaches them; the one who tries is told only that it may not be."""
    alice, bob = await connect("alice"), await connect("bob")
    room = (await done(bob, type="direct", names=["alice"]))["room"]
    await done(bob, type="send", room=room, text="psst")
    await done(bob, type="join", room="dev")
    await done(alice, type="block", name="bob")
    assert (await bob.ask(type="send", room=room, text="psst"))["code"] == "not_allowed"
    assert (await bob.ask(type="invite", room="dev", name="alice"))["code"] == "not_allowed"
    await done(alice, type="block", name="bob", on=False)
    await done(bob, type="send", room=room, text="psst")
