"""The order of a session's messages."""

from hypothesis import given
from hypothesis import strategies as st

from server.chat.ordering import Numbering, Verdict


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
            waiting = {other for other in waiting if other > number}
        elif verdict is Verdict.NEW:
            numbering.refused(number)
            waiting.add(number)
        elif verdict is Verdict.HELD:
            assert any(other < number for other in waiting)
        else:
            assert taken
            assert number <= taken[-1]
    assert taken == sorted(set(taken))
    assert (numbering.last_id, numbering.last_seq) == ((taken[-1], seq) if taken else (0, 0))
