"""What becomes of messages over real sockets: replies, edits, deletes, reactions, pins, mentions; and who is about."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import PATIENCE, Server, Wire

from server.protocol import limits

ROOM = {"room": "general"}


async def said(wire: Wire, text: str, room: str = "general", **more: Any) -> int:
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


async def now(wire: Wire, *seqs: int, room: str = "general") -> list[dict[str, Any]]:
    """Return some messages as they stand now."""
    messages: list[dict[str, Any]] = (await wire.ask(type="get", room=room, seqs=list(seqs)))["messages"]
    return messages


def cursor(wire: Wire, seq: int) -> dict[str, Any]:
    """Return what resumes a session after a seq."""
    return {"session": wire.welcome["session"], "epoch": wire.welcome["epoch"], "seq": seq}


# Replies and threads.


async def test_a_thread_grows_out_of_a_message(connect: Any) -> None:
    """A reply to a reply belongs to the same thread, which is read as one, from any bound."""
    alice, bob = await connect("alice"), await connect("bob")
    root = await said(alice, "root")
    first = await said(bob, "first", reply=root)
    await said(alice, "aside")
    second = await said(alice, "second", reply=first)
    told = await bob.see("message", seq=second)
    assert (told["reply"], told["thread"]) == (first, root)
    (message,) = await now(bob, root)
    assert (message["replies"], message["rev"]) == (2, second)
    thread = await bob.ask(type="history", thread=root, **ROOM)
    assert [message["seq"] for message in thread["messages"]] == [root, first, second]
    assert not thread["more"]
    page = await bob.ask(type="history", thread=root, before=second, limit=1, **ROOM)
    assert ([message["seq"] for message in page["messages"]], page["more"], page["more_after"]) == ([first], True, True)
    flat = await bob.ask(type="history", **ROOM)
    assert [message["text"] for message in flat["messages"]] == ["root", "first", "aside", "second"]


async def test_what_is_not_there_is_not_answered(connect: Any) -> None:
    """Another room's message, a deleted one, an event that is none; the numbered id is given up, the next one taken."""
    alice = await connect("alice")
    await alice.ask(type="make", room="dev")
    elsewhere = await said(alice, "elsewhere", room="dev")
    gone = await said(alice, "gone")
    deleted = (await alice.ask(type="delete", seq=gone, **ROOM))["seq"]
    for number, target in enumerate((elsewhere, gone, deleted, 1, 10**6), 1):
        assert await refused(alice, type="send", text="x", reply=target, id=2 * number, **ROOM) == "no_such_message"
        assert await said(alice, f"on {number}", id=2 * number + 1)


# Edits.


async def test_a_message_says_something_else(connect: Any) -> None:
    """Told to all, marked, in order with what else happens; what it said before is kept."""
    alice, bob = await connect("alice"), await connect("bob")
    seq = await said(alice, "Ths", me=True)
    edit = (await alice.ask(type="edit", seq=seq, text="This", **ROOM))["seq"]
    told = await bob.see("edited")
    assert (told["target"], told["seq"], told["text"], told["sender"]) == (seq, edit, "This", "alice")
    again = (await alice.ask(type="edit", seq=seq, text="This.", **ROOM))["seq"]
    assert "seq" not in await alice.ask(type="edit", seq=seq, text="This.", **ROOM), "it says so already"
    (message,) = await now(bob, seq)
    wanted = {"text": "This.", "edited": True, "rev": again, "me": True, "sender": "alice"}
    assert {key: message[key] for key in wanted} == wanted
    versions = (await bob.ask(type="versions", seq=seq, **ROOM))["versions"]
    assert [(version["seq"], version["text"]) for version in versions] == [
        (seq, "Ths"),
        (edit, "This"),
        (again, "This."),
    ]
    assert await refused(bob, type="edit", seq=seq, text="Mine", **ROOM) == "not_allowed"
    assert await refused(alice, type="edit", seq=edit, text="x", **ROOM) == "no_such_message"
    assert await refused(alice, type="edit", seq=seq, text=" ", **ROOM) == "bad_text"


async def test_a_message_is_not_edited_for_ever(connect: Any) -> None:
    """After so many times it stays as it is; all it said is told within a line."""
    alice = await connect("alice")
    seq = await said(alice, "0")
    for number in range(1, limits.VERSIONS + 1):
        await alice.say(type="edit", seq=seq, text=f"{number} " + "x" * 1000, **ROOM)
    assert await refused(alice, type="edit", seq=seq, text="no more", **ROOM) == "too_many"
    (message,) = await now(alice, seq)
    assert message["text"].startswith(f"{limits.VERSIONS} ")
    versions = (await alice.ask(type="versions", seq=seq, **ROOM))["versions"]
    assert versions[0]["text"] == "0"


# Deletes.


async def test_a_deleted_message_leaves_a_tombstone(connect: Any) -> None:
    """In pages, threads and for who comes back; who said it is known, what they said is not, on any way."""
    alice, bob = await connect("alice"), await connect("bob")
    root = await said(alice, "root")
    seq = await said(bob, "regrettable", reply=root)
    await bob.ask(type="edit", seq=seq, text="regrettable again", **ROOM)
    await alice.ask(type="react", seq=seq, emoji="eyes", **ROOM)
    await alice.ask(type="pin", seq=seq, **ROOM)
    assert await refused(alice, type="delete", seq=seq, **ROOM) == "not_allowed"
    gone = (await bob.ask(type="delete", seq=seq, **ROOM))["seq"]
    told = await alice.see("deleted")
    assert (told["target"], told["author"], told["sender"]) == (seq, "bob", "bob")
    assert "seq" not in await bob.ask(type="delete", seq=seq, **ROOM), "it is gone already"
    carol = await connect("carol")
    (tombstone,) = await now(carol, seq)
    kept = {"seq": seq, "user": bob.welcome["user"], "sender": "bob", "text": "", "deleted": True, "thread": root}
    time = {"type": "message", "room": "general", "time": tombstone["time"], "rev": gone}
    assert tombstone == {**time, **kept}
    assert (await now(carol, root))[0]["replies"] == 1
    for bound in ({"thread": root}, {"around": seq}, {"after": root}):
        page = await carol.ask(type="history", **bound, **ROOM)
        assert tombstone in page["messages"]
    assert (await carol.ask(type="versions", seq=seq, **ROOM))["versions"] == []
    assert (await carol.ask(type="pins", **ROOM))["messages"] == []
    for doing in (
        {"type": "react", "emoji": "tada"},
        {"type": "pin"},
        {"type": "edit", "text": "x"},
    ):
        assert await refused(bob, seq=seq, **doing, **ROOM) == "no_such_message"
    assert "regrettable" not in str(carol.heard)


async def test_an_owner_deletes_what_others_said(connect: Any) -> None:
    """In a room of their own; a member does not; in `general` nobody does."""
    alice, bob, carol = [await connect(name) for name in ("alice", "bob", "carol")]
    await alice.ask(type="make", room="dev")
    for wire in (bob, carol):
        await wire.ask(type="join", room="dev")
    seq = await said(bob, "spam", room="dev")
    assert await refused(carol, type="delete", room="dev", seq=seq) == "not_allowed"
    await alice.ask(type="delete", room="dev", seq=seq)
    told = await carol.see("deleted")
    assert (told["sender"], told["author"]) == ("alice", "bob")


async def test_deleted_text_is_gone_from_the_disk_while_others_read(start_server: Callable[..., Server]) -> None:
    """All that a message ever said: from the database, its log and the index; also after a kill in between."""
    server = start_server("--limits", "off")
    alice, reader = await Wire.connect(server.port, "alice"), await Wire.connect(server.port, "reader")
    seq = await said(alice, "a zanzibar secret")
    await alice.ask(type="edit", seq=seq, text="a zanzibar secret, reworded", **ROOM)
    for number in range(50):
        await alice.say(type="send", text=f"other words {number}", **ROOM)
    reading = True

    async def read() -> None:
        while reading:
            await reader.ask(type="history", before=10**9, limit=20, **ROOM)

    busy = asyncio.create_task(read())
    await alice.ask(type="delete", seq=seq, **ROOM)
    await gone_from(server.data, b"zanzibar")
    reading = False
    await busy
    kept = await said(alice, "a krakatau secret")
    await alice.ask(type="delete", seq=kept, **ROOM)
    server.process.kill()
    server.wait()
    for wire in (alice, reader):
        await wire.close()
    server = start_server()
    await gone_from(server.data, b"krakatau")
    back = await Wire.connect(server.port, "back")
    assert [message["deleted"] for message in await now(back, seq, kept)] == [True, True]
    await back.close()


async def gone_from(folder: Path, word: bytes) -> None:
    """Wait until no file of a folder holds a word."""
    async with asyncio.timeout(3 * PATIENCE):
        while any(word in file.read_bytes() for file in folder.iterdir() if file.is_file()):  # noqa: ASYNC110, ASYNC240 - nothing says so
            await asyncio.sleep(0.05)


# Reactions and pins.


async def test_people_react_to_a_message(connect: Any) -> None:
    """Each counts once, the first comes first; taken back it is gone; who asks again is told that all is well."""
    alice, bob = await connect("alice"), await connect("bob")
    seq = await said(alice, "done")
    react = {"type": "react", "seq": seq, **ROOM}
    for wire, emoji in ((bob, "tada"), (alice, "tada"), (alice, "+1")):
        assert "seq" in await wire.ask(emoji=emoji, **react)
        assert "seq" not in await wire.ask(emoji=emoji, **react), "a set knows no twice"
    users = [wire.welcome["user"] for wire in (bob, alice)]
    (message,) = await now(bob, seq)
    assert message["reactions"] == {"tada": users, "+1": [users[1]]}
    off = (await bob.ask(emoji="tada", on=False, **react))["seq"]
    assert "seq" not in await bob.ask(emoji="tada", on=False, **react)
    told = await alice.see("reacted", on=False)
    assert (told["target"], told["user"], told["emoji"]) == (seq, users[0], "tada")
    (message,) = await now(bob, seq)
    assert (message["reactions"], message["rev"]) == ({"tada": [users[1]], "+1": [users[1]]}, off)
    assert await refused(bob, type="react", seq=seq, emoji="<b>", **ROOM) == "bad_frame"
    await bob.ask(emoji="tada", **react)
    assert (await now(bob, seq))[0]["reactions"]["tada"] == users[::-1]


async def test_reactions_have_an_end(connect: Any) -> None:
    """So many kinds on one message; those that are there already go on."""
    alice, bob = await connect("alice"), await connect("bob")
    seq = await said(alice, "done")
    for number in range(limits.EMOJI):
        await alice.say(type="react", seq=seq, emoji=f"e{number}", **ROOM)
    assert await refused(alice, type="react", seq=seq, emoji="more", **ROOM) == "too_many"
    assert "seq" in await bob.ask(type="react", seq=seq, emoji="e0", **ROOM)
    await alice.ask(type="react", seq=seq, emoji="e1", on=False, **ROOM)
    assert "seq" in await alice.ask(type="react", seq=seq, emoji="more", **ROOM)


async def test_a_reaction_is_a_short_name(connect: Any) -> None:
    """Nothing else stands in it, a line break at its end neither."""
    alice = await connect("alice")
    seq = await said(alice, "done")
    for emoji in ("", "Tada", "tada\n", "a b", "\u2764", "x" * 33):
        assert await refused(alice, type="react", seq=seq, emoji=emoji, **ROOM) == "bad_frame"


async def test_messages_are_pinned(connect: Any) -> None:
    """Found in the order they were said; anyone takes them off."""
    alice, bob = await connect("alice"), await connect("bob")
    seqs = [await said(alice, f"m{number}") for number in range(3)]
    for seq in (seqs[2], seqs[0]):
        await bob.ask(type="pin", seq=seq, **ROOM)
    assert "seq" not in await alice.ask(type="pin", seq=seqs[0], **ROOM)
    assert (await alice.see("pinned", target=seqs[2]))["sender"] == "bob"
    pins = (await alice.ask(type="pins", **ROOM))["messages"]
    assert [(message["seq"], message["pinned"]) for message in pins] == [(seqs[0], True), (seqs[2], True)]
    await alice.ask(type="pin", seq=seqs[0], on=False, **ROOM)
    assert (await bob.see("pinned", on=False))["target"] == seqs[0]
    assert [message["seq"] for message in (await alice.ask(type="pins", **ROOM))["messages"]] == [seqs[2]]


async def test_more_pins_than_a_page_says_so(connect: Any) -> None:
    """The latest of them come."""
    alice = await connect("alice")
    for number in range(limits.PAGE + 1):
        await alice.say(type="send", text=f"m{number}", id=number + 1, **ROOM)
    seqs = [(await alice.hear("message"))["seq"] for _ in range(limits.PAGE + 1)]
    for seq in seqs:
        await alice.say(type="pin", seq=seq, **ROOM)
    await alice.hear("pinned", target=seqs[-1])
    page = await alice.ask(type="pins", **ROOM)
    assert ([message["seq"] for message in page["messages"]], page["more"]) == (seqs[1:], True)


# Mentions.


async def test_a_text_names_people(connect: Any) -> None:
    """By who they are, whatever their capitals; who is away is found by the name they had last."""
    alice, bob, carol = [await connect(name) for name in ("alice", "bob", "carol")]
    users = {"bob": bob.welcome["user"], "carol": carol.welcome["user"]}
    await carol.ask(type="quit")
    await carol.rest()
    for text, named in (
        ("@bob look", ["bob"]),
        ("see @BOB, and @carol.", ["bob", "carol"]),
        ("@carol @carol", ["carol"]),
        ("@bob @Bob", ["bob"]),
        ("bob@example.org and /@bob", []),
        ("@nobody", []),
        ("@carol's", ["carol"]),
        (f"@{'x' * 33} @bob", ["bob"]),
    ):
        seq = await said(alice, text)
        assert (await bob.see("message", seq=seq)).get("mentions", []) == [users[name] for name in named], text


async def test_only_members_are_named_and_an_edit_names_anew(connect: Any) -> None:
    """In a room of its own, a stranger's name is a word."""
    alice, bob, _carol = [await connect(name) for name in ("alice", "bob", "carol")]
    await alice.ask(type="make", room="dev")
    await bob.ask(type="join", room="dev")
    seq = await said(alice, "@bob @carol", room="dev")
    assert (await bob.see("message", seq=seq))["mentions"] == [bob.welcome["user"]]
    await alice.ask(type="edit", room="dev", seq=seq, text="@alice @carol")
    assert (await bob.see("edited"))["mentions"] == [alice.welcome["user"]]
    (room,) = (await bob.ask(type="rooms", rooms=["dev"]))["rooms"]
    assert room.get("mentions", 0) == 0
    assert room["count"] == 1


async def test_here_names_everyone_where_that_is_allowed(connect: Any) -> None:
    """An owner in a public room, all in a private or direct one, nobody in `general`."""
    alice, bob = await connect("alice"), await connect("bob")
    await alice.ask(type="make", room="dev")
    await alice.ask(type="make", room="board", private=True)
    await alice.ask(type="invite", room="board", name="bob")
    for room in ("dev", "board"):
        await bob.ask(type="join", room=room)
    direct = (await alice.ask(type="direct", names=["bob"]))["room"]
    for wire, room, allowed in (
        (alice, "general", False),
        (alice, "dev", True),
        (bob, "dev", False),
        (bob, "board", True),
        (bob, direct, True),
    ):
        seq = await said(wire, "@here now", room=room)
        assert (await alice.see("message", seq=seq)).get("here", False) is allowed, room
    assert await refused(bob, type="nick", name="Here") == "bad_name"


# History.


async def test_a_page_around_a_time(connect: Any) -> None:
    """The first message at or after it is in the middle; what lies after the last one is the end."""
    alice = await connect("alice")
    seqs = [await said(alice, f"m{number}") for number in range(8)]
    times = {message["seq"]: message["time"] for message in await now(alice, *seqs)}
    page = await alice.ask(type="history", at=times[seqs[5]], limit=4, **ROOM)
    first = min(seq for seq in seqs if times[seq] == times[seqs[5]])
    assert first in [message["seq"] for message in page["messages"]]
    page = await alice.ask(type="history", at="2999-01-01", limit=3, **ROOM)
    assert page["messages"][-1]["seq"] == seqs[-1]
    page = await alice.ask(type="history", at="1999-12-31T23:59:59+02:00", limit=4, **ROOM)
    assert page["messages"][0]["seq"] == seqs[0]
    assert await refused(alice, type="history", at="yesterday", **ROOM) == "bad_query"
    assert await refused(alice, type="history", at="2026-01-01", before=3, **ROOM) == "bad_frame"


async def test_who_comes_back_gets_what_became_of_messages(connect: Any) -> None:
    """In its order: what was said as it was said, then the changes; what is gone only as gone."""
    alice, bob = await connect("alice"), await connect("bob")
    first = await said(alice, "first")
    await bob.see("message", seq=first)
    await bob.close()
    second = await said(alice, "secnd")
    gone = await said(alice, "regrettable")
    await alice.ask(type="edit", seq=first, text="the first", **ROOM)
    await alice.ask(type="edit", seq=second, text="second", **ROOM)
    await alice.ask(type="edit", seq=gone, text="regrettable, too", **ROOM)
    await alice.ask(type="react", seq=first, emoji="tada", **ROOM)
    await alice.ask(type="delete", seq=gone, **ROOM)
    end = await said(alice, "end", reply=first)
    back = await connect("bob", resume=cursor(bob, first))
    await back.see("message", seq=end)
    events = [frame for frame in back.heard if "seq" in frame and frame["type"] not in ("welcome", "ping")]
    assert [frame["seq"] for frame in events] == sorted({frame["seq"] for frame in events})
    kinds = [(frame["type"], frame.get("target", 0)) for frame in events]
    for kind in (("edited", first), ("edited", second), ("reacted", first), ("deleted", gone)):
        assert kind in kinds
    assert (await back.see("message", seq=second))["text"] in ("secnd", "second")


async def test_a_restart_keeps_all_of_it(start_server: Callable[..., Server]) -> None:
    """What the messages are now is the same before and after; from the archive, what is gone is not told at all."""
    server = start_server()
    alice = await Wire.connect(server.port, "alice")
    start = alice.welcome["seq"]
    root = await said(alice, "root")
    other = await said(alice, "othr", reply=root)
    gone = await said(alice, "regrettable")
    for act in (
        {"type": "edit", "seq": other, "text": "other"},
        {"type": "edit", "seq": gone, "text": "regrettable, too"},
        {"type": "react", "seq": root, "emoji": "tada"},
        {"type": "pin", "seq": root},
        {"type": "delete", "seq": gone},
    ):
        assert "seq" in await alice.ask(**act, **ROOM)
    before = await now(alice, root, other, gone)
    await alice.close()
    server.stop()
    server = start_server()
    back = await Wire.connect(server.port, "alice", resume=cursor(alice, start))
    assert await now(back, root, other, gone) == before
    await back.see("deleted")
    assert (await back.see("message", seq=gone))["deleted"]
    assert "regrettable" not in str(back.heard)
    assert [frame["target"] for frame in back.heard if frame["type"] == "edited"] == [other]
    await back.close()


# Limits.


async def test_acts_are_limited_like_messages(start_server: Callable[..., Server]) -> None:
    """What comes too fast is refused with the time to wait, and changes nothing."""
    server = start_server("--limit", "burst=5", "--limit", "rate=0.1")
    alice = await Wire.connect(server.port, "alice")
    seq = await said(alice, "one")
    for number in range(4):
        assert "seq" in await alice.ask(type="react", seq=seq, emoji=f"e{number}", **ROOM)
    for act in (
        {"type": "react", "seq": seq, "emoji": "more", **ROOM},
        {"type": "edit", "seq": seq, "text": "two", **ROOM},
        {"type": "delete", "seq": seq, **ROOM},
        {"type": "pin", "seq": seq, **ROOM},
        {"type": "make", "room": "dev"},
        {"type": "direct", "names": []},
        {"type": "device"},
        {"type": "away", "text": "tea"},
    ):
        answer = await alice.ask(**act)
        assert (answer["code"], answer["wait_ms"] > 0) == ("rate_limited", True), act
    (message,) = await now(alice, seq)
    assert (message["text"], len(message["reactions"]), message.get("pinned", False)) == ("one", 4, False)
    await alice.close()


# Who is about.


async def test_others_see_that_someone_writes(connect: Any) -> None:
    """In that room, to its members; often said it is told once a second."""
    alice, bob = await connect("alice"), await connect("bob")
    await bob.see("roster")  # they keep up from here on
    await alice.ask(type="make", room="dev")
    for _ in range(5):
        await alice.say(type="typing", **ROOM)
    assert (await bob.see("typing"))["names"] == ["alice"]
    await alice.say(type="typing", room="dev")
    await alice.hear("typing", room="dev")
    await bob.ask(type="about")
    assert [frame["room"] for frame in bob.heard if frame["type"] == "typing"] == ["general"]
    assert await refused(bob, type="typing", room="dev") == "not_a_member"


async def test_others_see_that_someone_is_away(connect: Any) -> None:
    """At once, when they come in later, and who asks; under another name, too, until they are here again."""
    alice, bob = await connect("alice"), await connect("bob")
    await bob.see("roster")  # they keep up from here on
    await alice.ask(type="away", text="lunch\n")
    told = await bob.see("status")
    assert (told["user"], told["name"], told["away"], told["text"]) == (alice.welcome["user"], "alice", True, "lunch")
    await alice.ask(type="nick", name="al")
    carol = await connect("carol")
    assert (await carol.see("roster"))["away"] == {"al": "lunch"}
    known = await carol.ask(type="whois", name="AL")
    assert (known["user"], known["online"], known["away"], known["text"]) == (told["user"], True, True, "lunch")
    await alice.ask(type="away", on=False)
    assert not (await bob.hear("status")).get("away", False)
    dave = await connect("dave")
    assert "away" not in await dave.see("roster")


async def test_people_are_known_by_who_they_are(connect: Any) -> None:
    """A message keeps the name it was said under; asked for the user, the server says how they are called now."""
    alice, bob = await connect("alice"), await connect("bob")
    user = alice.welcome["user"]
    seq = await said(alice, "hello")
    await alice.ask(type="nick", name="al")
    (message,) = await now(bob, seq)
    assert (message["sender"], message["user"]) == ("alice", user)
    people = (await bob.ask(type="people", users=[user, bob.welcome["user"], 10**6]))["people"]
    assert people == [[user, "al"], [bob.welcome["user"], "bob"]]
    await alice.ask(type="make", room="dev")
    await alice.ask(type="make", room="secret", private=True)
    await bob.ask(type="join", room="dev")
    assert (await bob.ask(type="whois", name="al"))["rooms"] == ["dev"]
    await alice.ask(type="quit")
    await bob.hear_of("left", "al")
    known = await bob.ask(type="whois", name="Al")
    assert (known["user"], known["name"], known.get("online", False)) == (user, "al", False)
    assert known["seen"] >= message["time"]
    assert await refused(bob, type="whois", name="nobody") == "no_such_person"
