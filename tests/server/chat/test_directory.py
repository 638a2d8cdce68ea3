"""What judges an event: races, and what a member may come to; the rest is shown over sockets and by the model."""

import pytest

from server.chat.directory import Directory
from server.chat.entries import Draft
from server.chat.events import ChangeBody, EditBody, InviteBody, Kind, MessageBody, ReactBody, RoomBody
from server.chat.register import RoomRecord, Said
from server.chat.rights import Role
from server.protocol import limits
from server.protocol.errors import Code

ALICE, BOB, CAROL = 1, 2, 3


class Facts:
    """Messages as a test has them."""

    def __init__(self, **said: Said) -> None:
        self.known = {int(seq[1:]): message for seq, message in said.items()}
        self.users: dict[str, set[int]] = {}
        self.edits = 0
        self.times: dict[int, int] = {}
        """Per user when they said something last."""
        self.reports: set[tuple[int, int]] = set()
        """What was reported, and by whom."""
        self.open_reports: set[int] = set()
        self.blocks: set[tuple[int, int]] = set()
        """Who has hidden whom."""

    def said(self, seq: int) -> Said | None:
        """See `server.chat.register.Facts`."""
        return self.known.get(seq)

    def reacted(self, _seq: int) -> dict[str, set[int]]:
        """See `server.chat.register.Facts`."""
        return self.users

    def versions(self, _seq: int) -> int:
        """See `server.chat.register.Facts`."""
        return self.edits

    def last_said(self, _room: int, user: int, since: int) -> int:
        """See `server.chat.register.Facts`."""
        time = self.times.get(user, 0)
        return time if time >= since else 0

    def reported(self, target: int, user: int) -> bool:
        """See `server.chat.register.Facts`."""
        return (target, user) in self.reports

    def unsettled(self, report: int) -> bool:
        """See `server.chat.register.Facts`."""
        return report in self.open_reports

    def blocked(self, user: int, who: int) -> bool:
        """See `server.chat.register.Facts`."""
        return (user, who) in self.blocks


def words(room: int, user: int = ALICE, text: str = "hi") -> Said:
    """Return a message that was said."""
    return Said(room, user, "alice", text, 0, [], here=False, deleted=False, pinned=False)


@pytest.fixture
def directory() -> Directory:
    """`general`, and a private room of alice's that bob is in and carol is invited to."""
    made = Directory()
    made.add_room(RoomRecord(1, "general", "general"))
    made.add_room(RoomRecord(5, "board", "Board", "private", "joined", ALICE))
    made.add_member(5, ALICE, 5)
    made.add_member(5, BOB, 20)
    made.add_invitation(5, CAROL, ALICE)
    return made


def draft(kind: Kind, user: int, about: object = None, room: int = 5) -> Draft:
    """Return an event that is to be."""
    return Draft(kind=kind, room=room, user=user, about=about)


def test_how_someone_stands(directory: Directory) -> None:
    """By what happened; nobody owns `general`, not even who has no number."""
    board, general = directory.rooms[5], directory.rooms[1]
    assert [directory.role(board, user) for user in (ALICE, BOB, CAROL, 4)] == [
        Role.OWNER,
        Role.MEMBER,
        Role.INVITED,
        Role.STRANGER,
    ]
    assert directory.role(general, 0) is directory.role(general, ALICE) is Role.MEMBER


def test_an_invitation_that_was_taken_back_comes_too_late(directory: Directory) -> None:
    """Two acts in one transaction: the second is judged by what the first has done."""
    back = draft(Kind.INVITE, ALICE, InviteBody("alice", CAROL, "carol", "Board", on=False))
    enter = draft(Kind.MEMBER, CAROL)
    assert directory.judge(back, Facts()) is None
    directory.apply(back)
    assert directory.judge(enter, Facts()) is Code.NO_SUCH_ROOM


def test_a_member_twice_is_one_once(directory: Directory) -> None:
    """Two devices that enter at once."""
    again = draft(Kind.MEMBER, BOB)
    assert directory.judge(again, Facts()) is None
    assert again.idle


def test_a_name_is_had_once(directory: Directory) -> None:
    """Also of a room that is archived or has no one in it any more."""
    for user in (ALICE, BOB):
        directory.apply(draft(Kind.UNMEMBER, user))
    made = draft(Kind.ROOM, CAROL, RoomBody("board", "Mine"), 0)
    assert directory.judge(made, Facts()) is Code.ROOM_EXISTS


def test_nobody_is_in_more_rooms_than_fit(directory: Directory) -> None:
    """Who is in too many is not drawn into another by anyone; `general` counts."""
    for number in range(10, 8 + limits.ROOMS):
        directory.add_room(RoomRecord(number, f"r{number}", ""))
        directory.add_member(number, CAROL, number)
    assert len(directory.rooms_of(CAROL)) == limits.ROOMS - 1
    direct = draft(Kind.ROOM, ALICE, RoomBody("@1-3", "", "direct", members=[ALICE, CAROL]), 0)
    assert directory.judge(direct, Facts()) is None
    assert directory.judge(draft(Kind.MEMBER, CAROL), Facts()) is None
    directory.apply(draft(Kind.MEMBER, CAROL))
    assert directory.judge(direct, Facts()) is Code.TOO_MANY_ROOMS
    assert directory.judge(draft(Kind.MEMBER, CAROL), Facts()) is None, "where one is already"


@pytest.mark.parametrize(("user", "target", "code"), [(ALICE, 10, None), (BOB, 10, Code.NO_SUCH_MESSAGE)])
def test_what_was_said_before_them_is_not_there_for_newcomers(
    directory: Directory, user: int, target: int, code: Code | None
) -> None:
    """In a room that says so: neither to answer nor to react to."""
    facts = Facts(m10=words(5))
    for kind, body in (
        (Kind.MESSAGE, MessageBody("x", "y", reply=target)),
        (Kind.REACT, ReactBody("x", target, "tada")),
    ):
        assert directory.judge(draft(kind, user, body), facts) is code


def test_a_reply_names_its_thread_and_only_members(directory: Directory) -> None:
    """What the message says of itself is completed by what is known when it is judged."""
    said = words(5)
    said.thread = 21
    body = MessageBody("bob", "x", reply=30, mentions=[ALICE, CAROL, BOB], here=True)
    assert directory.judge(draft(Kind.MESSAGE, BOB, body), Facts(m30=said)) is None
    assert (body.thread, body.mentions, body.here) == (21, [ALICE, BOB], True)


def test_limits_of_one_message(directory: Directory) -> None:
    """So many kinds of reactions, so many in all, so many edits; taking back is always possible."""
    facts = Facts(m30=words(5, BOB))
    facts.users = {f"e{number}": {9} for number in range(limits.EMOJI)}
    assert directory.judge(draft(Kind.REACT, BOB, ReactBody("bob", 30, "more")), facts) is Code.TOO_MANY
    assert directory.judge(draft(Kind.REACT, BOB, ReactBody("bob", 30, "e0")), facts) is None
    facts.users = {"e0": set(range(10, 10 + limits.REACTIONS))}
    assert directory.judge(draft(Kind.REACT, BOB, ReactBody("bob", 30, "e0")), facts) is Code.TOO_MANY
    facts.users["e0"].add(BOB)
    assert directory.judge(draft(Kind.REACT, BOB, ReactBody("bob", 30, "e0", on=False)), facts) is None
    facts.edits = limits.VERSIONS
    assert directory.judge(draft(Kind.EDIT, BOB, EditBody("bob", 30, "new")), facts) is Code.TOO_MANY
    assert directory.judge(draft(Kind.EDIT, BOB, EditBody("bob", 30, "hi")), facts) is None


def test_a_change_is_taken_whole_or_not_at_all(directory: Directory) -> None:
    """A member may set a topic, but not with a title."""
    change = draft(Kind.CHANGE, BOB, ChangeBody("bob", title="Mine", topic="x"))
    assert directory.judge(change, Facts()) is Code.NOT_ALLOWED
    assert directory.judge(draft(Kind.CHANGE, BOB, ChangeBody("bob", topic="x")), Facts()) is None
