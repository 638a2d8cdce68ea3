"""The order of a session's messages."""

from hypothesis import given
from hypothesis import strategies as st

from server.record.ordering import Numbering, Verdict


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=60))
def test_taken_ids_only_grow_and_none_overtakes_a_refused_one(tries: list[tuple[int, bool]]) -> None:
    """Whatever is tried, and whichever tries fail, ids are taken in ascending order and after a refusal in turn."""
    numbering, taken, seq = Numbering(), list[int](), 0
    waiting: set[int] = set()
    for number, works in tries:
        verdict = numbering.judge(number)
        if verdict is Verdict.NEW and works:
            seq += 1
            numbering.taken(number, seq)
            taken.append(number)
            waiting.discard(number)
        elif verdict is Verdict.NEW:
            numbering.again(number)
            waiting.add(number)
        elif verdict is Verdict.HELD:
            assert any(other < number for other in waiting)
            numbering.again(number)
            waiting.add(number)
        else:
            assert taken
            assert number <= taken[-1]
    # All that was told to come again can come, in order, however much was tried in between.
    for number in sorted(waiting):
        assert numbering.judge(number) is Verdict.NEW
        seq += 1
        numbering.taken(number, seq)
        taken.append(number)
    assert numbering.judge(99) is Verdict.NEW
    assert taken == sorted(set(taken))
    assert (numbering.last_id, numbering.last_seq) == ((taken[-1], seq) if taken else (0, 0))


def test_a_message_that_is_given_up_holds_nothing() -> None:
    """Refused for good, or withdrawn: the ones after it go on."""
    numbering = Numbering()
    numbering.again(1)
    assert numbering.judge(2) is Verdict.HELD
    numbering.given_up(1)
    assert numbering.judge(2) is Verdict.NEW
