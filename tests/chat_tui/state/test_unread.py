"""What is unread: counted by the server up to some moment, and here after that."""

import pytest

from chat_tui.state.unread import UNREAD, Unread


def told(count: int = 3, mentions: int = 1, read: int = 10, since: int = 0, last: int = 20, as_of: int = 25) -> Unread:
    """Return how a room is read, as the server says it."""
    marks = Unread()
    marks.told(read, since, count, mentions, last, as_of)
    return marks


def test_what_comes_after_the_count_is_added_and_reading_takes_it_away() -> None:
    """A message that is delivered a second time, or was counted, counts once."""
    marks = told()
    for seq in (18, 30, 30, 40):
        marks.heard(seq, named=seq == 40)
    assert (marks.count, marks.mentions) == (5, 2)
    assert marks.saw(30)
    assert (marks.count, marks.mentions, marks.uncertain) == (1, 1, False)
    assert not marks.saw(30)
    assert marks.saw(40)
    assert (marks.count, marks.mentions) == (0, 0)


def test_the_newest_message_read_is_all_read_wherever_the_log_stands() -> None:
    """Other rooms move the log on: what was counted ends with this room's last message."""
    marks = told(last=20, as_of=90)
    marks.saw(20)
    assert (marks.count, marks.uncertain) == (0, False)


def test_a_part_of_what_was_counted_is_asked_for_again() -> None:
    """Until the answer is there, the count is the one from before."""
    marks = told()
    marks.saw(15)
    assert (marks.count, marks.uncertain) == (3, True)
    marks.told(15, 0, 1, 0, 20, 26)
    assert (marks.count, marks.mentions, marks.uncertain) == (1, 0, False)


def test_reading_never_falls_back_and_takes_unread_away() -> None:
    """Marked as unread from here on is a value of its own."""
    marks = told()
    marks.saw(20)
    marks.leave_unread(12)
    assert (marks.read, marks.since, marks.floor) == (20, 12, 11)
    assert marks.saw(13)
    assert (marks.read, marks.since, marks.floor) == (20, 0, 20)
    marks.marked(5, 0)
    assert marks.read == 20


def test_what_is_told_is_told_once_and_again_where_it_may_have_been_lost() -> None:
    """Unless something later is to be told by then."""
    marks = told()
    assert marks.take_untold() == (None, None)
    marks.saw(20)
    marks.leave_unread(15)
    news = marks.take_untold()
    assert news == (20, 15)
    assert not marks.untold
    marks.put_back(news)
    assert marks.take_untold() == (20, 15)
    marks.saw(30)
    marks.put_back(news)
    assert marks.take_untold() == (30, None)


def test_what_was_read_is_told_again_although_something_was_left_unread_since() -> None:
    """The server would never agree with us else, and be asked for ever."""
    marks = Unread()
    marks.saw(20)
    news = marks.take_untold()
    marks.leave_unread(15)
    marks.put_back(news)
    assert marks.take_untold() == (20, 15)
    marks.leave_unread(18)
    marks.put_back((20, 15))
    assert marks.take_untold() == (20, 18)


def test_what_is_not_told_yet_holds_against_what_others_say() -> None:
    """The server will hear of it, and say so."""
    marks = told()
    marks.leave_unread(8)
    marks.marked(12, 0)
    assert (marks.read, marks.since) == (12, 8)
    marks.take_untold()
    marks.marked(12, 9)
    assert marks.since == 9


@pytest.mark.parametrize("named", [True, False])
def test_a_text_that_changes_may_name_me_or_no_more(named: bool) -> None:
    """It counts as unread either way; what the server counted is asked for again."""
    marks = told()
    for seq in (30, 40, 50):
        marks.heard(seq, named=seq == 40)
    marks.altered(5, named=named)
    marks.altered(40, named=named)
    marks.altered(50, named=named)
    marks.altered(99, named=named)
    assert (marks.count, marks.mentions, marks.uncertain) == (6, 3 if named else 1, False)
    marks.altered(18, named=named)
    assert marks.uncertain


def test_more_than_are_counted_one_by_one_cost_no_memory() -> None:
    """The count stays at its bound; what is read from there on is counted again."""
    marks = told(count=0, mentions=0)
    for seq in range(30, 30 + 5 * UNREAD):
        marks.heard(seq, named=seq % 100 == 0)
    assert marks.count == UNREAD
    assert marks.mentions == 50
    assert len(marks._later) <= UNREAD
    newest = 29 + 5 * UNREAD
    marks.saw(newest - 10)
    assert (marks.count, marks.uncertain) == (10, False)
