"""Who moderates is seen by everyone, and what is reported reaches them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support import Server, Wire

PASSWORD = "correct horse"  # noqa: S105

Connect = Callable[..., Awaitable[Wire]]


@pytest.fixture
async def host(server: Server, connect: Connect) -> Wire:
    """Whoever runs the server."""
    return await connect(tls=True, token=(server.data / "control.key").read_text().strip())


async def done(wire: Wire, **frame: Any) -> dict[str, Any]:
    """Do something that is allowed."""
    answer = await wire.ask(**frame)
    assert answer["type"] != "error", (frame, answer)
    return answer


async def registered(connect: Connect, name: str, host: Wire, role: str) -> Wire:
    """Come in with a new account, appointed to a role on the server by the host."""
    wire = await connect(name, tls=True)
    await done(wire, type="register", password=PASSWORD)
    await done(host, type="appoint", name=name, role=role)
    return wire


async def roles_of(wire: Wire, room: str) -> dict[str, str]:
    """Return what a roster of this room says of roles."""
    roles: dict[str, str] = {}
    more = True
    while more:
        roster = await wire.hear("roster", room=room)
        roles |= roster.get("roles", {})
        more = roster.get("more", False)
    return roles


async def told_of(wire: Wire, name: str) -> None:
    """Wait until they were told that this one came in: a roster has who was told of."""
    while name not in (await wire.hear("joined"))["names"]:
        pass


async def test_a_roster_says_who_moderates(connect: Connect, host: Wire) -> None:
    """In the room, or on the whole server; not who is as all others are, nor who is appointed elsewhere."""
    maker = await connect("maker")
    await done(maker, type="make", room="dev")
    await registered(connect, "warden", host, "moderator")
    await registered(connect, "member", host, "member")
    await told_of(maker, "member")
    newcomer = await connect("newcomer")
    assert await roles_of(newcomer, "general") == {"warden": "moderator"}
    await done(host, type="appoint", name="member", role="admin")
    await newcomer.hear("appointed")
    await newcomer.say(type="join", room="dev")
    assert await roles_of(newcomer, "dev") == {"maker": "owner"}
    await done(host, type="appoint", name="warden", role="member")
    last = await connect("last")
    assert await roles_of(last, "general") == {"member": "admin"}


async def test_who_comes_in_comes_with_their_role(connect: Connect, host: Wire) -> None:
    """Those who are here are told with the arrival."""
    maker = await connect("maker")
    await done(maker, type="make", room="dev")
    warden = await registered(connect, "warden", host, "moderator")
    await warden.say(type="join", room="dev")
    arrival = await maker.hear("joined", room="dev", names=["warden"])
    assert arrival["roles"] == {"warden": "moderator"}


async def test_roles_are_known_again_after_a_restart(
    start_server: Callable[..., Server], server: Server, connect: Connect, host: Wire
) -> None:
    """Of rooms as of the server."""
    maker = await connect("maker", resumes=True)
    await done(maker, type="make", room="dev")
    await registered(connect, "warden", host, "moderator")
    server.stop()
    again = start_server("--limits", "off", data=server.data)
    back = await connect(port=again.port, resume={"session": maker.welcome["session"]})
    assert await roles_of(back, "dev") == {"maker": "owner"}
    warden = await connect("warden", port=again.port, tls=True, password=PASSWORD)
    assert await roles_of(warden, "general") == {"warden": "moderator"}


async def test_whois_says_in_which_rooms_somebody_moderates(connect: Connect) -> None:
    """Of the rooms one shares with them."""
    maker, bob = await connect("maker"), await connect("bob")
    for room in ("dev", "apart"):
        await done(maker, type="make", room=room)
    await done(bob, type="join", room="dev")
    person = await done(bob, type="whois", name="maker")
    assert (person.get("role", "guest"), person["roles"]) == ("guest", {"dev": "owner"})
    assert "roles" not in await done(maker, type="whois", name="bob")


async def test_whois_by_a_former_name_says_that_they_are_here(connect: Connect, host: Wire) -> None:
    """All names that an account had are its own."""
    alice, bob = await registered(connect, "b0b", host, "member"), await connect("carol")
    await done(alice, type="nick", name="alice")
    person = await done(bob, type="whois", name="b0b")
    assert (person["name"], person["online"], "seen" in person) == ("alice", True, False)


async def test_a_report_reaches_the_moderators_who_are_here(connect: Connect, host: Wire) -> None:
    """Unasked, once, on all their devices, and nobody else."""
    warden = await registered(connect, "warden", host, "moderator")
    phone = await connect("warden", tls=True, password=PASSWORD)
    bob, carol = await connect("bob"), await connect("carol")
    seq = (await done(bob, type="send", room="general", text="buy now"))["seq"]
    await done(carol, type="report", room="general", seq=seq, reason="spam")
    for wire in (warden, phone):
        told = await wire.hear("reports")
        assert "ref" not in told
        (report,) = told["reports"]
        assert (report["by"], report["sender"], report["text"], report["reason"]) == ("carol", "bob", "buy now", "spam")
    await done(carol, type="report", room="general", seq=seq, reason="spam")  # the same again is no news
    await done(carol, type="send", room="general", text="that is all")
    for wire in (warden, phone, bob, carol):
        await wire.hear("message", text="that is all")
    await done(bob, type="whois", name="carol")
    assert not [frame for wire in (bob, carol) for frame in wire.heard if frame["type"] == "reports"]
    for wire in (warden, phone):
        await done(wire, type="whois", name="carol")
        assert len([frame for frame in wire.heard if frame["type"] == "reports"]) == 1


async def test_an_address_is_banned_by_itself(connect: Connect, host: Wire) -> None:
    """Where nobody is called so it needs no field of its own; of a room it can't be."""
    await done(host, type="ban", name="203.0.113.7", reason="spam")
    (ban,) = (await done(host, type="bans"))["bans"]
    assert (ban["kind"], ban["range"], ban["reason"]) == ("range", "203.0.113.7/32", "spam")
    await done(host, type="ban", name="203.0.113.7", on=False)
    assert (await done(host, type="bans"))["bans"] == []
    assert (await host.ask(type="ban", name="203.0.113"))["code"] == "no_such_person"
    assert (await host.ask(type="ban", name="203.0.113.7", room="nowhere"))["code"] == "no_such_room"
