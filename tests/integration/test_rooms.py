"""Rooms of all kinds over real sockets: made, found, entered by invitation, changed, archived, left."""

from collections.abc import Callable
from typing import Any

import pytest
from support import Server, Wire

from server.protocol import limits


async def say(wire: Wire, room: str, text: str, **more: Any) -> int:
    """Say something and return its seq."""
    answer = await wire.ask(type="send", room=room, text=text, **more)
    assert answer["type"] == "ok", answer
    seq: int = answer["seq"]
    return seq


async def refused(wire: Wire, **frame: Any) -> str:
    """Return the code with which a request is refused."""
    answer = await wire.ask(**frame)
    assert answer["type"] == "error", answer
    code: str = answer["code"]
    return code


async def stands(wire: Wire) -> dict[str, Any]:
    """Return how one stands in each of one's rooms."""
    answer = await wire.ask(type="rooms")
    return {room["room"]: room for room in answer["rooms"]}


# Making.


async def test_a_room_is_made_as_one_wants_it(connect: Any) -> None:
    """Its maker is its owner and in it at once; what is known of it is told to who asks."""
    alice = await connect("alice")
    made = await alice.ask(type="make", room="#Dev", title="Development", topic="What we\nbuild")
    assert (made["type"], made["room"]) == ("ok", "dev")
    assert (await alice.see("roster", room="dev"))["names"] == ["alice"]
    info = (await stands(alice))["dev"]
    wanted = {"title": "Development", "topic": "What we build", "owner": alice.welcome["user"], "members": 1}
    assert {key: info[key] for key in wanted} == wanted
    assert await refused(alice, type="make", room="DEV") == "room_exists"
    assert await refused(alice, type="make", room="dev room") == "bad_room"
    assert await refused(alice, type="make", room="ops", topic="x" * (limits.TOPIC_CHARS + 1)) == "bad_text"


async def test_rooms_are_listed_in_pages_and_private_ones_only_to_their_members(connect: Any) -> None:
    """By handle, with title, topic and how many are in; the invited see none of it here."""
    alice, bob = await connect("alice"), await connect("bob")
    await alice.ask(type="make", room="zoo", title="Animals")
    await alice.ask(type="make", room="secret", private=True)
    await alice.ask(type="invite", room="secret", name="bob")
    await bob.ask(type="join", room="zoo")
    await alice.ask(type="direct", names=["bob"])
    listed = (await bob.ask(type="list"))["rooms"]
    assert [(room["room"], room["title"], room.get("members", 0)) for room in listed] == [
        ("general", "general", 0),
        ("zoo", "Animals", 2),
    ]
    listed = (await alice.ask(type="list"))["rooms"]
    assert [room["room"] for room in listed] == ["general", "secret", "zoo"]
    assert [room["room"] for room in (await alice.ask(type="list", after="secret"))["rooms"]] == ["zoo"]
    carol = await connect("carol")
    assert [room.get("member", True) for room in (await carol.ask(type="list"))["rooms"]] == [True, False]


async def test_a_long_list_comes_page_by_page(connect: Any) -> None:
    """Every room once, each page within a line, however long their titles."""
    alice = await connect("alice")
    handles = [f"r{number:03}" for number in range(120)]
    for handle in handles:
        await alice.say(type="make", room=handle, title="世" * limits.TOPIC_CHARS, topic="界" * limits.TOPIC_CHARS)
    got: list[str] = []
    page = await alice.ask(type="list")
    while page.get("more", False):
        got += [room["room"] for room in page["rooms"]]
        page = await alice.ask(type="list", after=got[-1])
    got += [room["room"] for room in page["rooms"]]
    assert got == ["general", *handles]
    # How one stands in them comes in parts, the last of which says so.
    await alice.say(type="rooms", ref="all")
    parts = [await alice.hear("rooms", ref="all")]
    while parts[-1].get("more", False):
        parts.append(await alice.hear("rooms", ref="all"))
    assert len(parts) > 1
    assert sorted(room["room"] for part in parts for room in part["rooms"]) == sorted(got)


# Private rooms.


async def test_a_private_room_is_entered_by_invitation(connect: Any) -> None:
    """The invited learn its title and who invited; entered once, the invitation is used up."""
    alice, bob = await connect("alice"), await connect("bob")
    await alice.ask(type="make", room="board", title="The board", topic="Money", private=True)
    assert (await alice.ask(type="invite", room="board", name="BOB"))["seq"]
    told = await bob.see("invited", room="board")
    assert (told["sender"], told["who"], told["title"]) == ("alice", bob.welcome["user"], "The board")
    invitation = (await stands(bob))["board"]
    kept = {"title": "The board", "kind": "private", "before": "joined", "member": False, "invited_by": "alice"}
    assert invitation == {"room": "board", **kept}
    assert await refused(bob, type="send", room="board", text="x") == "not_a_member"
    assert "seq" not in await alice.ask(type="invite", room="board", name="bob"), "invited already"
    assert (await bob.ask(type="join", room="board"))["type"] == "ok"
    await say(alice, "board", "welcome")
    assert (await bob.see("message", room="board"))["text"] == "welcome"
    await bob.ask(type="leave", room="board")
    assert await refused(bob, type="join", room="board") == "not_allowed"


async def test_an_invitation_is_declined_or_taken_back(connect: Any) -> None:
    """By who got it, by who gave it, by the owner; not by another member."""
    alice, bob, carol, dave = [await connect(name) for name in ("alice", "bob", "carol", "dave")]
    await alice.ask(type="make", room="board", private=True)
    for guest in (bob, carol):
        await alice.ask(type="invite", room="board", name="bob" if guest is bob else "carol")
        await guest.ask(type="join", room="board")
    await bob.ask(type="invite", room="board", name="dave")
    assert await refused(carol, type="invite", room="board", name="dave", on=False) == "not_allowed"
    assert (await alice.ask(type="invite", room="board", name="dave", on=False))["type"] == "ok"
    assert (await dave.see("invited", room="board", on=False))["sender"] == "alice"
    assert await refused(dave, type="join", room="board") == "not_allowed"
    assert "board" not in await stands(dave)
    await bob.ask(type="invite", room="board", name="dave")
    assert (await dave.ask(type="leave", room="board"))["type"] == "ok"
    assert "board" not in await stands(dave)
    assert "seq" not in await bob.ask(type="invite", room="board", name="dave", on=False), "nothing to take back"
    assert await refused(alice, type="invite", room="board", name="nobody") == "no_such_person"
    assert await refused(alice, type="invite", room="board", name="alice") == "not_allowed"
    assert await refused(alice, type="invite", room="general", name="dave") == "not_allowed"


async def test_who_was_away_finds_the_invitation(start_server: Callable[..., Server]) -> None:
    """It binds to the person: after a restart, under another name, it is still theirs."""
    server = start_server()
    alice, bob = await Wire.connect(server.port, "alice"), await Wire.connect(server.port, "bob")
    await bob.ask(type="quit")
    await bob.rest()
    await alice.ask(type="make", room="board", private=True)
    assert (await alice.ask(type="invite", room="board", name="Bob"))["type"] == "ok"
    await alice.close()
    server.stop()
    server = start_server()
    again = await Wire.connect(server.port, "robert", resume={"session": bob.welcome["session"]})
    await bob.close()
    assert again.welcome["user"] == bob.welcome["user"]
    assert (await stands(again))["board"]["invited_by"] == "alice"
    assert (await again.ask(type="join", room="board"))["type"] == "ok"
    await again.close()


def requests(room: str) -> list[dict[str, Any]]:
    """Return every request that names a room, but those that would make it."""
    return [
        {"type": "leave", "room": room},
        {"type": "change", "room": room, "title": "Mine"},
        {"type": "invite", "room": room, "name": "alice"},
        {"type": "rooms", "rooms": [room]},
        {"type": "send", "room": room, "text": "x"},
        {"type": "send", "room": room, "text": "x", "id": 1},
        {"type": "edit", "room": room, "seq": 3, "text": "x"},
        {"type": "delete", "room": room, "seq": 3},
        {"type": "react", "room": room, "seq": 3, "emoji": "tada"},
        {"type": "pin", "room": room, "seq": 3},
        {"type": "mark", "room": room, "read": 3},
        {"type": "typing", "room": room},
        {"type": "history", "room": room},
        {"type": "history", "room": room, "thread": 3},
        {"type": "get", "room": room, "seqs": [3]},
        {"type": "pins", "room": room},
        {"type": "versions", "room": room, "seq": 3},
        {"type": "search", "rooms": [room], "text": "x"},
    ]


async def test_a_private_or_direct_room_is_as_if_it_did_not_exist(connect: Any) -> None:
    """Whatever a stranger asks of it, the answer is that to a room that never was."""
    alice, _bob, eve = await connect("alice"), await connect("bob"), await connect("eve")
    await alice.ask(type="make", room="board", private=True)
    direct = (await alice.ask(type="direct", names=["bob"]))["room"]
    for hidden, nowhere in (("board", "nowhere"), ("BOARD", "NOWHERE"), (direct, "@8-9")):
        for real, made_up in zip(requests(hidden), requests(nowhere), strict=True):
            answer, other = await eve.ask(**real), await eve.ask(**made_up)
            assert {**answer, "ref": ""} == {**other, "ref": ""}, real
            assert answer["code"] == "no_such_room"
    # That a name can't be had is all that shows.
    assert await refused(eve, type="join", room="board") == "not_allowed"
    assert await refused(eve, type="make", room="board") == "room_exists"
    assert await refused(eve, type="join", room=direct) == await refused(eve, type="join", room="@8-9") == "bad_room"
    assert await refused(eve, type="make", room=direct) == "bad_room"
    for user in ("alice", "bob"):
        assert "rooms" not in await eve.ask(type="whois", name=user)


# Direct rooms.


async def test_a_direct_room_is_found_again_by_all_of_it(connect: Any) -> None:
    """The same people, in any order, are the same room; each is told, those who are away find it later."""
    alice, bob, carol = [await connect(name) for name in ("alice", "bob", "carol")]
    made = await alice.ask(type="direct", names=["bob", "carol"])
    assert made["seq"]
    room = made["room"]
    assert (await bob.see("roster", room=room))["names"]
    for wire, names in ((alice, ["carol", "bob"]), (bob, ["alice", "carol", "bob"]), (carol, ["Alice", "BOB"])):
        found = await wire.ask(type="direct", names=names)
        assert found["room"] == room
        assert "seq" not in found
    pair = (await alice.ask(type="direct", names=["bob"]))["room"]
    assert pair != room
    await say(alice, pair, "between us")
    assert (await bob.see("message", room=pair))["text"] == "between us"
    info = (await stands(bob))[room]
    people = [[wire.welcome["user"], name] for wire, name in ((alice, "alice"), (bob, "bob"), (carol, "carol"))]
    assert (info["kind"], info["people"]) == ("direct", people)
    assert pair not in await stands(carol)
    for frame in ({"type": "leave"}, {"type": "change", "topic": "x"}, {"type": "invite", "name": "carol"}):
        assert await refused(alice, room=pair, **frame) == "not_allowed"


async def test_a_direct_room_holds_two_to_eight_and_those_who_are_away(connect: Any) -> None:
    """Who is away is known by the name they had last."""
    names = [f"p{number}" for number in range(8)]
    wires = [await connect(name) for name in names]
    for wire in wires[1:]:
        await wire.ask(type="quit")
    room = (await wires[0].ask(type="direct", names=names[1:]))["room"]
    await say(wires[0], room, "all of you")
    back = await connect("p7", resume={"session": wires[7].welcome["session"]})
    assert room in back.welcome["rooms"]
    assert (await back.see("history", room=room))["messages"][0]["text"] == "all of you"
    assert await refused(wires[0], type="direct", names=[*names[1:], "p1"]) == "bad_frame"
    assert await refused(wires[0], type="direct", names=["nobody"]) == "no_such_person"
    oneself = await wires[0].ask(type="direct", names=[])
    await say(wires[0], oneself["room"], "a note")


async def test_nobody_is_drawn_into_more_rooms_than_fit_their_welcome(connect: Any) -> None:
    """Neither by others nor by themselves; what was refused changes nothing."""
    bob, alice = await connect("bob"), await connect("alice")
    for number in range(limits.ROOMS - 1):
        await bob.say(type="join", room=f"r{number}", backlog=0)
    assert (await bob.ask(type="join", room="r1"))["type"] == "ok"
    assert await refused(bob, type="join", room="more") == "too_many_rooms"
    assert await refused(alice, type="direct", names=["bob"]) == "too_many_rooms"
    assert len((await connect("bob", resume={"session": bob.welcome["session"]})).welcome["rooms"]) == limits.ROOMS


async def test_who_is_still_saying_hello_is_nobody_yet(connect: Any) -> None:
    """A request that names them at that moment says so, and makes no room of a person without an id."""
    alice, newcomer = await connect("alice"), await connect()
    for number in range(30):
        name = f"new{number}"
        newcomer.writer.write(f'{{"type":"hello","name":"{name}","ref":"h"}}\n'.encode())
        answer = await alice.ask(type="direct", names=[name])
        assert answer.get("code") == "no_such_person" or "@0" not in answer["room"]
        await newcomer.hear("welcome")
        newcomer = await connect()


# Changing.


async def test_title_and_topic_change_for_everyone(connect: Any) -> None:
    """The handle stays; all members are told what changed; a title goes back to the handle."""
    alice, bob = await connect("alice"), await connect("bob")
    await alice.ask(type="make", room="dev")
    await bob.ask(type="join", room="dev")
    assert (await bob.ask(type="change", room="dev", topic="Bugs"))["seq"]
    told = await alice.see("changed", room="dev")
    assert (told["sender"], told["topic"]) == ("bob", "Bugs")
    assert "title" not in told
    assert await refused(bob, type="change", room="dev", title="Mine") == "not_allowed"
    await alice.ask(type="change", room="dev", title="Development", topic="")
    told = await bob.see("changed", title="Development")
    assert told["topic"] == ""
    assert "seq" not in await alice.ask(type="change", room="dev", title="Development"), "as it is"
    info = (await stands(bob))["dev"]
    assert (info["title"], info.get("topic", "")) == ("Development", "")
    await alice.ask(type="change", room="dev", title=" ")
    assert (await stands(bob))["dev"]["title"] == "dev"
    assert await refused(bob, type="change", room="general", title="Mine") == "not_allowed"


async def test_an_archived_room_is_read_and_nothing_more(connect: Any) -> None:
    """Nobody says or does anything there; who enters reads; it can be taken up again."""
    alice, bob = await connect("alice"), await connect("bob")
    await alice.ask(type="make", room="old")
    seq = await say(alice, "old", "words")
    await bob.ask(type="join", room="old")
    assert await refused(bob, type="change", room="old", archived=True) == "not_allowed"
    await alice.ask(type="change", room="old", archived=True)
    assert (await bob.see("changed", room="old"))["archived"]
    doings: list[dict[str, Any]] = [
        {"type": "send", "text": "x"},
        {"type": "edit", "seq": seq, "text": "x"},
        {"type": "react", "seq": seq, "emoji": "tada"},
        {"type": "pin", "seq": seq},
        {"type": "change", "topic": "x"},
        {"type": "invite", "name": "bob"},
    ]
    for doing in doings:
        assert await refused(alice, room="old", **doing) == "archived"
    carol = await connect("carol")
    assert (await carol.ask(type="join", room="old"))["type"] == "ok"
    assert (await carol.ask(type="history", room="old"))["messages"][0]["text"] == "words"
    assert (await stands(carol))["old"]["archived"]
    await carol.ask(type="leave", room="old")
    await alice.ask(type="change", room="old", archived=False)
    await say(bob, "old", "again")


async def test_who_leaves_hears_no_more_on_any_device(connect: Any) -> None:
    """The owner may come back to a public room, and is its owner still."""
    alice, bob = await connect("alice"), await connect("bob")
    session = (await alice.ask(type="device"))["session"]
    phone = await connect("alice", resume={"session": session})
    await alice.ask(type="make", room="dev")
    assert (await phone.see("roster", room="dev"))["names"]
    await bob.ask(type="join", room="dev")
    await phone.ask(type="leave", room="dev")
    assert (await alice.see("left", room="dev"))["names"] == ["alice"]
    await say(bob, "dev", "without them")
    await say(bob, "general", "with them")
    for wire in (alice, phone):
        assert (await wire.see("message"))["text"] == "with them"
        assert await refused(wire, type="history", room="dev") == "not_a_member"
    await phone.ask(type="join", room="dev")
    assert (await alice.ask(type="change", room="dev", title="Back"))["type"] == "ok"


@pytest.mark.parametrize("private", [True, False])
async def test_what_was_before_them_is_for_newcomers_as_the_room_says(connect: Any, private: bool) -> None:
    """Nothing of it by any way of reading, if the room says `joined`: what a message said, where, or that it was."""
    alice, bob = await connect("alice"), await connect("bob")
    await alice.ask(type="make", room="dev", private=private, before="joined")
    root = await say(alice, "dev", "early words")
    edited = await say(alice, "dev", "first words")
    await alice.ask(type="edit", room="dev", seq=edited, text="early otherwise")
    await say(alice, "dev", "early reply", reply=root)
    await alice.ask(type="pin", room="dev", seq=root)
    if private:
        await alice.ask(type="invite", room="dev", name="bob")
    await bob.ask(type="join", room="dev")
    late = await say(alice, "dev", "late reply @bob", reply=root)
    heard: list[str] = []
    for bound in ({}, {"before": late}, {"after": 0}, {"around": root}, {"at": "2020-01-01"}, {"thread": root}):
        page = await bob.ask(type="history", room="dev", **bound)
        assert not page.get("more", False)
        heard += [message["text"] for message in page["messages"]]
    for request in ({"type": "pins"}, {"type": "get", "seqs": [root, edited, late]}):
        heard += [message["text"] for message in (await bob.ask(room="dev", **request))["messages"]]
    assert set(heard) == {"late reply @bob"}
    assert (await bob.ask(type="versions", room="dev", seq=edited))["versions"] == []
    for doing in (
        {"type": "send", "text": "x", "reply": root},
        {"type": "react", "seq": root, "emoji": "tada"},
        {"type": "pin", "seq": root, "on": False},
        {"type": "delete", "seq": root},
    ):
        assert await refused(bob, room="dev", **doing) == "no_such_message"
    info = (await stands(bob))["dev"]
    assert (info["count"], info["mentions"]) == (1, 1)
    await alice.ask(type="edit", room="dev", seq=root, text="early still")
    await say(alice, "dev", "last")
    await bob.see("message", text="last")
    again = await connect("bob", resume={**{key: bob.welcome[key] for key in ("session", "epoch", "seq")}})
    await again.see("message", text="last")
    for wire in (bob, again):
        assert "early" not in str(wire.heard)
