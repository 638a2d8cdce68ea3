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


def test_users_and_who_is_away_go_with_the_names() -> None:
    """They come with a roster or by themselves, follow a new name, and leave with it."""
    people = People()
    people.roster(["bob"], True, [2], {"bob": "lunch"})
    people.roster(["carol"], False, [3])
    assert (people.users, people.away) == ({"bob": 2, "carol": 3}, {"bob": "lunch"})
    people.rename("bob", "rob")
    assert (people.users, people.away) == ({"rob": 2, "carol": 3}, {"rob": "lunch"})
    assert people.status("carol", True, "tea")
    assert not people.status("nobody", True, "tea")
    people.status("rob", False, "")
    people.add(["dave"], [4], {"dave": ""})
    assert people.away == {"carol": "tea", "dave": ""}
    people.remove(["carol"])
    assert (people.users, people.away) == ({"rob": 2, "dave": 4}, {"dave": ""})
    people.clear()
    assert (people.users, people.away) == ({}, {})
