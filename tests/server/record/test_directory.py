"""What judges an event: races, and what a member may come to; the rest is shown over sockets and by the model."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import limits
from server.protocol.errors import Code
from server.record.addresses import network_of
from server.record.directory import Directory
from server.record.entries import Checking, Draft
from server.record.events import (
    SERVER,
    AccountBody,
    AppointBody,
    BanBody,
    ChangeBody,
    DeleteBody,
    EditBody,
    EraseBody,
    InviteBody,
    KickBody,
    Kind,
    MessageBody,
    RangeBody,
    ReactBody,
    ReportBody,
    RoomBody,
    SettingsBody,
    SettleBody,
    time_text,
)
from server.record.register import RoomRecord, Said
from server.record.rights import Act, Role

ALICE, BOB, CAROL = 1, 2, 3
NOW = 1_700_000_000_000
"""Milliseconds since 1970: when all of this comes."""


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
        """See `server.record.register.Facts`."""
        return self.known.get(seq)

    def reacted(self, _seq: int) -> dict[str, set[int]]:
        """See `server.record.register.Facts`."""
        return self.users

    def versions(self, _seq: int) -> int:
        """See `server.record.register.Facts`."""
        return self.edits

    def last_said(self, _room: int, user: int, since: int) -> int:
        """See `server.record.register.Facts`."""
        time = self.times.get(user, 0)
        return time if time >= since else 0

    def reported(self, target: int, user: int) -> bool:
        """See `server.record.register.Facts`."""
        return (target, user) in self.reports

    def unsettled(self, report: int) -> bool:
        """See `server.record.register.Facts`."""
        return report in self.open_reports

    def blocked(self, user: int, who: int) -> bool:
        """See `server.record.register.Facts`."""
        return (user, who) in self.blocks


def words(room: int, user: int = ALICE, text: str = "hi") -> Said:
    """Return a message that was said."""
    return Said(room, user, "alice", text, 0, [], here=False, deleted=False, pinned=False)


def board() -> Directory:
    """Return `general`, and a private room of alice's that bob is in and carol is invited to."""
    made = Directory()
    made.add_room(RoomRecord(1, "general", "general"))
    made.add_room(RoomRecord(5, "board", "Board", "private", "joined", ALICE))
    made.add_role(5, ALICE, Role.OWNER)
    made.add_member(5, ALICE, 5)
    made.add_member(5, BOB, 20)
    made.add_invitation(5, CAROL, ALICE)
    return made


@pytest.fixture
def directory() -> Directory:
    """See `board`."""
    return board()


def draft(kind: Kind, user: int, about: object = None, room: int = 5) -> Draft:
    """Return an event that is to be."""
    return Draft(kind=kind, room=room, user=user, about=about, time=NOW)


def test_how_someone_stands(directory: Directory) -> None:
    """By what happened; nobody owns `general`, but the server itself may do everything."""
    private, general = directory.rooms[5], directory.rooms[1]
    assert [directory.role(private, user) for user in (ALICE, BOB, CAROL, 4)] == [
        Role.OWNER,
        Role.GUEST,
        Role.INVITED,
        Role.STRANGER,
    ]
    assert directory.role(general, ALICE) is Role.GUEST
    assert directory.role(general, SERVER) is directory.role(private, SERVER) is Role.OWNER
    directory.apply(draft(Kind.ACCOUNT, BOB, AccountBody("bob"), 1))
    assert directory.role(private, BOB) is directory.server_role(BOB) is Role.MEMBER


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


def ban(directory: Directory, kind: Kind, who: int, room: int, until: int = 0) -> None:
    """Keep somebody out, or have them only read."""
    end = time_text(until).decode() if until else ""
    directory.apply(draft(kind, SERVER, BanBody("chat-server", who, "x", end, "spam"), room))


def test_who_is_kept_out_of_a_room_comes_back_when_that_ends(directory: Directory) -> None:
    """A ban ends a membership and an invitation; it is told until when, and why."""
    for user in (BOB, CAROL):
        ban(directory, Kind.BAN, user, 5, NOW + 1)
    assert not directory.is_member(5, BOB)
    directory.rooms[5].kind = "public"
    enter = draft(Kind.MEMBER, BOB)
    assert directory.judge(enter, Facts()) is Code.KEPT_OUT
    assert enter.why == "It lasts until 2023-11-14 22:13 UTC. Reason: spam."
    invited = draft(Kind.INVITE, ALICE, InviteBody("alice", CAROL, "carol", "Board"))
    assert directory.judge(invited, Facts()) is Code.NOT_ALLOWED
    enter.time += 1
    assert directory.judge(enter, Facts()) is None


def test_a_ban_of_the_server_is_one_of_all_it_holds(directory: Directory) -> None:
    """Whatever they do, in whatever room, until it ends."""
    ban(directory, Kind.BAN, BOB, 1, NOW + 1)
    said = draft(Kind.MESSAGE, BOB)
    assert directory.judge(said, Facts()) is Code.BANNED
    assert directory.check(Checking(user=BOB, room=5, act=Act.READ, time=NOW)) is Code.BANNED
    said.time += 1
    assert directory.judge(said, Facts()) is None


def test_the_longer_silence_counts(directory: Directory) -> None:
    """Of a room's and the server's."""
    ban(directory, Kind.SILENCE, BOB, 1, NOW + 1)
    ban(directory, Kind.SILENCE, BOB, 5)
    said = draft(Kind.MESSAGE, BOB)
    assert directory.judge(said, Facts()) is Code.SILENCED
    assert said.why == "It is for good. Reason: spam."


def test_slow_mode_says_when_one_may_go_on(directory: Directory) -> None:
    """Each for oneself; moderators are not slowed."""
    directory.rooms[5].slow = 10
    facts = Facts()
    facts.times = {BOB: NOW - 4_000, ALICE: NOW - 1}
    said = draft(Kind.MESSAGE, BOB)
    assert (directory.judge(said, facts), said.wait_ms) == (Code.SLOW_MODE, 6_000)
    said.time += 6_000
    assert directory.judge(said, facts) is None
    assert directory.judge(draft(Kind.MESSAGE, ALICE), facts) is None


def test_who_was_hidden_writes_to_one_alone_no_more(directory: Directory) -> None:
    """Neither makes the room, nor writes where it is made, nor invites; among others all stays as it was."""
    facts = Facts()
    facts.blocks = {(CAROL, ALICE)}
    for members, code in (([ALICE, CAROL], Code.NOT_ALLOWED), ([ALICE, BOB, CAROL], None)):
        made = draft(Kind.ROOM, ALICE, RoomBody(f"@{members}", "", "direct", members=members), 0)
        assert directory.judge(made, facts) is code
        made.seq = made.room = 30 + len(members)
        directory.apply(made)
        assert directory.judge(draft(Kind.MESSAGE, ALICE, room=made.seq), facts) is code
        assert directory.judge(draft(Kind.MESSAGE, CAROL, room=made.seq), facts) is None
    directory.apply(draft(Kind.INVITE, ALICE, InviteBody("alice", CAROL, "carol", "Board", on=False)))
    invited = draft(Kind.INVITE, ALICE, InviteBody("alice", CAROL, "carol", "Board"))
    assert directory.judge(invited, facts) is Code.NOT_ALLOWED


def test_names_of_accounts_stay_theirs(directory: Directory) -> None:
    """All they ever had, and all that look like them, up to so many."""
    for number in range(limits.NAMES):
        directory.apply(draft(Kind.ACCOUNT, BOB, AccountBody(f"bob{number}"), 1))
    assert directory.account_name(BOB) == f"bob{limits.NAMES - 1}"
    assert directory.holders("BOB0") == directory.holders("b\u043eb0") == {BOB}
    assert not directory.holders("nobody-else")
    assert directory.judge(draft(Kind.ACCOUNT, BOB, AccountBody("one-more"), 1), Facts()) is Code.TOO_MANY
    assert directory.judge(draft(Kind.ACCOUNT, BOB, AccountBody("bob0"), 1), Facts()) is None


def test_who_is_hidden_says_nothing_by_what_they_said_before(directory: Directory) -> None:
    """In a room of two: another message would not be taken, so an old one does not become it."""
    made = draft(Kind.ROOM, ALICE, RoomBody("@1-2", "", "direct", members=[ALICE, BOB]), 0)
    made.seq = 9
    directory.apply(made)
    said = Said(9, BOB, "bob", "hi", 0, [], here=False, deleted=False, pinned=False)
    facts = Facts(_10=said)
    edit = draft(Kind.EDIT, BOB, EditBody("bob", 10, "you fool"), 9)
    assert directory.judge(edit, facts) is None
    facts.blocks.add((ALICE, BOB))
    assert directory.judge(edit, facts) is Code.NOT_ALLOWED
    assert directory.judge(draft(Kind.DELETE, BOB, DeleteBody("bob", 10), 9), facts) is None


@pytest.mark.parametrize(("own", "others", "wanted"), [("ian", "lan", "Ian"), ("lan", "ian", "Ian")])
def test_another_form_of_ones_own_name_is_refused_where_it_looks_like_anothers(
    directory: Directory, own: str, others: str, wanted: str
) -> None:
    """A capital I is an i, and looks like an l."""
    directory.apply(draft(Kind.ACCOUNT, BOB, AccountBody(own), 1))
    directory.apply(draft(Kind.ACCOUNT, CAROL, AccountBody(others), 1))
    assert directory.judge(draft(Kind.ACCOUNT, BOB, AccountBody(wanted), 1), Facts()) is Code.NAME_TAKEN
    assert directory.judge(draft(Kind.ACCOUNT, BOB, AccountBody(own.upper()), 1), Facts()) is (
        Code.NAME_TAKEN if own == "ian" else None
    )


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
        ("203.0.113.9/24", "::ffff:203.0.113.1", "203.0.114.1"),
        ("::ffff:203.0.113.0/120", "203.0.113.200", "::203.0.113.1"),
        ("2001:db8::/32", "2001:db8:1::1", "203.0.113.1"),
        ("fe80::/10", "fe80::1%eth0", "unknown"),
    ],
)
def test_addresses_are_kept_out_by_range(directory: Directory, range_: str, inside: str, outside: str) -> None:
    """However they are written; as long as it lasts."""
    network = network_of(range_)
    directory.apply(draft(Kind.RANGE, SERVER, RangeBody("x", network, time_text(NOW + 1).decode()), 1))
    assert directory.kept_out(inside, NOW) is not None
    assert directory.kept_out(inside, NOW + 1) is None
    assert directory.kept_out(outside, NOW) is None
    directory.apply(draft(Kind.RANGE, SERVER, RangeBody("x", network, on=False), 1))
    assert directory.kept_out(inside, NOW) is None


def test_ranges_that_have_ended_leave_room_for_others(directory: Directory) -> None:
    """So many at once; those whose time is over are not listed, and nobody has to take them back."""
    for number in range(limits.RANGES):
        end = time_text(NOW + number).decode()
        directory.apply(draft(Kind.RANGE, SERVER, RangeBody("x", f"2001:db8:{number:x}::/48", end), 1))
    more = draft(Kind.RANGE, SERVER, RangeBody("x", "203.0.113.7/32"), 1)
    assert directory.ranges(NOW) == limits.RANGES - 1
    assert directory.judge(more, Facts()) is None
    directory.apply(more)
    assert directory.ranges(0) == directory.ranges(NOW) == limits.RANGES
    assert directory.judge(draft(Kind.RANGE, SERVER, RangeBody("x", "203.0.113.8/32"), 1), Facts()) is Code.TOO_MANY


def test_a_message_is_reported_once_by_each(directory: Directory) -> None:
    """By who may read it; and settled while it is open."""
    facts = Facts(m10=words(5), m30=words(5))
    facts.reports = {(30, ALICE)}
    for user, target, expected in (
        (ALICE, 30, (None, True)),
        (BOB, 30, (None, False)),
        (BOB, 10, (Code.NO_SUCH_MESSAGE, False)),
        (CAROL, 30, (Code.NO_SUCH_MESSAGE, False)),
    ):
        event = draft(Kind.REPORT, user, ReportBody("x", target), 1)
        assert (directory.judge(event, facts), event.idle) == expected
    settle = draft(Kind.SETTLE, SERVER, SettleBody("x", 40), 1)
    assert directory.judge(settle, facts) is Code.NO_SUCH_MESSAGE
    facts.open_reports = {40}
    assert directory.judge(settle, facts) is None


def test_others_invitations_are_taken_back_by_moderators(directory: Directory) -> None:
    """One's own by oneself."""
    back = InviteBody("x", CAROL, "carol", "Board", on=False)
    assert directory.judge(draft(Kind.INVITE, BOB, back), Facts()) is Code.NOT_ALLOWED
    directory.add_role(5, BOB, Role.MODERATOR)
    assert directory.judge(draft(Kind.INVITE, BOB, back), Facts()) is None


def test_what_changes_nothing_is_no_event(directory: Directory) -> None:
    """A role that they have, a setting that is so, an end of what never was."""
    directory.apply(draft(Kind.ACCOUNT, BOB, AccountBody("bob"), 1))
    directory.add_role(5, BOB, Role.ADMIN)
    for event in (
        draft(Kind.APPOINT, ALICE, AppointBody("x", BOB, "bob", "admin")),
        draft(Kind.BAN, ALICE, BanBody("x", BOB, "bob", on=False)),
        draft(Kind.SILENCE, ALICE, BanBody("x", BOB, "bob", on=False)),
        draft(Kind.CHANGE, ALICE, ChangeBody("x", slow=0, read_only=False)),
        draft(Kind.SETTINGS, SERVER, SettingsBody("x", guests=True), 1),
        draft(Kind.RANGE, SERVER, RangeBody("x", "203.0.113.0/24", on=False), 1),
        draft(Kind.ACCOUNT, BOB, AccountBody("bob"), 1),
    ):
        assert directory.judge(event, Facts()) is None
        assert event.idle, event


def test_none_of_what_one_is_without_an_account_is_called_member(directory: Directory) -> None:
    """Taking a role away leaves what they are: the event says which."""
    directory.add_role(5, BOB, Role.MODERATOR)
    event = draft(Kind.APPOINT, ALICE, AppointBody("x", BOB, "bob", "member"))
    assert directory.judge(event, Facts()) is None
    assert event.about.role == "guest"
    directory.apply(event)
    assert directory.role(directory.rooms[5], BOB) is Role.GUEST


PEOPLE = st.sampled_from([ALICE, BOB, CAROL])
ROLE = st.sampled_from(["moderator", "guest"])
UNTIL = st.sampled_from(["", *(time_text(NOW + minutes * 60_000).decode() for minutes in (1, 5))])
DEEDS = st.one_of(
    st.builds(
        lambda kind, who, until, on: (kind, BanBody("x", who, "", until, "", on)),
        st.sampled_from([Kind.BAN, Kind.SILENCE]), PEOPLE, UNTIL, st.booleans(),
    ),
    st.builds(lambda who: (Kind.KICK, KickBody("x", who, "")), PEOPLE),
    st.builds(lambda who, role: (Kind.APPOINT, AppointBody("x", who, "", role)), PEOPLE, ROLE),
    st.builds(lambda who: (Kind.ERASE, EraseBody("x", who)), PEOPLE),
    st.builds(lambda on: (Kind.CHANGE, ChangeBody("x", read_only=on)), st.booleans()),
    st.builds(lambda on: (Kind.CHANGE, ChangeBody("x", archived=on)), st.booleans()),
    st.builds(lambda seconds: (Kind.CHANGE, ChangeBody("x", slow=seconds)), st.sampled_from([0, 30])),
    st.sampled_from([(Kind.MEMBER, None), (Kind.UNMEMBER, None), (Kind.MESSAGE, None)]),
)  # fmt: skip
"""What may happen, by whom it does not matter."""


@given(st.lists(st.tuples(DEEDS, PEOPLE, st.sampled_from([1, 5]), st.integers(0, 120_000)), max_size=12))
def test_who_said_something_before_is_judged_as_if_they_had_not(
    deeds: list[tuple[tuple[Kind, object], int, int, int]],
) -> None:
    """Whatever has happened meanwhile, and however much time has gone by."""
    known, facts, now = board(), Facts(), NOW
    for (kind, body), user, room, later in deeds:
        now += later
        event = draft(kind, user, body, room)
        event.seq, event.time = 100 + now - NOW, now
        known.apply(event)
        afresh = deepcopy(known)
        for who in (ALICE, BOB, CAROL):
            facts.times[who] = now - 10_000
            for place in (1, 5):
                said, same = draft(Kind.MESSAGE, who, None, place), draft(Kind.MESSAGE, who, None, place)
                said.time = same.time = now
                afresh.free.clear()
                assert known.judge(said, facts) is afresh.judge(same, facts)
                assert (said.why, said.wait_ms) == (same.why, same.wait_ms)
