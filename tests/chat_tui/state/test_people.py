"""Who is online: set operations, me first."""

from chat_tui.state.people import People


def test_i_stand_first_and_the_others_follow_sorted() -> None:
    """Case makes no difference to the order."""
    people = People()
    people.roster(["Zoe", "bob"], more=True)
    assert len(people) == 0
    people.roster(["alice", "Carol"], more=False)
    assert people.ordered("bob") == ["bob", "alice", "Carol", "Zoe"]
    assert people.ordered("nobody") == ["alice", "bob", "Carol", "Zoe"]


def test_hearing_of_something_twice_changes_nothing() -> None:
    """Only what is new, or was there, is told."""
    people = People()
    assert people.add(["bob", "bob", "carol"]) == ["bob", "carol"]
    assert people.add(["bob"]) == []
    assert people.remove(["bob", "nobody"]) == ["bob"]
    assert people.rename("carol", "caro")
    assert not people.rename("carol", "x")
    assert people.ordered("") == ["caro"]
