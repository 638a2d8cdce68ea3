"""Accounts over real sockets: who comes in, as whom, and who does no more."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support import PATIENCE, Server, Wire

from server.protocol.text import RESERVED

PASSWORD = "correct horse"  # noqa: S105
WRONG = "wrong horse"
MANY = ("--limits", "off")
"""No limits: these tests log in more often than people."""

Connect = Callable[..., Awaitable[Wire]]


@pytest.fixture
async def connect(server: Server) -> Any:
    """Connect over TLS; all connections are closed with the test."""
    wires: list[Wire] = []

    async def open_one(name: str | None = None, *, port: int = 0, tls: bool = True, **hello: Any) -> Wire:
        wires.append(await Wire.connect(port or server.port, name, tls=tls, **hello))
        return wires[-1]

    yield open_one
    for wire in wires:
        await wire.close()


async def registered(connect: Connect, name: str, **hello: Any) -> Wire:
    """Come in as a guest and get an account."""
    wire = await connect(name, **hello)
    answer = await wire.ask(type="register", password=PASSWORD)
    assert answer["type"] == "account", answer
    wire.welcome["session"] = answer["session"]
    return wire


async def log_in(connect: Connect, name: str, password: str = PASSWORD, **hello: Any) -> Wire:
    """Come in to an account."""
    return await connect(name, password=password, **hello)


async def refused(wire: Wire, **frame: Any) -> str:
    """Return the code with which a request is refused."""
    answer = await wire.ask(**frame)
    assert answer["type"] == "error", answer
    code: str = answer["code"]
    return code


async def turned_away(connect: Connect, **hello: Any) -> str:
    """Return the code with which a hello is refused."""
    tls = hello.pop("tls", True)
    wire = await connect(tls=tls)
    return await refused(wire, type="hello", **hello)


async def end_of(wire: Wire) -> tuple[str, float]:
    """Return the code with which a connection ends, and the seconds until it has."""
    since = time.monotonic()
    frames = await wire.rest()
    return frames[-1]["code"], time.monotonic() - since


@pytest.fixture
async def host(server: Server) -> Any:
    """Whoever runs the server."""
    wire = await Wire.connect(server.port, tls=True, token=(server.data / "control.key").read_text().strip())
    yield wire
    await wire.close()


# To get an account.


async def test_a_guest_who_registers_stays_who_they_are(connect: Connect) -> None:
    """Their user, rooms and messages; their session has another secret, and the one before is worth nothing."""
    alice = await connect("alice")
    user, before = alice.welcome["user"], alice.welcome["session"]
    assert not alice.welcome.get("account")
    await alice.ask(type="join", room="dev")
    seq = (await alice.ask(type="send", room="dev", text="I was here before"))["seq"]
    answer = await alice.ask(type="register", password=PASSWORD)
    assert (answer["type"], answer["user"], answer["name"]) == ("account", user, "alice")
    assert re.fullmatch("[0-9a-f]{32}", answer["session"])
    assert answer["session"] != before
    assert await turned_away(connect, resume={"session": before}) == "no_such_session"
    again = await connect(resume={"session": answer["session"]})
    assert (again.welcome["user"], again.welcome["name"], again.welcome["account"]) == (user, "alice", True)
    assert again.welcome["role"] == "member"
    laptop = await log_in(connect, "alice", device="laptop")
    assert (laptop.welcome["user"], laptop.welcome["rooms"]) == (user, ["general", "dev"])
    page = await laptop.hear("history", room="dev")
    assert [(message["seq"], message["user"]) for message in page["messages"]] == [(seq, user)]
    assert (await laptop.ask(type="send", room="dev", text="and am"))["type"] == "ok"
    assert await refused(laptop, type="register", password=PASSWORD) == "has_account"


async def test_a_guest_may_register_under_another_name(connect: Connect) -> None:
    """Others see them renamed, and the name they had is free."""
    bob, alice = await connect("bob"), await connect("lisa")
    answer = await alice.ask(type="register", name="Alice", password=PASSWORD)
    assert (answer["name"], answer["user"]) == ("Alice", alice.welcome["user"])
    renamed = await bob.hear("renamed")
    assert (renamed["old"], renamed["new"]) == ("lisa", "Alice")
    await connect("lisa")


async def test_a_new_person_registers_before_hello(connect: Connect) -> None:
    """And says hello with the password; the name is theirs from then on."""
    wire = await connect()
    made = await wire.ask(type="register", name="carol", password=PASSWORD)
    assert (made["type"], made["name"]) == ("account", "carol")
    assert "session" not in made
    welcome = await wire.ask(type="hello", name="CAROL", password=PASSWORD)
    assert (welcome["type"], welcome["name"], welcome["user"]) == ("welcome", "carol", made["user"])
    assert welcome["account"]
    assert await refused(await connect(), type="register", name="carol", password=PASSWORD) == "name_taken"


async def test_a_name_that_somebody_uses_is_no_accounts(connect: Connect) -> None:
    """Nor one like it; nothing is left of the attempt."""
    await connect("dave")
    for name in ("dave", "DAVE", "dаve"):
        wire = await connect()
        assert await refused(wire, type="register", name=name, password=PASSWORD) == "name_taken"
    assert await turned_away(connect, name="dave", password=PASSWORD) == "login_failed"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"password": "short"}, "bad_password"),
        ({"password": PASSWORD, "sso": True}, "bad_frame"),
        ({}, "bad_frame"),
        ({"sso": True}, "sso_unavailable"),
        ({"password": PASSWORD, "name": "a b"}, "bad_name"),
        ({"password": PASSWORD, "name": "admin"}, "bad_name"),
    ],
)
async def test_what_makes_no_account(shared_server: Server, frame: dict[str, Any], code: str) -> None:
    """Inside and before hello alike, and who asked stays a guest."""
    inside = await Wire.connect(shared_server.port, "erin", tls=True)
    outside = await Wire.connect(shared_server.port, tls=True)
    assert await refused(inside, type="register", **frame) == code
    assert await refused(outside, type="register", **{"name": "frank", **frame}) == code
    assert not (await inside.ask(type="whois", name="erin")).get("account")
    await inside.say(type="quit")  # and the name is free for the next
    await inside.rest()
    for wire in (inside, outside):
        await wire.close()


async def test_two_who_register_one_name_at_once(connect: Connect) -> None:
    """One has it, the other is told that it is taken."""
    wires = [await connect() for _ in range(4)]
    answers = await asyncio.gather(
        *(wire.ask(type="register", name="grace", password=f"{PASSWORD} {number}") for number, wire in enumerate(wires))
    )
    assert sorted(answer["type"] for answer in answers) == ["account", "error", "error", "error"]
    assert {answer["code"] for answer in answers if answer["type"] == "error"} == {"name_taken"}
    winner = next(number for number, answer in enumerate(answers) if answer["type"] == "account")
    await log_in(connect, "grace", f"{PASSWORD} {winner}")


# Names.


async def test_an_accounts_names_are_its_own(connect: Connect) -> None:
    """Also those it had, and what looks like them; whether it is the name or only like it, the answer is the same."""
    alice = await registered(connect, "alice")
    assert (await alice.ask(type="nick", name="alicia"))["type"] == "ok"
    answers = []
    for name in ("alice", "ALICE", "аlice", "alicia", "Alicia"):
        wire = await connect()
        answers.append(await wire.ask(type="hello", name=name))
    assert {answer["code"] for answer in answers} == {"login_needed"}
    assert len({answer["message"] for answer in answers}) == 1
    guest = await connect("bob")
    assert await refused(guest, type="nick", name="alice") == "login_needed"
    assert await refused(guest, type="nick", name="alicia") == "login_needed"
    assert (await guest.ask(type="whois", name="bob"))["name"] == "bob"
    carol = await registered(connect, "carol")
    assert await refused(carol, type="nick", name="alice") == "name_taken"
    assert (await log_in(connect, "alice")).welcome["name"] == "alicia"
    assert (await alice.ask(type="nick", name="alice"))["type"] == "ok"


async def test_a_guest_whose_name_became_an_accounts_takes_another(connect: Connect) -> None:
    """Their session is good still, under another name."""
    guest = await connect("bob")
    session = guest.welcome["session"]
    await guest.ask(type="quit")
    await guest.rest()
    await registered(connect, "bob")
    assert await turned_away(connect, resume={"session": session}) == "login_needed"
    again = await connect("bobby", resume={"session": session})
    assert (again.welcome["user"], again.welcome["name"]) == (guest.welcome["user"], "bobby")


async def test_names_that_would_be_read_as_more_are_nobodys(connect: Connect) -> None:
    """Nor what looks like them, nor by a change of name."""
    guest = await connect("guest")
    for name in [*sorted(RESERVED), "Admin", "аdmin", "rооt", "SERVER", "Ｍod"]:
        assert await turned_away(connect, name=name) == "bad_name"
        assert await refused(guest, type="nick", name=name) == "bad_name"


async def test_who_says_an_accounts_name_again_and_again_keeps_nobody_out(connect: Connect) -> None:
    """A name that is only asked for is not taken: its owner comes in meanwhile."""
    alice = await registered(connect, "alice")
    await alice.ask(type="quit")
    await alice.rest()
    guests = [await connect() for _ in range(5)]
    for _ in range(20):
        for guest in guests:
            await guest.say(type="hello", name="alice")
    laptop = await log_in(connect, "alice")
    assert laptop.welcome["name"] == "alice"
    for guest in guests:
        assert (await guest.hear("error"))["code"] in ("login_needed", "name_taken")


# To come in.


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(connect: Connect) -> None:
    """To the letter; and nothing of what was typed is said again."""
    await registered(connect, "alice")
    answers = []
    for name in ("alice", "nobody_here", "ALICE"):
        wire = await connect()
        answer = await wire.ask(type="hello", name=name, password=WRONG)
        answers.append({key: value for key, value in answer.items() if key != "ref"})
    assert [answer["code"] for answer in answers] == ["login_failed"] * 3
    assert answers[0] == answers[1] == answers[2]
    assert "horse" not in json.dumps(answers)


async def test_no_secret_of_an_account_is_taken_in_the_open(connect: Connect, server: Server) -> None:
    """On loopback, too; an account's session is not good there, and stays good elsewhere."""
    alice = await registered(connect, "alice")
    session = alice.welcome["session"]
    control = (server.data / "control.key").read_text().strip()
    for hello in (
        {"name": "alice", "password": PASSWORD},
        {"sso": True},
        {"token": control},
        {"resume": {"session": session}},
    ):
        assert await turned_away(connect, tls=False, **hello) == "tls_required"
    plain = await connect("guest", tls=False)
    assert await refused(plain, type="register", password=PASSWORD) == "tls_required"
    assert await refused(plain, type="claim", code="0000") == "tls_required"
    assert await refused(plain, type="password", old=PASSWORD, new=PASSWORD) == "tls_required"
    assert (await connect(resume={"session": session})).welcome["name"] == "alice"
    # A guest's own session may travel so.
    again = await connect(tls=False, resume={"session": plain.welcome["session"]})
    assert again.welcome["name"] == "guest"


async def test_one_way_in_at_a_time(connect: Connect) -> None:
    """Two are a mistake of the program, and say so."""
    assert await turned_away(connect, name="a", password=PASSWORD, sso=True) == "bad_frame"
    assert await turned_away(connect, resume={"session": "x"}, password=PASSWORD) == "bad_frame"


async def test_attempts_are_slowed_before_anything_is_hashed(start_server: Callable[..., Server]) -> None:
    """Five for a name, whether there is such an account or not, and told for how long; a session is not slowed."""
    server = start_server(*MANY, "--limit", "login_rate=2")
    alice = await Wire.connect(server.port, "alice", tls=True)
    session = (await alice.ask(type="register", password=PASSWORD))["session"]
    for name in ("alice", "nobody_here"):
        wire = await Wire.connect(server.port, tls=True)
        answers = [await wire.ask(type="hello", name=name, password=WRONG) for _ in range(7)]
        assert [answer["code"] for answer in answers] == ["login_failed"] * 5 + ["rate_limited"] * 2
        assert 0 < answers[-1]["wait_ms"] <= 30_000
        assert await refused(wire, type="hello", name=name, password=PASSWORD) == "rate_limited"
        await wire.close()
    again = await Wire.connect(server.port, tls=True, resume={"session": session})
    assert again.welcome["name"] == "alice"
    await again.close()
    await alice.close()


async def test_who_has_gone_while_a_password_is_looked_at(connect: Connect) -> None:
    """Nothing comes of it; others go on."""
    alice = await registered(connect, "alice")
    for _ in range(3):
        wire = await connect()
        await wire.say(type="hello", name="alice", password=PASSWORD)
        wire.writer.transport.abort()
    assert (await log_in(connect, "alice")).welcome["name"] == "alice"
    assert [device["online"] for device in await devices(alice) if device.get("online")] == [True, True]


# Passwords.


async def test_another_password_ends_the_other_sessions(connect: Connect) -> None:
    """At once; the old password is worth nothing, and the session that asked goes on."""
    alice = await registered(connect, "alice")
    laptop = await log_in(connect, "alice")
    stays, goes = alice.welcome["session"], laptop.welcome["session"]
    assert await refused(alice, type="password", old="wrong horse", new="battery staple") == "login_failed"
    assert await refused(alice, type="password", old=PASSWORD, new="short") == "bad_password"
    ends = asyncio.ensure_future(end_of(laptop))
    assert (await alice.ask(type="password", old=PASSWORD, new="battery staple"))["type"] == "ok"
    assert (await ends)[0] == "session_ended"
    assert (await alice.ask(type="send", room="general", text="still here"))["type"] == "ok"
    assert await turned_away(connect, resume={"session": goes}) == "no_such_session"
    assert await turned_away(connect, name="alice", password=PASSWORD) == "login_failed"
    assert (await log_in(connect, "alice", "battery staple")).welcome["name"] == "alice"
    assert (await connect(resume={"session": stays})).welcome["name"] == "alice"


async def test_whoever_runs_the_server_sets_a_password(connect: Connect, host: Wire) -> None:
    """Without the old one; all sessions end. Nobody else can for another."""
    alice, bob = await registered(connect, "alice"), await registered(connect, "bob")
    answer = await bob.ask(type="password", name="alice", old=PASSWORD, new="battery staple")
    assert answer["code"] == "not_allowed"
    ends = asyncio.ensure_future(end_of(alice))
    assert (await host.ask(type="password", name="alice", old="", new="battery staple"))["type"] == "ok"
    assert (await ends)[0] == "session_ended"
    await log_in(connect, "alice", "battery staple")
    assert await refused(host, type="password", name="nobody_here", old="", new="battery staple") == "no_such_person"


# Devices.


async def devices(wire: Wire, **more: Any) -> list[dict[str, Any]]:
    """Return one's sessions."""
    answer = await wire.ask(type="devices", **more)
    assert answer["type"] == "devices", answer
    found: list[dict[str, Any]] = answer["devices"]
    return found


async def test_the_first_device_is_ended_from_the_second(connect: Connect) -> None:
    """Register, log in on a second device, end the first from there: it is out within a second, and stays out."""
    alice = await registered(connect, "alice", device="first")
    session = alice.welcome["session"]
    second = await log_in(connect, "alice", device="second")
    listed = await devices(second)
    assert [(one["device"], one.get("current", False), one.get("online", False)) for one in listed] == [
        ("second", True, True),
        ("first", False, True),
    ]
    assert {one["address"] for one in listed} == {"127.0.0.1"}
    ends = asyncio.ensure_future(end_of(alice))
    assert (await second.ask(type="end", session=listed[1]["id"]))["type"] == "ok"
    code, seconds = await ends
    assert code == "session_ended"
    assert seconds < 1
    assert await turned_away(connect, resume={"session": session}) == "no_such_session"
    assert len(await devices(second)) == 1
    assert await refused(second, type="end", session=listed[1]["id"]) == "no_such_session"


async def test_a_device_that_reads_nothing_is_cut_off(connect: Connect) -> None:
    """At once: what waits for it is dropped, and nothing that comes after reaches it."""
    alice = await registered(connect, "alice")
    second = await log_in(connect, "alice")
    alice.writer.transport.pause_reading()  # type: ignore[attr-defined]
    for _ in range(1500):
        await second.say(type="send", room="general", text="x" * 8000)
    other = next(one for one in await devices(second) if not one.get("current"))
    ended = await second.ask(type="end", session=other["id"])
    assert ended["type"] == "ok"
    await second.ask(type="send", room="general", text="and this comes after")
    alice.writer.transport.resume_reading()  # type: ignore[attr-defined]
    received = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE):
            while part := await alice.reader.read(1 << 20):
                received += part
    assert 0 < received.count(b'"type":"message"') < 1500
    assert b"and this comes after" not in received


async def test_logging_out_frees_the_name_at_once(connect: Connect) -> None:
    """Others see them leave, the session is worth nothing; the password is good still."""
    bob, alice = await connect("bob"), await registered(connect, "alice", resumes=True)
    session = alice.welcome["session"]
    await bob.hear_of("joined", "alice")
    await alice.say(type="end", ref="e")
    frames = await alice.rest()
    assert [frame["type"] for frame in frames if frame.get("ref") == "e"] == ["ok"]
    assert frames[-1]["code"] == "session_ended"
    await bob.hear_of("left", "alice")
    assert await turned_away(connect, resume={"session": session}) == "no_such_session"
    await log_in(connect, "alice")


async def test_all_other_sessions_are_ended(connect: Connect) -> None:
    """Those that are connected and those that are not."""
    alice = await registered(connect, "alice")
    others = [await log_in(connect, "alice") for _ in range(3)]
    await others[0].close()
    ends = [asyncio.ensure_future(end_of(wire)) for wire in others[1:]]
    assert (await alice.ask(type="end", others=True))["type"] == "ok"
    assert [(await end)[0] for end in ends] == ["session_ended"] * 2
    assert [one["current"] for one in await devices(alice)] == [True]


async def test_nobody_sees_or_ends_anothers_sessions(connect: Connect, host: Wire) -> None:
    """But whoever runs the server, who ends all of somebody's: also of one who is only kept a name for."""
    alice, bob = await registered(connect, "alice"), await registered(connect, "bob", resumes=True)
    await alice.hear_of("joined", "bob")
    assert await refused(alice, type="devices", name="bob") == "not_allowed"
    assert await refused(alice, type="end", name="bob") == "not_allowed"
    number = (await devices(bob))[0]["id"]
    assert await refused(alice, type="end", session=number) == "no_such_session"
    assert [one["id"] for one in await devices(host, name="bob")] == [number]
    bob.writer.transport.abort()  # it may come back within the grace time
    assert (await host.ask(type="end", name="bob"))["type"] == "ok"
    await alice.hear_of("left", "bob")
    assert await turned_away(connect, resume={"session": bob.welcome["session"]}) == "no_such_session"


async def test_a_code_for_a_device_is_good_once(connect: Connect) -> None:
    """Who uses it is the same person, and has a session of their own."""
    alice = await registered(connect, "alice")
    code = (await alice.ask(type="device"))["session"]
    assert [one.get("waiting", False) for one in await devices(alice)] == [True, False]
    laptop = await connect(resume={"session": code}, device="laptop")
    assert laptop.welcome["user"] == alice.welcome["user"]
    assert laptop.welcome["session"] != code
    assert await turned_away(connect, resume={"session": code}) == "no_such_session"
    assert (await connect(resume={"session": laptop.welcome["session"]})).welcome["name"] == "alice"
    assert sorted(one.get("device", "") for one in await devices(alice)) == ["", "laptop"]


async def test_a_guests_other_devices_end_when_they_register(connect: Connect) -> None:
    """Their secrets may have travelled in the open."""
    alice = await connect("alice")
    code = (await alice.ask(type="device"))["session"]
    laptop = await connect(tls=False, resume={"session": code})
    ends = asyncio.ensure_future(end_of(laptop))
    assert (await alice.ask(type="register", password=PASSWORD))["type"] == "account"
    assert (await ends)[0] == "session_ended"
    assert await turned_away(connect, resume={"session": laptop.welcome["session"]}) == "no_such_session"


# How the server takes people.


async def test_the_owners_code_makes_one_owner_once(connect: Connect, server: Server) -> None:
    """It takes an account; capitals and dashes don't matter; whom it made is the owner, and nobody else by it."""
    code = server.owner_code
    guest = await connect("guest")
    assert await refused(guest, type="claim", code=code) == "no_account"
    alice = await registered(connect, "alice")
    assert await refused(alice, type="claim", code="0000-0000-0000-0000-0000") == "bad_code"
    assert (await alice.ask(type="claim", code=code.upper().replace("-", " ")))["type"] == "ok"
    told = await guest.hear("appointed")
    assert (told["sender"], told["name"], told["role"]) == ("chat-server", "alice", "owner")
    bob = await registered(connect, "bob")
    assert await refused(bob, type="claim", code=code) == "bad_code"
    assert (await log_in(connect, "alice")).welcome["role"] == "owner"
    _, out, _ = server.stop()
    assert "Owner code" not in out


async def test_the_owners_code_is_shown_at_the_first_start_alone(start_server: Callable[..., Server]) -> None:
    """Whoever runs the server may have another one made; the one before is worth nothing then."""
    first = start_server(*MANY)
    _, out, _ = first.stop()
    codes = re.findall(r"Owner code: (\S+)\. ", out)
    assert len(codes) == 1
    second = start_server(*MANY)
    host = await Wire.connect(second.port, tls=True, token=(second.data / "control.key").read_text().strip())
    made = await host.ask(type="ticket", owner=True)
    alice = await Wire.connect(second.port, "alice", tls=True)
    assert (await alice.ask(type="register", password=PASSWORD))["type"] == "account"
    assert await refused(alice, type="ticket", owner=True) == "not_allowed"
    assert await refused(alice, type="claim", code=codes[0]) == "bad_code"
    assert (await alice.ask(type="claim", code=made["ticket"]))["type"] == "ok"
    await alice.close()
    await host.close()
    _, out, _ = second.stop()
    assert "Owner code" not in out


async def test_where_nobody_signs_up_or_only_by_invitation(connect: Connect, host: Wire) -> None:
    """A ticket is used up with the account it makes; who may give them, and see them, is in the table of rights."""
    alice = await registered(connect, "alice")
    assert await refused(alice, type="settings", sign_up="closed") == "not_allowed"
    assert await refused(alice, type="ticket") == "not_allowed"
    assert await refused(alice, type="tickets") == "not_allowed"
    answer = await host.ask(type="settings", sign_up="invite")
    assert (answer["type"], answer["sign_up"], answer["guests"]) == ("settings", "invite", True)
    assert (await alice.ask(type="settings"))["sign_up"] == "invite"
    assert (await alice.ask(type="about"))["sign_up"] == "invite"
    ticket = await host.ask(type="ticket", uses=1, hours=1)
    guest = await connect("bob")
    assert await refused(guest, type="register", password=PASSWORD) == "no_sign_up"
    assert await refused(guest, type="register", password=PASSWORD, ticket="0000") == "bad_code"
    listed = (await host.ask(type="tickets"))["tickets"]
    assert [(one["id"], one["uses"], one["by"]) for one in listed] == [(ticket["id"], 1, "chat-server")]
    assert ticket["ticket"] not in json.dumps(listed)
    await connect("mallory")
    outside = await connect()

    async def try_ticket(name: str, ticket: dict[str, Any]) -> str:
        return await refused(outside, type="register", name=name, password=PASSWORD, ticket=ticket["ticket"])

    assert await try_ticket("mallory", ticket) == "name_taken"  # that uses up no ticket
    assert (await guest.ask(type="register", password=PASSWORD, ticket=ticket["ticket"]))["type"] == "account"
    assert await try_ticket("carol", ticket) == "bad_code"
    assert (await host.ask(type="tickets"))["tickets"] == []
    another = await host.ask(type="ticket", uses=5)
    assert (await host.ask(type="ticket", id=another["id"]))["type"] == "ticket"
    assert await try_ticket("carol", another) == "bad_code"
    third = await host.ask(type="ticket")
    await host.ask(type="settings", sign_up="closed")
    assert await try_ticket("carol", third) == "no_sign_up"


async def test_one_ticket_for_many_at_once(connect: Connect, host: Wire) -> None:
    """As often as it is good, and no more."""
    await host.ask(type="settings", sign_up="invite")
    ticket = (await host.ask(type="ticket", uses=3))["ticket"]
    wires = [await connect() for _ in range(8)]
    answers = await asyncio.gather(
        *(
            wire.ask(type="register", name=f"name{number}", password=PASSWORD, ticket=ticket)
            for number, wire in enumerate(wires)
        )
    )
    assert sorted(answer.get("code", "account") for answer in answers) == ["account"] * 3 + ["bad_code"] * 5


async def test_where_guests_do_not_come_in(connect: Connect, host: Wire) -> None:
    """Neither new ones nor those who were here; accounts do."""
    guest = await connect("guest")
    session = guest.welcome["session"]
    await guest.ask(type="quit")
    await registered(connect, "alice")
    await host.ask(type="settings", guests=False)
    assert await turned_away(connect, name="bob") == "no_guests"
    assert await turned_away(connect, resume={"session": session}) == "no_guests"
    assert await turned_away(connect, name="alice") == "no_guests"
    assert not (await (await connect()).ask(type="about"))["guests"]
    await log_in(connect, "alice")
    # And it stays so.
    assert (await host.ask(type="settings", guests=True))["guests"]
    await connect("bob")


async def test_settings_outlive_the_server(start_server: Callable[..., Server]) -> None:
    """They are events of its log."""
    first = start_server(*MANY)
    host = await Wire.connect(first.port, tls=True, token=(first.data / "control.key").read_text().strip())
    await host.ask(type="settings", guests=False, sign_up="invite")
    old = (first.data / "control.key").read_text().strip()
    await host.close()
    first.stop()
    second = start_server(*MANY)
    wire = await Wire.connect(second.port, tls=True)
    about = await wire.ask(type="about")
    assert (about.get("guests"), about["sign_up"]) == (False, "invite")
    assert await refused(wire, type="hello", token=old) == "login_failed"
    await wire.close()


async def test_who_has_an_account_is_told_to_moderators(connect: Connect, host: Wire) -> None:
    """With their role; others may not know."""
    alice, bob = await registered(connect, "alice"), await registered(connect, "bob")
    await connect("guest")
    assert await refused(alice, type="accounts") == "not_allowed"
    assert (await host.ask(type="appoint", name="alice", role="moderator"))["type"] == "ok"
    listed = (await alice.ask(type="accounts"))["accounts"]
    assert [(one["name"], one.get("role", "member")) for one in listed] == [("alice", "moderator"), ("bob", "member")]
    after = (await alice.ask(type="accounts", after=alice.welcome["user"]))["accounts"]
    assert [one["user"] for one in after] == [bob.welcome["user"]]


async def test_whoever_runs_the_server_is_in_no_room(connect: Connect, host: Wire) -> None:
    """Nobody is told of them, they are nobody's name, and a wrong token is none."""
    assert (host.welcome["user"], host.welcome["name"], host.welcome["session"]) == (0, "chat-server", "")
    assert host.welcome.get("rooms", []) == []
    alice = await connect("alice")
    roster = await alice.see("roster", room="general")
    assert roster["names"] == ["alice"]
    assert await refused(host, type="nick", name="alice2") == "not_allowed"
    assert await refused(host, type="register", password=PASSWORD) == "not_allowed"
    assert await refused(host, type="device") == "not_allowed"
    assert await turned_away(connect, token="0" * 64) == "login_failed"
    await alice.ask(type="send", room="general", text="hi")
    assert not [frame for frame in host.heard if frame["type"] in ("message", "joined")]


# Blocking.


async def test_who_is_blocked_is_told_to_all_ones_devices_alone(connect: Connect) -> None:
    """It stays so, and who is blocked is not told."""
    alice, bob = await registered(connect, "alice"), await connect("bob")
    laptop = await log_in(connect, "alice")
    assert not [frame for frame in laptop.heard if frame["type"] == "blocked"]
    assert (await alice.ask(type="block", name="bob"))["type"] == "ok"
    expected = [[bob.welcome["user"], "bob"]]
    assert (await alice.see("blocked"))["people"] == expected
    assert (await laptop.hear("blocked"))["people"] == expected
    phone = await log_in(connect, "alice")
    assert (await phone.hear("blocked"))["people"] == expected
    assert await refused(alice, type="block", name="alice") == "not_allowed"
    assert await refused(alice, type="block", name="nobody_here") == "no_such_person"
    assert (await alice.ask(type="block", name="bob", on=False))["type"] == "ok"
    assert (await phone.hear("blocked"))["people"] == []
    assert not [frame for frame in bob.heard if frame["type"] == "blocked"]


async def test_who_is_blocked_writes_to_one_alone_no_more(connect: Connect) -> None:
    """Neither in a room of the two, nor a new one, nor by an invitation; in other rooms as before."""
    alice, bob = await connect("alice"), await connect("bob")
    direct = (await bob.ask(type="direct", names=["alice"]))["room"]
    assert (await alice.ask(type="block", name="bob"))["type"] == "ok"
    assert await refused(bob, type="send", room=direct, text="hello?") == "not_allowed"
    assert (await bob.ask(type="send", room="general", text="hello?"))["type"] == "ok"
    await bob.ask(type="make", room="den", private=True)
    assert await refused(bob, type="invite", room="den", name="alice") == "not_allowed"
    carol = await connect("carol")
    assert (await carol.ask(type="block", name="bob"))["type"] == "ok"
    assert await refused(bob, type="direct", names=["carol"]) == "not_allowed"
    assert (await alice.ask(type="block", name="bob", on=False))["type"] == "ok"
    assert (await bob.ask(type="send", room=direct, text="hello!"))["type"] == "ok"


# Nothing secret is left lying about.


async def test_no_secret_is_in_the_log_or_the_database(start_server: Callable[..., Server]) -> None:
    """Passwords, sessions, codes, tickets: of each only a hash is kept, and nothing of any is said."""
    server = start_server(*MANY)
    host = await Wire.connect(server.port, tls=True, token=(server.data / "control.key").read_text().strip())
    secrets = [PASSWORD, "wrong horse", "battery staple"]
    ticket = await host.ask(type="ticket")
    alice = await Wire.connect(server.port, "alice", tls=True)
    secrets += [ticket["ticket"], alice.welcome["session"]]
    secrets.append((await alice.ask(type="register", password=PASSWORD, ticket=ticket["ticket"]))["session"])
    secrets.append((await alice.ask(type="device"))["session"])
    await alice.ask(type="password", old="wrong horse", new="battery staple")
    await alice.ask(type="password", old=PASSWORD, new="battery staple")
    await alice.raw(b'{"type":"password","old":"battery staple","new":7}\n')
    await alice.ask(type="claim", code="wrong horse")
    await alice.close()
    await host.close()
    _, out, err = server.stop()
    files = b"".join(path.read_bytes() for path in server.data.iterdir() if path.is_file() and path.suffix != ".key")
    for secret in secrets:
        assert secret not in out + err
        assert secret.encode() not in files
