"""The timeline: merging by seq, own messages on their way, notices, groups and days."""

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_tui.state.entries import DAY, FAILED, HEAD, MENTION, MINE, NOTICE, SENDING, Waiting
from chat_tui.state.timeline import Timeline
from server.protocol import frames

NINE = 1795251600  # 2026-11-21 09:00:00 UTC


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()
    yield
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


def message(
    seq: int, text: str = "hi", sender: str = "bob", at: int = 0, id: int | None = None, me: bool = False
) -> frames.Message:
    """Return a message as the server delivers it, `at` seconds after nine."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(NINE + at))
    user = 1 if sender == "alice" else 2
    given: dict[str, Any] = {} if id is None else {"id": id}
    return frames.Message(seq=seq, room="general", user=user, sender=sender, time=stamp, text=text, me=me, **given)


def page(*messages: frames.Message, more: bool = False) -> frames.History:
    """Return a page of history."""
    return frames.History(room="general", messages=list(messages), more=more, as_of=1000)


def timeline() -> Timeline:
    """Return the log of a room in which I am alice."""
    log = Timeline("general")
    log.my_user = 1
    log.my_name = "alice"
    return log


def texts(log: Timeline) -> list[str]:
    """Return what stands in the log."""
    return [entry.text for entry in log.entries]


def heads(log: Timeline) -> list[bool]:
    """Return which entries start a group."""
    return [bool(entry.flags & HEAD) for entry in log.entries]


def test_messages_stand_by_seq_once() -> None:
    """Whatever the order in which they come, and however often."""
    log = timeline()
    for seq in (5, 9, 7, 5, 9, 7):
        log.add(message(seq, str(seq)))
    assert texts(log) == ["5", "7", "9"]
    assert (log.oldest, log.newest, log.messages) == (5, 9, 3)


def test_the_first_page_may_come_after_live_messages_and_notices() -> None:
    """Its messages stand before both, by their time and seq."""
    log = timeline()
    log.came_in(["alice"], NINE + 100)
    log.add(message(61, "live", at=110))
    log.add_page(page(*(message(seq, str(seq)) for seq in (59, 60, 61)), more=True))
    assert texts(log) == ["59", "60", "alice came in", "live"]
    assert log.more
    log.add_page(page(message(58, "58")))
    assert texts(log)[:2] == ["58", "59"]
    assert not log.more


def test_a_page_at_the_newer_end_does_not_say_whether_older_ones_exist() -> None:
    """`more` belongs to the old end."""
    log = timeline()
    log.add_page(page(message(10), more=True))
    log.add_page(page(message(11), message(12), more=False))
    assert log.more
    log.add_page(page(more=False))
    assert not log.more


def test_an_own_message_is_sending_then_sent() -> None:
    """It moves from the end to its place when it comes back with its id."""
    log = timeline()
    log.pend(7, "mine", NINE)
    log.add(message(1, "theirs"))
    assert texts(log) == ["theirs", "mine"]
    assert log.entries[1].flags & SENDING
    log.add(message(2, "mine", "alice", id=7))
    assert texts(log) == ["theirs", "mine"]
    assert not log.entries[1].flags & SENDING
    assert log.messages == 2


def test_the_id_of_another_session_confirms_nothing() -> None:
    """Ids are counted per session: only mine with my user is mine."""
    log = timeline()
    log.pend(7, "mine", NINE)
    log.add(message(1, "theirs", id=7))
    assert texts(log) == ["theirs", "mine"]
    assert log.entries[1].flags & SENDING


def test_an_ok_before_the_message_confirms_it() -> None:
    """The message that follows adds nothing, and one with a lower seq still finds its place."""
    log = timeline()
    log.pend(7, "mine", NINE)
    log.confirm(7, 5)
    log.add(message(4, "theirs"))
    log.add(message(5, "mine", "alice", id=7))
    log.confirm(7, 5)
    assert texts(log) == ["theirs", "mine"]
    assert log.entries[1].flags & (MINE | SENDING) == MINE


def test_an_ok_from_before_all_that_is_held_leaves_no_hole() -> None:
    """What lies between was never fetched: a page brings it, and the message."""
    log = timeline()
    log.pend(7, "mine", NINE)
    log.add(message(500))
    log.confirm(7, 5)
    assert (texts(log), log.oldest, log.waiting()) == (["hi"], 500, [])
    log = timeline()
    log.pend(7, "mine", NINE)
    log.taking_back(7)
    log.confirm(7, 5)
    assert (texts(log), log.oldest) == (["Too late to take it back: it was sent."], None)


def test_the_message_says_what_its_ok_did_not() -> None:
    """Its time and its thread; what is held whole stays as it is."""
    log = timeline()
    log.add(message(1))
    log.pend(7, "mine", NINE, reply=1)
    log.confirm(7, 9)
    late = message(9, "mine", "alice", at=4000, id=7)
    late.reply, late.thread = 1, 3
    log.add(late)
    entry = log.message(9)
    assert entry is not None
    assert (entry.time, entry.more and entry.more.thread, texts(log)) == (NINE + 4000, 3, ["hi", "mine"])
    log.add(message(9, "otherwise", "alice"))
    assert texts(log) == ["hi", "mine"]


def test_taken_back_too_late_is_told_before_the_message_and_before_what_waits() -> None:
    """Whichever of several is confirmed first."""
    log = timeline()
    log.add(message(1))
    log.pend(7, "first", NINE)
    log.pend(8, "second", NINE)
    log.taking_back(8)
    log.add(message(2, "second", "alice", id=8))
    assert texts(log) == ["hi", "Too late to take it back: it was sent.", "second", "first"]


def test_a_failed_message_keeps_its_text_until_sent_or_taken_back() -> None:
    """It says why, and can be taken back."""
    log = timeline()
    log.pend(7, "one", NINE)
    log.pend(8, "two", NINE)
    log.fail(7, "too\nfast")
    log.fail(8, "too fast")
    assert [(entry.id, entry.text, entry.reason) for entry in log.failed()] == [
        (7, "one", "too fast"),
        (8, "two", "too fast"),
    ]
    log.taking_back(7)
    assert [entry.id for entry in log.failed()] == [8]
    assert log.withdraw(8).raw == "two"
    assert texts(log) == ["one"]
    with pytest.raises(KeyError):
        log.withdraw(8)


def test_a_message_taken_back_is_as_it_was_written() -> None:
    """Tabs and lines at its ends are only shown otherwise."""
    log = timeline()
    raw = "\ndef f():\n\treturn\n"
    log.pend(7, raw, NINE)
    assert texts(log) == ["def f():\n    return"]
    assert log.withdraw(7).raw == raw


def test_many_who_come_in_within_a_minute_share_a_notice() -> None:
    """Nobody is named twice; another reason, or a message between, starts another notice."""
    log = timeline()
    log.came_in(["bob"], NINE)
    log.came_in(["carol", "bob"], NINE + 10)
    assert texts(log) == ["bob and carol came in"]
    log.came_in([f"user{n}" for n in range(15)], NINE + 20)
    assert texts(log) == ["bob, carol and 15 others came in"]
    log.came_in(["dave"], NINE + 61)
    log.left(["dave"], "quit", NINE + 62)
    log.left(["erin"], "connection lost", NINE + 63)
    log.add(message(1))
    log.left(["frank"], "connection lost", NINE + 64)
    log.left([], "quit", NINE + 64)
    assert texts(log)[1:] == [
        "dave came in",
        "dave left",
        "erin left: connection lost",
        "hi",
        "frank left: connection lost",
    ]


def test_renaming_is_said_and_my_own_to_me() -> None:
    """In the second person."""
    log = timeline()
    log.renamed("bob", "rob", NINE)
    log.my_name = "alicia"
    log.renamed("alice", "alicia", NINE)
    assert texts(log) == ["bob is now called rob", "you are now called alicia"]


def test_groups_last_five_minutes_and_end_with_another_voice() -> None:
    """Time and name stand once for what one sender says in five minutes from the first on."""
    log = timeline()
    for seq, (at, sender) in enumerate([(0, "bob"), (200, "bob"), (299, "bob"), (301, "bob"), (302, "carol")], 1):
        log.add(message(seq, sender=sender, at=at))
    log.notice("help", NINE + 303)
    log.add(message(6, sender="carol", at=303))
    log.add(message(7, "waves", sender="carol", at=303, me=True))
    log.add(message(8, sender="carol", at=303))
    assert heads(log) == [True, False, False, True, True, True, True, True, True]


def test_a_page_above_joins_the_group_below_it() -> None:
    """What looked like a head, or the first of a day, no longer is when what came before it is there."""
    log = timeline()
    log.add_page(page(message(10, at=100), message(11, at=120), more=True))
    log.add_page(page(message(8, sender="carol"), message(9, at=50)))
    assert heads(log) == [True, True, False, False]
    assert [bool(entry.flags & DAY) for entry in log.entries] == [True, False, False, False]


def test_a_new_day_starts_at_local_midnight() -> None:
    """And only forwards: a clock that lags makes no second separator."""
    log = timeline()
    log.add(message(1, at=0))
    log.add(message(2, at=15 * 3600 - 1))
    log.add(message(3, at=15 * 3600))
    log.add(message(4, at=15 * 3600 - 1))
    assert [bool(entry.flags & DAY) for entry in log.entries] == [True, False, True, False]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("alice", True),
        ("hi @Alice!", True),
        ("ALICE: look", True),
        ("thanks, alice.", True),
        ("malice", False),
        ("alice2", False),
        ("alice.smith said", False),
        ("bob-alice", False),
        ("https://example.org/alice", False),
    ],
)
def test_a_mention_is_my_name_as_a_word(text: str, named: bool) -> None:
    """In any case, with or without @, but not within another name or an address."""
    log = timeline()
    log.add(message(1, text))
    assert bool(log.entries[0].flags & MENTION) is named


def test_my_own_words_mention_nobody() -> None:
    """I know my name."""
    log = timeline()
    log.add(message(1, "alice here", "alice"))
    assert not log.entries[0].flags & MENTION


def test_clear_empties_the_view_and_pages_bring_it_back() -> None:
    """What is not sent stays; the next page lies before all that was seen."""
    log = timeline()
    for seq in (1, 2, 3):
        log.add(message(seq, str(seq)))
    log.pend(7, "mine", NINE)
    log.clear()
    assert texts(log) == ["mine"]
    assert (log.more, log.oldest, log.cleared, log.messages) == (True, 4, True, 1)
    log.add_page(page(message(2, "2"), message(3, "3"), more=True))
    assert texts(log) == ["2", "3", "mine"]
    assert not log.cleared


def test_reset_forgets_the_old_log() -> None:
    """Another log's seqs start anew."""
    log = timeline()
    log.add(message(50))
    log.pend(7, "mine", NINE)
    log.reset()
    log.add_page(page(message(3, "3")))
    assert texts(log) == ["3", "mine"]
    assert (log.oldest, log.newest) == (3, 3)


def test_nothing_that_acts_on_a_terminal_is_held() -> None:
    """Even if it was not cleaned before; tabs become spaces, a name stays on its line."""
    log = timeline()
    log.add(message(1, "a\x1b[2J\tb\u202ec\n", sender="bo\nb\x07"))
    assert log.entries[0].text == "a␛[2J   b\ufffdc"
    assert log.entries[0].name == "bo b␇"


def test_a_time_that_is_none_is_that_of_the_message_before() -> None:
    """A broken stamp breaks nothing."""
    log = timeline()
    log.add(message(1, at=5))
    for seq, stamp in enumerate(["", "noon", "9999-99-99T99:99:99.000Z", "2026-11-21T09:00:xxZ"], 2):
        broken = message(seq)
        broken.time = stamp
        log.add(broken)
    assert {entry.time for entry in log.entries} == {NINE + 5}


def test_messages_between_counts_no_notices() -> None:
    """From either side."""
    log = timeline()
    for seq in range(1, 11):
        log.add(message(seq))
        log.notice("note", NINE)
    for start in range(21):
        for end in range(start, 21):
            expected = sum(1 for entry in log.entries[start:end] if not entry.flags & NOTICE)
            assert log.messages_between(start, end) == expected


_seqs = st.integers(1, 12)
_times = st.integers(0, 30).map(lambda n: n * 4000)
_names = st.sampled_from(["alice", "bob", "carol"])
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), _seqs, _names, st.none() | st.integers(1, 4)),
        st.tuples(st.just("page"), st.sets(_seqs, max_size=6), _names, st.booleans()),
        st.tuples(st.just("pend"), st.integers(1, 4)),
        st.tuples(st.just("confirm"), st.integers(1, 4), _seqs),
        st.tuples(st.just("fail"), st.integers(1, 4)),
        st.tuples(st.just("retry"), st.integers(1, 4)),
        st.tuples(st.just("withdraw"), st.integers(1, 4)),
        st.tuples(st.just("came_in"), _names, _times),
        st.tuples(st.just("notice"), _times),
        st.tuples(st.just("clear")),
        st.tuples(st.just("reset")),
    ),
    max_size=25,
)


@given(_steps)
def test_listeners_are_told_of_every_change(steps: list[tuple[Any, ...]]) -> None:
    """A copy kept by the splices alone is the log; it is sorted, and grouped as if it had come in order."""
    log = timeline()
    mirror: list[tuple[str, str, int]] = []

    def follow(at: int, removed: int, added: int) -> None:
        assert 0 <= at <= len(mirror)
        assert at + removed <= len(mirror)
        mirror[at : at + removed] = [_look(entry) for entry in log.entries[at : at + added]]

    log.listeners.append(follow)
    pending: set[int] = set()
    for what, *arguments in steps:
        _take(log, pending, what, arguments)
        assert mirror == [_look(entry) for entry in log.entries]
        settled = [entry for entry in log.entries if not isinstance(entry, Waiting)]
        assert log.entries[: len(settled)] == settled
        seqs = [entry.seq for entry in settled if not entry.flags & NOTICE]
        assert seqs == sorted(set(seqs))
        assert log.messages == sum(1 for entry in log.entries if not entry.flags & NOTICE)
        again = copy.deepcopy(log.entries)
        log._regroup(0, at_least=len(log.entries))
        assert log.entries == again


def _look(entry: object) -> tuple[str, str, int]:
    return (entry.name, entry.text, entry.flags)  # type: ignore[attr-defined]


def _take(log: Timeline, pending: set[int], what: str, arguments: list[Any]) -> None:
    match what:
        case "add":
            seq, sender, id = arguments
            log.add(message(seq, str(seq), sender, at=seq * 4000, id=id))
            if sender == "alice":
                pending.discard(id)
        case "page":
            seqs, sender, more = arguments
            log.add_page(page(*(message(seq, str(seq), sender, at=seq * 4000) for seq in sorted(seqs)), more=more))
        case "pend" if arguments[0] not in pending:
            pending.add(arguments[0])
            log.pend(arguments[0], f"mine {arguments[0]}", NINE)
        case "confirm":
            pending.discard(arguments[0])
            log.confirm(*arguments)
        case "withdraw" if arguments[0] in pending:
            pending.discard(arguments[0])
            log.withdraw(arguments[0])
        case "fail":
            log.fail(arguments[0], "because")
        case "retry":
            log.taking_back(arguments[0])
        case "came_in":
            log.came_in([arguments[0]], NINE + arguments[1])
        case "notice":
            log.notice("note", NINE + arguments[0])
        case "clear":
            log.clear()
        case "reset":
            log.reset()


def test_failed_marks_change_only_what_waits() -> None:
    """An id that nobody waits for is no error: its answer came before."""
    log = timeline()
    log.fail(3, "late")
    log.taking_back(3)
    log.confirm(3, 9)
    assert log.entries == []
    log.pend(4, "x", NINE)
    log.fail(4, "no")
    assert log.entries[0].flags & FAILED
